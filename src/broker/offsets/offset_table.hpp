#pragma once
// How far each group has consumed each queue. consumerOffset.json is its file, saved every few seconds and at the stop.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/file/metadata_file.hpp"
#include "tern/protocol/json.hpp"

#include "broker/data_version.hpp"

namespace tern::broker {

/// All calls from any thread; sharded by group and topic. Commits neither check nor order: what comes last counts.
class OffsetTable {
 public:
  OffsetTable(file::Disk& disk, std::string path);
  ~OffsetTable();
  [[nodiscard]] std::optional<std::string> load();
  /// After open: no saved offset exceeds its queue's end. Returns how many were clamped; the first few are logged.
  int clamp(const std::function<std::int64_t(std::string_view topic, std::int32_t queue_id)>& queue_end);

  [[nodiscard]] std::optional<std::int64_t> find(std::string_view group, std::string_view topic,
                                                 std::int32_t queue_id) const;
  void commit(std::string_view group, std::string_view topic, std::int32_t queue_id, std::int64_t offset);
  /// Where the last pull of the queue ended, and what it was given: for statistics alone.
  void pulled(std::string_view group, std::string_view topic, std::int32_t queue_id, std::int64_t next_offset,
              std::int64_t messages = 0, std::int64_t bytes = 0);
  [[nodiscard]] std::optional<std::int64_t> find_pulled(std::string_view group, std::string_view topic,
                                                        std::int32_t queue_id) const;

  /// What the pulls of each group and topic have been given since the start.
  struct Given {
    std::string topic;
    std::string group;
    std::int64_t messages = 0;
    std::int64_t bytes = 0;
  };
  [[nodiscard]] std::vector<Given> given() const;

  /// Server-side reset (request 222): taken by the next pull; commits are ignored until then.
  void set_reset(std::string_view group, std::string_view topic, std::int32_t queue_id, std::int64_t offset);
  [[nodiscard]] std::optional<std::int64_t> peek_reset(std::string_view group, std::string_view topic,
                                                       std::int32_t queue_id) const;
  std::optional<std::int64_t> take_reset(std::string_view group, std::string_view topic, std::int32_t queue_id);

  [[nodiscard]] std::set<std::string> topics_of(std::string_view group) const;
  [[nodiscard]] std::set<std::string> groups_of(std::string_view topic) const;
  [[nodiscard]] std::map<std::int32_t, std::int64_t> all(std::string_view group, std::string_view topic) const;
  /// `to` stands in the topic where `from` does: in its queues, and in no other. Nothing if `from` has no offsets
  /// there.
  void clone(std::string_view from, std::string_view to, std::string_view topic);
  /// What every group has committed in the topic, by group and queue.
  [[nodiscard]] std::map<std::string, std::map<std::int32_t, std::int64_t>> of_topic(std::string_view topic) const;
  void remove_topic(std::string_view topic);
  void remove_group(std::string_view group);
  /// For each queue that any group has committed for, the largest of these offsets.
  [[nodiscard]] std::map<std::pair<std::string, std::int32_t>, std::int64_t> largest() const;

  [[nodiscard]] protocol::Json to_json() const;
  /// Nothing if nothing was committed since. On the blocking thread, or at the stop.
  Status save(std::int64_t now_ms);

 private:
  // "topic@group" -> queue id -> offset. Sharded, because every pull and every commit of every client comes here.
  struct Shard;
  static constexpr std::size_t kShards = 16;
  Shard& shard(std::string_view group, std::string_view topic) const;
  [[nodiscard]] std::int64_t commits() const;
  file::MetadataFile file_;
  std::unique_ptr<Shard[]> shards_;  // kShards of them
  mutable std::mutex save_mutex_;
  DataVersion version_;  // guarded by save_mutex_, as all below
  std::int64_t saved_commits_ = 0;
  protocol::Json others_ = protocol::Json::object();  // of the file: what we keep and do not read
};

}  // namespace tern::broker
