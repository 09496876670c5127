#pragma once
// The queues of a table by topic and id, in shards: who looks for one waits for nobody who looks for another.

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tern/base/thread_annotations.hpp"

#include "store/stored_queue.hpp"

namespace tern::store {

/// Any thread.
class StoredQueues {
 public:
  using StoredPtr = std::shared_ptr<StoredQueue>;

  /// `shared` is what every queue that is made here gets.
  explicit StoredQueues(std::shared_ptr<QueueShare> shared);

  /// Null if there is none.
  [[nodiscard]] StoredPtr find(std::string_view topic, std::int32_t id) const;
  StoredPtr get_or_create(std::string_view topic, std::int32_t id);
  /// In no order.
  [[nodiscard]] std::vector<StoredPtr> all() const;
  /// By id.
  [[nodiscard]] std::vector<StoredPtr> of_topic(std::string_view topic) const;
  /// Those that there were. Whoever holds one still has it: what happens to it is the caller's affair.
  std::vector<StoredPtr> remove_topic(std::string_view topic);

 private:
  struct Key {
    std::string_view topic;
    std::int32_t id = 0;
  };
  static Key key(const Key& key) { return key; }
  static Key key(const StoredPtr& queue) { return {queue->topic(), queue->id()}; }
  struct Hash {
    using is_transparent = void;
    template <class A>
    std::size_t operator()(const A& a) const noexcept {
      const Key of = key(a);
      return std::hash<std::string_view>{}(of.topic) + static_cast<std::size_t>(of.id) * 0x9E37'79B9U;
    }
  };
  struct Equal {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const noexcept {
      return key(a).id == key(b).id && key(a).topic == key(b).topic;
    }
  };
  struct alignas(64) Shard {
    mutable Mutex lock;
    std::unordered_set<StoredPtr, Hash, Equal> queues TERN_GUARDED_BY(lock);
  };
  static constexpr std::size_t kShards = 64;

  [[nodiscard]] Shard& shard(Key key) { return shards_[Hash{}(key) % kShards]; }
  [[nodiscard]] const Shard& shard(Key key) const { return shards_[Hash{}(key) % kShards]; }
  /// The name that all queues of a topic share.
  std::shared_ptr<const std::string> intern(std::string_view topic) TERN_EXCLUDES(topics_lock_);

  const std::shared_ptr<QueueShare> shared_;
  std::array<Shard, kShards> shards_;
  Mutex topics_lock_;  // inside of a shard's
  std::unordered_map<std::string_view, std::shared_ptr<const std::string>> topics_ TERN_GUARDED_BY(topics_lock_);
};

}  // namespace tern::store
