#pragma once
// Which strategy may append: the word by which putMessageLock changes while appends go on.

#include <atomic>

namespace tern::store {

class PutStrategy;

/// The rule, for any two strategies, whatever they are made of (docs/models/put_change.pml):
///   an appender    takes the lock of the strategy that it found here, and then looks here again: if it is another one
///                  by now, it lets go without having done anything, and goes to that one;
///   who changes it holds the lock of the strategy that has the tail, and has waited until all that was placed under it
///                  is published.
/// So the word does not change under anybody who has looked at it under a lock, two who have looked under different
/// locks cannot both have found their own, and the next owner begins where the last one ended. Whoever waits for the
/// lock of a former owner gets it in his turn, because those in front do nothing with it. Strategies live as long as
/// the log, since one of these may come at any time.
class TailOwner {
 public:
  /// Any thread. Acquire: pairs with the release in give_to(), so that whoever appends first under the new owner sees
  /// what was done under the old one. Without the lock the answer is a guess, to be looked at again.
  [[nodiscard]] PutStrategy* get() const noexcept { return owner_.load(std::memory_order_acquire); }
  /// Under the lock of `strategy`: then it stays so until that lock is let go.
  [[nodiscard]] bool is(const PutStrategy& strategy) const noexcept { return get() == &strategy; }
  /// Before the first append, or under the lock of the strategy that has it. Release: see get().
  void give_to(PutStrategy& strategy) noexcept { owner_.store(&strategy, std::memory_order_release); }

 private:
  // On a line of its own: read by each append, written when the setting changes.
  alignas(64) std::atomic<PutStrategy*> owner_{nullptr};
};

}  // namespace tern::store
