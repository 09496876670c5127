#pragma once
// What the locks are made of: a word that is taken, and numbers that only its holder writes.

#include <atomic>
#include <cstdint>
#include <linux/futex.h>
#include <memory>
#include <sys/syscall.h>
#include <unistd.h>

#include "tern/base/preemption.hpp"
#include "tern/store/put_strategy.hpp"

#include "store/put/spin.hpp"

namespace tern::store {

/// Taken or free. Waiters look before they try, so that they share the line until it changes.
class SpinWord {
 public:
  /// Acquire: pairs with the release in unlock(), so that what the last holder did is seen.
  bool try_lock() noexcept {
    if (is_taken_.load(std::memory_order_relaxed)) return false;
    preemption_point();
    return !is_taken_.exchange(true, std::memory_order_acquire);
  }
  /// Release: pairs with the acquire in try_lock().
  void unlock() noexcept { is_taken_.store(false, std::memory_order_release); }

 private:
  alignas(64) std::atomic<bool> is_taken_{false};
};

/// Free, taken, or taken and *awaited*: somebody sleeps, or is about to. Spinning and sleeping waiters may mix:
/// exclusion rests on this word alone, never on how a waiter waits (docs/models/abs_lock.pml).
///
/// No wake-up is lost: a thread sleeps only while the word is kAwaited, which it stored itself or found; whoever takes
/// the word out of kAwaited is the holder that frees it, and that one wakes a sleeper. The woken one may be overtaken.
/// It keeps the duty towards those who still sleep by taking the word as kAwaited from then on, whether or not there
/// are any.
class ParkingWord {
 public:
  enum class Taken : int { kPlain = 1, kAwaited = 2 };

  /// Acquire: pairs with the release in unlock().
  bool try_lock(Taken as) noexcept {
    int seen = kFree;
    if (word_.load(std::memory_order_relaxed) != kFree) return false;
    preemption_point();
    return word_.compare_exchange_strong(seen, static_cast<int>(as), std::memory_order_acquire,
                                         std::memory_order_relaxed);
  }
  /// One more try, then sleep until the word has been freed by somebody (or for no reason). True: taken, as kAwaited.
  /// The acquire pairs with the release in unlock(); the sleep itself compares the word with kAwaited once more.
  bool lock_or_sleep() noexcept {
    if (word_.exchange(kAwaited, std::memory_order_acquire) == kFree) return true;
    preemption_point();
    // Not atomic::wait(), which yields several times before it sleeps: that is another lock.
    futex(FUTEX_WAIT_PRIVATE, kAwaited);
    return false;
  }
  /// Release: pairs with the acquire of whoever takes the word next.
  void unlock() noexcept {
    if (word_.exchange(kFree, std::memory_order_release) != kAwaited) return;
    preemption_point();
    futex(FUTEX_WAKE_PRIVATE, 1);
  }

 private:
  static constexpr int kFree = 0;
  static constexpr int kAwaited = static_cast<int>(Taken::kAwaited);
  // Interrupted, or not asleep because the word has changed: the caller looks again in any case.
  void futex(int operation, int value) noexcept {
    ::syscall(SYS_futex, std::addressof(word_), operation, value, nullptr);
  }

  alignas(64) std::atomic<int> word_{kFree};
  static_assert(sizeof(std::atomic<int>) == 4 && std::atomic<int>::is_always_lock_free);  // what futex(2) asks for
};

/// A number that the holder of a lock counts up and others read for people. Relaxed: it stands for nothing else.
class HolderCount {
 public:
  void add(std::int64_t count) noexcept { value_.store(get() + count, std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

}  // namespace tern::store
