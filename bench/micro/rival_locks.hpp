#pragma once
// Locks that the field names and that are no rows of the put table, to be measured beside those that are: mcs and clh
// (queues of waiters), delaySlots (retries in random slots of a growing window), pPersistent (retries with a
// probability that falls with each collision). docs/performance/locks.md has a verdict on each.

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "store/put/lock_words.hpp"
#include "store/put/locked_strategy.hpp"
#include "store/put/put_table.hpp"

namespace tern::store {

/// A queue of waiters, each spinning on its own node; handed over in order.
class McsLock final : public AppendLock {
 public:
  void lock() noexcept override TERN_ACQUIRE() {
    Node& mine = node();
    mine.next.store(nullptr, std::memory_order_relaxed);
    mine.waits.store(true, std::memory_order_relaxed);
    Node* const before = tail_.exchange(&mine, std::memory_order_acq_rel);
    if (before == nullptr) return;
    before->next.store(&mine, std::memory_order_release);
    for (int i = 0; mine.waits.load(std::memory_order_acquire); ++i) {
      spin_once();
      if (i % 1000 == 999) std::this_thread::yield();  // without it, nothing moves once threads outnumber processors
    }
  }
  void unlock() noexcept override TERN_RELEASE() {
    Node& mine = node();
    Node* next = mine.next.load(std::memory_order_acquire);
    if (next == nullptr) {
      Node* expected = &mine;
      if (tail_.compare_exchange_strong(expected, nullptr, std::memory_order_acq_rel)) return;
      while ((next = mine.next.load(std::memory_order_acquire)) == nullptr) spin_once();
    }
    next->waits.store(false, std::memory_order_release);
  }

 private:
  struct alignas(64) Node {
    std::atomic<Node*> next{nullptr};
    std::atomic<bool> waits{false};
  };
  static Node& node() noexcept {
    thread_local Node node;
    return node;
  }
  alignas(64) std::atomic<Node*> tail_{nullptr};
};

/// The same with the node of the one in front.
class ClhLock final : public AppendLock {
 public:
  void lock() noexcept override TERN_ACQUIRE() {
    auto*& mine = node();
    if (mine == nullptr) mine = new Node;  // nodes wander from thread to thread; a benchmark may leave them behind
    mine->is_taken.store(true, std::memory_order_relaxed);
    Node* const before = tail_.exchange(mine, std::memory_order_acq_rel);
    for (int i = 0; before->is_taken.load(std::memory_order_acquire); ++i) {
      spin_once();
      if (i % 1000 == 999) std::this_thread::yield();
    }
    held_ = mine;
    mine = before;
  }
  void unlock() noexcept override TERN_RELEASE() { held_->is_taken.store(false, std::memory_order_release); }

 private:
  struct alignas(64) Node {
    std::atomic<bool> is_taken{false};
  };
  static Node*& node() noexcept {
    thread_local Node* node = nullptr;
    return node;
  }
  alignas(64) std::atomic<Node*> tail_{new Node};
  Node* held_ = nullptr;  // the holder's
};

inline std::uint32_t random_bits() noexcept {
  thread_local std::uint32_t state = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(&state) >> 4) | 1;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

/// After the n-th collision, wait a random number of slots below 2^n, then try; beyond 2^10, yield as well.
class DelaySlotsLock final : public AppendLock {
 public:
  void lock() noexcept override TERN_ACQUIRE() {
    for (std::uint32_t window = 1; !word_.try_lock(); window = std::min(window * 2, 1024U)) {
      for (std::uint32_t slots = random_bits() % window + 1; slots > 0; --slots) spin_once();
      if (window == 1024) std::this_thread::yield();
    }
  }
  void unlock() noexcept override TERN_RELEASE() { word_.unlock(); }

 private:
  SpinWord word_;
};

/// Each spin tries with probability 1 / 2^collisions. The count grows with each collision and recovers at random; a
/// thousand spins without success yield.
class PPersistentLock final : public AppendLock {
 public:
  void lock() noexcept override TERN_ACQUIRE() {
    if (word_.try_lock()) return;
    std::uint32_t collisions = 1;
    for (int i = 1;; ++i) {
      spin_once();
      const auto drawn = random_bits();
      if ((drawn & ((1U << collisions) - 1)) == 0) {
        if (word_.try_lock()) return;
        collisions = std::min(collisions + 1, 8U);
      } else if (drawn >> 28 == 0 && collisions > 1) {
        --collisions;
      }
      if (i % 1000 == 0) std::this_thread::yield();
    }
  }
  void unlock() noexcept override TERN_RELEASE() { word_.unlock(); }

 private:
  SpinWord word_;
};

namespace rival_detail {

template <class Lock>
std::unique_ptr<AppendLock> make(const PutSettings&) {
  return std::make_unique<Lock>();
}

}  // namespace rival_detail

/// The rows of the put table, and these.
inline std::vector<PutRow> put_rows_and_rivals() {
  using rival_detail::make;
  std::vector<PutRow> rows(kPutStrategies.begin(), kPutStrategies.end());
  rows.push_back({"mcs", &locked<make<McsLock>>, &make<McsLock>, ""});
  rows.push_back({"clh", &locked<make<ClhLock>>, &make<ClhLock>, ""});
  rows.push_back({"delaySlots", &locked<make<DelaySlotsLock>>, &make<DelaySlotsLock>, ""});
  rows.push_back({"pPersistent", &locked<make<PPersistentLock>>, &make<PPersistentLock>, ""});
  return rows;
}

}  // namespace tern::store
