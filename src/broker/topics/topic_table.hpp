#pragma once
// Which topics there are, and how they are cut into queues. topics.json is its file.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/clock.hpp"
#include "tern/base/work_queue.hpp"
#include "tern/file/metadata_file.hpp"
#include "tern/protocol/json.hpp"
#include "tern/store/queue.hpp"

#include "broker/data_version.hpp"
#include "broker/identity.hpp"
#include "broker/table_save.hpp"

namespace tern::broker {

inline constexpr int kPermPriority = 8, kPermRead = 4, kPermWrite = 2, kPermInherit = 1;
inline constexpr int kTopicUnit = 1, kTopicUnitSub = 2;

struct TopicConfig {
  std::string name;
  int read_queues = 16;
  int write_queues = 16;
  int perm = kPermRead | kPermWrite;
  bool is_multi_tag = false;
  int sys_flag = 0;
  bool is_order = false;
  std::map<std::string, std::string> attributes;
  protocol::Json others = protocol::Json::object();  // members that we keep and do not read
  friend bool operator==(const TopicConfig&, const TopicConfig&) = default;
  /// As Apache's remarks print it: "TopicConfig [topicName=T, readQueueNums=4, ...]".
  [[nodiscard]] std::string text() const;
};
using TopicPtr = std::shared_ptr<const TopicConfig>;
/// By its attribute queue.type, which never changes.
[[nodiscard]] store::QueueKind queue_kind(const TopicConfig& topic);
protocol::Json to_json(const TopicConfig& topic);
std::optional<TopicConfig> topic_from_json(std::string_view name, const protocol::Json& json);

/// All calls from any thread. A TopicPtr is immutable: who holds one sees the topic as it was.
/// Every change bumps the data version, is handed to the blocking thread to be saved, and tells the listener.
class TopicTable {
 public:
  TopicTable(const BrokerOptions& options, const BrokerIdentity& identity, file::Disk& disk, std::string path,
             const Clock& clock, WorkQueue& blocking);

  /// Before serving. Reads the file, then adds the topics that every broker has (docs/format/remoting.md): those in the
  /// file win. The text says what is wrong with the file. `has_log`: both file and backup missing is then damage, not
  /// an empty table.
  [[nodiscard]] std::optional<std::string> load(bool has_log);

  [[nodiscard]] TopicPtr find(std::string_view topic) const;
  [[nodiscard]] std::vector<TopicPtr> all() const;
  [[nodiscard]] DataVersion version() const;
  [[nodiscard]] bool is_system(std::string_view topic) const;  // fixed set, rmq_sys_*, cluster and broker name

  /// Creates or replaces. False if it is identical already (no version bump). `saved` (may be empty) runs on the
  /// blocking thread once the file is on disk, with the failure if it could not be saved.
  using Saved = TableSave::Saved;
  bool put(TopicConfig topic, Saved saved = {});
  /// Auto-creation on send: nullptr if `default_topic` does not exist here or does not pass its existence on.
  TopicPtr create_from_default(std::string_view topic, std::string_view default_topic, int queues, int sys_flag);
  /// %RETRY% and %DLQ% topics: created with `queues` queues, perm 6, if missing.
  TopicPtr ensure(std::string_view topic, int queues, int sys_flag, bool is_order);
  /// The log holds records of this queue: the topic exists again, wide enough.
  void ensure_queue(std::string_view topic, int queue_id, store::QueueKind kind);
  bool remove(std::string_view topic, Saved saved = {});
  /// Order topics, as the nameserver names them.
  void set_order_topics(const std::vector<std::string>& topics);

  /// What the nameservers are told of all topics has changed, though no topic has (brokerPermission).
  void bump();

  /// Told after each change which topic changed, on the changing thread: registration sends it on. Before serving.
  void on_change(std::function<void(const TopicConfig& topic)> listener) { listener_ = std::move(listener); }
  /// {"dataVersion":...,"topicConfigTable":{...}} of all topics.
  [[nodiscard]] protocol::Json to_json() const;
  /// Saves now, on the calling thread (clean stop).
  Status save();
  /// The same, unless load() has found the file: for a new store, before its first record.
  Status save_first() { return was_found_ ? Status{} : save(); }

 private:
  void changed(TopicPtr topic, Saved saved);
  [[nodiscard]] protocol::Json to_json_locked() const;  // with mutex_ held

  const BrokerOptions& options_;
  const BrokerIdentity& identity_;
  file::MetadataFile file_;
  const Clock& clock_;
  TableSave saves_;
  std::function<void(const TopicConfig&)> listener_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, TopicPtr, std::less<>> topics_;  // guarded by mutex_, as all below
  DataVersion version_;
  protocol::Json others_ = protocol::Json::object();         // of the file: what we keep and do not read
  protocol::Json unread_topics_ = protocol::Json::object();  // entries of the table that are none to us
  bool was_found_ = false;                                   // by load(), which precedes everything else
};

}  // namespace tern::broker
