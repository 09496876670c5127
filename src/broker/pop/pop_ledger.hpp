#pragma once
// What was handed out and is not acknowledged yet: the checkpoints that are open, with the queues that pops are reading
// now. The durable truth is in the revive topic and in the consumer offsets; this is what follows from both.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "tern/base/thread_annotations.hpp"
#include "tern/store/types.hpp"

#include "broker/pop/checkpoint.hpp"

namespace tern::broker {

/// One queue as one group sees it.
struct PopQueueName {
  std::string_view group;
  std::string_view topic;
  std::int32_t queue_id = 0;
};

/// All calls from any thread. Times are steady, in milliseconds: wall clocks jump.
///
/// Of each message of an open checkpoint the ledger knows whether it is open, being acknowledged (its acknowledgement
/// is on its way to the log), or done. A checkpoint whose messages are all done is forgotten. One whose time has come
/// is taken by the reviver, and while that has it, acknowledgements come too late.
class PopLedger {
 public:
  using Id = std::uint64_t;

  // ---- queues
  /// One pop at a time reads a queue for a group. False: another does.
  [[nodiscard]] bool lock(const PopQueueName& name);
  void unlock(const PopQueueName& name);
  [[nodiscard]] bool is_locked(const PopQueueName& name) const;
  /// Messages of open checkpoints that are not done.
  [[nodiscard]] std::int64_t open_messages(const PopQueueName& name) const;

  // ---- checkpoints
  /// It is about to be stored in a revive queue, not before `offset_min`: stored() or abandon() must follow. nullopt:
  /// there is an open one of the same name.
  [[nodiscard]] std::optional<Id> begin(const Checkpoint& checkpoint, std::int32_t revive_queue,
                                        std::int64_t offset_min);
  void stored(Id id, std::int64_t revive_offset, store::LogPosition position, std::int64_t due_ms);
  void abandon(Id id);
  /// It was found in the revive topic. One of the same name that is there already gives way to it, and what is done of
  /// that is done.
  void found(const Checkpoint& checkpoint, std::int32_t revive_queue, std::int64_t revive_offset,
             store::LogPosition position, std::int64_t due_ms);
  /// Likewise. Of no open checkpoint: nothing happens.
  void found(const Acknowledgement& acknowledgement);
  [[nodiscard]] std::size_t open() const;

  // ---- acknowledging
  struct Named {
    PopQueueName queue;
    std::int64_t start_offset = 0;
    std::int64_t pop_time = 0;
  };
  /// Those of `offsets` that are open messages of the checkpoint; they are being acknowledged from now on, and
  /// end_ack() must follow for them. Empty: the name is that of no open checkpoint, or what it names is done or too
  /// late.
  [[nodiscard]] std::vector<std::int64_t> begin_ack(const Named& name, const std::vector<std::int64_t>& offsets);
  /// They are done, if their acknowledgement is stored, or open again.
  void end_ack(const Named& name, const std::vector<std::int64_t>& offsets, bool is_stored);
  /// The revive queue of an open checkpoint: where its acknowledgements belong.
  [[nodiscard]] std::optional<std::int32_t> revive_queue_of(const Named& name) const;

  // ---- reviving
  struct Due {
    Id id = 0;
    Checkpoint checkpoint;  // without what is done: deltas of open messages alone
    std::int32_t revive_queue = 0;
    store::LogPosition position;  // its messages stand before it
    int failures = 0;
  };
  /// Checkpoints whose time has come, at most `count_max`: put_back() or revived() must follow for each.
  [[nodiscard]] std::vector<Due> take_due(std::int64_t now_ms, std::size_t count_max);
  /// Milliseconds until the next one is due; nullopt: none waits.
  [[nodiscard]] std::optional<std::int64_t> next_due(std::int64_t now_ms) const;
  /// These of its messages are done; the others are tried again at `due_ms`, one failure later.
  void revived(Id id, const std::vector<std::int64_t>& done, std::int64_t due_ms);

  // ---- progress
  /// The first offset of the revive queue that is still needed, if all below `end` has been found or stored.
  [[nodiscard]] std::int64_t first_needed(std::int32_t revive_queue, std::int64_t end) const;
  /// A checkpoint that keeps more than `behind_max` records of its revive queue needed, to be written again at the end
  /// of the queue: moved() must follow.
  struct Laggard {
    Id id = 0;
    Checkpoint checkpoint;
    std::int32_t revive_queue = 0;
  };
  [[nodiscard]] std::optional<Laggard> take_laggard(std::int32_t revive_queue, std::int64_t end,
                                                    std::int64_t behind_max);
  /// -1: it could not be written. Without effect if some of it was acknowledged meanwhile.
  void moved(Id id, std::int64_t revive_offset);

  /// Checkpoints that are being stored, by when they began: what has a lower number than this has been stored.
  [[nodiscard]] Id first_in_flight() const;
  /// What the next one will get.
  [[nodiscard]] Id next_id() const;

 private:
  struct Queue;
  using Key = std::tuple<std::string, std::string, std::int32_t>;  // group, topic, queue
  struct KeyLess {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      const auto view = [](const auto& key) {
        return std::tuple<std::string_view, std::string_view, std::int32_t>(std::get<0>(key), std::get<1>(key),
                                                                            std::get<2>(key));
      };
      return view(a) < view(b);
    }
  };
  struct Open {
    Id id = 0;
    Queue* queue = nullptr;
    std::int64_t start_offset = 0;
    std::int64_t pop_time = 0;
    std::int64_t invisible_ms = 0;
    std::string broker;
    std::vector<std::int32_t> deltas;
    std::uint32_t done = 0;
    std::uint32_t being_acknowledged = 0;
    std::int32_t revive_queue = 0;
    std::int64_t revive_offset = 0;  // while it is being stored: not more than it will be
    store::LogPosition position{0};
    std::int64_t due_ms = 0;
    int failures = 0;
    bool is_stored = false;
    bool is_taken = false;   // by the reviver
    bool is_moving = false;  // to the end of its revive queue
    std::uint32_t done_when_copied = 0;
    [[nodiscard]] std::uint32_t all() const;
    [[nodiscard]] std::optional<std::uint32_t> bit(std::int64_t offset) const;
  };
  struct Queue {
    const Key* key = nullptr;
    bool is_locked = false;
    std::int64_t open_messages = 0;
    std::map<std::pair<std::int64_t, std::int64_t>, Open*> checkpoints;  // by start offset and pop time
  };
  using Queues = std::map<Key, Queue, KeyLess>;

  Queue& queue(const PopQueueName& name) TERN_REQUIRES(mutex_);
  [[nodiscard]] const Queue* find(const PopQueueName& name) const TERN_REQUIRES(mutex_);
  [[nodiscard]] Open* find(const Named& name) const TERN_REQUIRES(mutex_);
  Open& add(const Checkpoint& checkpoint, std::int32_t revive_queue, std::int64_t revive_offset) TERN_REQUIRES(mutex_);
  void wait(Open& open, std::int64_t due_ms) TERN_REQUIRES(mutex_);
  void finish(Open& open, std::uint32_t bits) TERN_REQUIRES(mutex_);
  void forget(Open& open) TERN_REQUIRES(mutex_);
  void drop_if_idle(Queue& queue) TERN_REQUIRES(mutex_);
  [[nodiscard]] static Checkpoint rest_of(const Open& open);

  mutable Mutex mutex_;
  Id next_id_ TERN_GUARDED_BY(mutex_) = 1;
  Queues queues_ TERN_GUARDED_BY(mutex_);
  std::unordered_map<Id, std::unique_ptr<Open>> open_ TERN_GUARDED_BY(mutex_);
  std::set<Id> in_flight_ TERN_GUARDED_BY(mutex_);
  std::set<std::pair<std::int64_t, Id>> by_due_ TERN_GUARDED_BY(mutex_);  // stored, not taken
  std::map<std::int32_t, std::set<std::pair<std::int64_t, Id>>> by_revive_ TERN_GUARDED_BY(mutex_);
};

}  // namespace tern::broker
