#pragma once
// Orderly pops: what each group has of a queue, of which nobody gets more before it is acknowledged or visible again.
// consumerOrderInfo.json is its file, saved every few seconds and at the stop, as Apache's.

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/clock.hpp"
#include "tern/file/metadata_file.hpp"
#include "tern/protocol/json.hpp"

#include "broker/pop/pop_ledger.hpp"

namespace tern::broker {

/// All calls from any thread; save() from one at a time. Which messages are done stands in the group's offset, which
/// does not move on before they are: what is lost here by a kill is that a queue was blocked, and how often its
/// messages had been handed out.
class PopOrders {
 public:
  PopOrders(const Clock& clock, file::Disk& disk, std::string path) : clock_(clock), file_(disk, std::move(path)) {}
  /// Before serving. The text says what is wrong with the file.
  [[nodiscard]] std::optional<std::string> load();

  /// Some message of the queue is neither acknowledged nor visible again. Not for the attempt that has got them: it may
  /// not have heard.
  [[nodiscard]] bool is_blocked(const PopQueueName& name, std::string_view attempt_id) const;
  struct Handed {
    std::vector<std::int64_t> offsets;     // those that are not acknowledged
    std::map<std::int64_t, int> attempts;  // how often each was handed out before, if it was
  };
  /// These are handed out, at most kCheckpointMessagesMax, in the place of what was before. Of those that were
  /// acknowledged before the first is not, it knows.
  Handed hand_out(const PopQueueName& name, std::string_view attempt_id, std::int64_t pop_time,
                  std::int64_t invisible_ms, const std::vector<std::int64_t>& offsets);
  /// The offset from which on the group goes on; nullopt: it was not handed out at that time, nothing happens.
  std::optional<std::int64_t> acknowledge(const PopQueueName& name, std::int64_t offset, std::int64_t pop_time);
  /// It is visible again that long from now. False: it was not handed out at that time, nothing happens.
  bool change(const PopQueueName& name, std::int64_t offset, std::int64_t pop_time, std::int64_t invisible_ms);
  /// Groups and topics of queues that were blocked until now.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> take_free();
  /// Milliseconds until a queue is free again by itself.
  [[nodiscard]] std::optional<std::int64_t> next_free() const;
  /// Nobody has anything of the topic, or of the queue, any more: it was removed, or read from another offset.
  void remove_topic(std::string_view topic);
  void forget(const PopQueueName& name);
  /// Nothing if nothing has changed.
  Status save();

 private:
  struct Message {
    std::int64_t offset = 0;
    bool is_acknowledged = false;
    int attempts = 0;               // before this one
    std::int64_t visible_ms = 0;    // steady
    std::int64_t visible_wall = 0;  // 0: pop time and invisible time
  };
  struct Block {
    std::string attempt_id;
    std::int64_t pop_time = 0;
    std::int64_t invisible_ms = 0;
    std::int64_t handed_wall = 0;
    std::vector<Message> messages;
    std::int64_t free_ms = 0;  // its place in by_free_
    [[nodiscard]] Message* find(std::int64_t offset);
  };
  using Key = std::tuple<std::string, std::string, std::int32_t>;  // topic, group, queue
  static Key key_of(const PopQueueName& name) {
    return {std::string(name.topic), std::string(name.group), name.queue_id};
  }
  // mutex_ held:
  void wait(const Key& key, Block& block);
  [[nodiscard]] protocol::Json to_json_locked() const;
  void read(const std::string& topic, const std::string& group, std::int32_t queue_id, const protocol::Json& json);

  const Clock& clock_;
  file::MetadataFile file_;
  mutable std::mutex mutex_;
  std::map<Key, Block> blocks_;                       // guarded by mutex_, as all below
  std::set<std::pair<std::int64_t, Key>> by_free_;    // blocks that are not free yet
  bool is_changed_ = false;                           // since the last save
  protocol::Json others_ = protocol::Json::object();  // of the file: what we keep and do not read
};

}  // namespace tern::broker
