#pragma once
// Subscription groups: what consumers of a group may do. subscriptionGroup.json is its file.

#include "broker/topics/topic_table.hpp"

namespace tern::broker {

struct GroupConfig {
  std::string name;
  bool consume_enable = true;
  bool consume_from_min_enable = true;
  bool consume_broadcast_enable = true;
  bool consume_message_orderly = false;
  int retry_queues = 1;
  int retry_max_times = 16;
  std::int64_t broker_id = 0;
  std::int64_t which_broker_when_consume_slowly = 1;
  bool notify_consumer_ids_changed_enable = true;
  int sys_flag = 0;
  int consume_timeout_minutes = 15;
  protocol::Json others =
      protocol::Json::object();  // members that we keep and do not read: groupRetryPolicy, attributes, ...
};
using GroupPtr = std::shared_ptr<const GroupConfig>;
protocol::Json to_json(const GroupConfig& group);
std::optional<GroupConfig> group_from_json(const protocol::Json& json);

/// All calls from any thread; the same rules as TopicTable.
class GroupTable {
 public:
  GroupTable(const BrokerOptions& options, file::Disk& disk, std::string path, const Clock& clock, WorkQueue& blocking);
  /// A store may have had no group yet, whatever its log holds.
  [[nodiscard]] std::optional<std::string> load();

  [[nodiscard]] GroupPtr find(std::string_view group) const;
  /// find, and with autoCreateSubscriptionGroup and a legal name: create. nullptr otherwise.
  GroupPtr find_or_create(std::string_view group);
  [[nodiscard]] std::vector<GroupPtr> all() const;
  using Saved = TopicTable::Saved;
  void put(GroupConfig group, Saved saved = {});
  bool remove(std::string_view group, Saved saved = {});
  /// UPDATE_AND_GET_GROUP_FORBIDDEN: readable=false forbids pulls of (group, topic).
  [[nodiscard]] bool is_forbidden(std::string_view group, std::string_view topic) const;
  void set_forbidden(std::string_view group, std::string_view topic, bool is_forbidden, Saved saved = {});
  [[nodiscard]] DataVersion version() const;
  [[nodiscard]] protocol::Json to_json() const;
  Status save();

 private:
  void changed(Saved saved);                            // mutex_ held
  [[nodiscard]] protocol::Json to_json_locked() const;  // mutex_ held

  const BrokerOptions& options_;
  file::MetadataFile file_;
  const Clock& clock_;
  TableSave saves_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, GroupPtr, std::less<>> groups_;  // guarded by mutex_, as all below
  std::map<std::string, std::map<std::string, std::int64_t, std::less<>>, std::less<>> forbidden_;
  DataVersion version_;
  protocol::Json others_ = protocol::Json::object();         // of the file: what we keep and do not read
  protocol::Json unread_groups_ = protocol::Json::object();  // entries of the table that are none to us
};

}  // namespace tern::broker
