#include "store/stored_queues.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tern::store {

StoredQueues::StoredQueues(std::shared_ptr<QueueShare> shared) : shared_(std::move(shared)) {}

StoredQueues::StoredPtr StoredQueues::find(std::string_view topic, std::int32_t id) const {
  const auto& part = shard({topic, id});
  const MutexLock hold(part.lock);
  const auto found = part.queues.find(Key{topic, id});
  return found == part.queues.end() ? nullptr : *found;
}

StoredQueues::StoredPtr StoredQueues::get_or_create(std::string_view topic, std::int32_t id) {
  auto& part = shard({topic, id});
  const MutexLock hold(part.lock);
  if (const auto found = part.queues.find(Key{topic, id}); found != part.queues.end()) return *found;
  return *part.queues.insert(std::make_shared<StoredQueue>(shared_, intern(topic), id)).first;
}

std::shared_ptr<const std::string> StoredQueues::intern(std::string_view topic) {
  const MutexLock hold(topics_lock_);
  if (const auto found = topics_.find(topic); found != topics_.end()) return found->second;
  auto kept = std::make_shared<const std::string>(topic);
  topics_.emplace(*kept, kept);
  return kept;
}

std::vector<StoredQueues::StoredPtr> StoredQueues::all() const {
  std::vector<StoredPtr> queues;
  for (const auto& part : shards_) {
    const MutexLock hold(part.lock);
    queues.insert(queues.end(), part.queues.begin(), part.queues.end());
  }
  return queues;
}

std::vector<StoredQueues::StoredPtr> StoredQueues::of_topic(std::string_view topic) const {
  std::vector<StoredPtr> queues;
  for (const auto& part : shards_) {
    const MutexLock hold(part.lock);
    std::ranges::copy_if(part.queues, std::back_inserter(queues),
                         [topic](const auto& queue) { return queue->topic() == topic; });
  }
  std::ranges::sort(queues, {}, [](const auto& queue) { return queue->id(); });
  return queues;
}

std::vector<StoredQueues::StoredPtr> StoredQueues::remove_topic(std::string_view topic) {
  std::vector<StoredPtr> removed;
  for (auto& part : shards_) {
    const MutexLock hold(part.lock);
    std::erase_if(part.queues, [&](const auto& queue) {
      if (queue->topic() != topic) return false;
      removed.push_back(queue);
      return true;
    });
  }
  const MutexLock hold(topics_lock_);
  topics_.erase(topic);
  return removed;
}

}  // namespace tern::store
