#pragma once
// Queue locks of orderly consumers: (group, queue) belongs to one client for 60 s after its last request. In memory
// alone.

#include <compare>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/clock.hpp"

namespace tern::broker {

struct MessageQueue {
  std::string topic;
  std::string broker_name;
  std::int32_t queue_id = 0;
  friend auto operator<=>(const MessageQueue&, const MessageQueue&) = default;
};

/// All calls from any thread.
class QueueLocks {
 public:
  explicit QueueLocks(const Clock& clock) : clock_(clock) {}
  /// Locks what is free, expired, or the client's already; returns what it now owns of `queues`.
  std::vector<MessageQueue> lock(std::string_view group, std::string_view client_id,
                                 const std::vector<MessageQueue>& queues);
  void unlock(std::string_view group, std::string_view client_id, const std::vector<MessageQueue>& queues);
  /// Whether anybody of the group holds a lock that has not expired.
  [[nodiscard]] bool any(std::string_view group) const;
  void remove_group(std::string_view group);

 private:
  struct Lock {
    std::string client_id;
    std::int64_t refreshed_ms = 0;
  };
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, std::map<MessageQueue, Lock>, std::less<>> groups_;  // guarded by mutex_
};

}  // namespace tern::broker
