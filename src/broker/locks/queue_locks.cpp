#include "broker/locks/queue_locks.hpp"

namespace tern::broker {
namespace {

constexpr std::int64_t kLockMs = 60'000;

}  // namespace

std::vector<MessageQueue> QueueLocks::lock(std::string_view group, std::string_view client_id,
                                           const std::vector<MessageQueue>& queues) {
  const std::int64_t now = clock_.steady_ms();
  std::vector<MessageQueue> owned;
  const std::lock_guard guard(mutex_);
  const auto found = groups_.find(group);
  auto& locks = found != groups_.end() ? found->second : groups_[std::string(group)];
  for (const auto& queue : queues) {
    auto& held = locks[queue];
    if (held.client_id.empty() || held.client_id == client_id || now - held.refreshed_ms > kLockMs) {
      held.client_id = client_id;
      held.refreshed_ms = now;
      owned.push_back(queue);
    }
  }
  return owned;
}

void QueueLocks::unlock(std::string_view group, std::string_view client_id, const std::vector<MessageQueue>& queues) {
  const std::lock_guard guard(mutex_);
  const auto locks = groups_.find(group);
  if (locks == groups_.end()) return;
  for (const auto& queue : queues) {
    if (const auto held = locks->second.find(queue); held != locks->second.end() && held->second.client_id == client_id)
      locks->second.erase(held);
  }
  if (locks->second.empty()) groups_.erase(locks);
}

bool QueueLocks::any(std::string_view group) const {
  const std::int64_t now = clock_.steady_ms();
  const std::lock_guard guard(mutex_);
  const auto locks = groups_.find(group);
  if (locks == groups_.end()) return false;
  for (const auto& [queue, held] : locks->second) {
    if (now - held.refreshed_ms <= kLockMs) return true;
  }
  return false;
}

void QueueLocks::remove_group(std::string_view group) {
  const std::lock_guard guard(mutex_);
  if (const auto locks = groups_.find(group); locks != groups_.end()) groups_.erase(locks);
}

}  // namespace tern::broker
