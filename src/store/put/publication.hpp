#pragma once
// Publication in log order by whoever completes the prefix, without waiting.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "tern/base/preemption.hpp"
#include "tern/store/types.hpp"

namespace tern::store {

/// A ring of appends that have been placed, in log order: each has a ticket. Tickets are drawn by one thread at a time
/// (who holds the placement lock); everything else is for any thread, and waits for nobody: an append that is done
/// marks its slot and goes through the prefix of done slots, publishing each. If one in front is not done yet, its
/// thread will find the mark.
///
/// Model: docs/models/reserve.pml. `done` and `next` are sequentially consistent because the protocol is "store mine,
/// then load the one in front" on one side and "store mine, then load the one behind" on the other.
template <std::size_t kSlots>
class Publication {
 public:
  /// By the holder of the placement lock. False: so many appends are under way that the ring is full.
  [[nodiscard]] bool has_room() const noexcept { return drawn() - next() < kSlots; }
  std::uint64_t draw() noexcept {
    const auto ticket = drawn_.load(std::memory_order_relaxed);
    drawn_.store(ticket + 1, std::memory_order_relaxed);
    return ticket;
  }
  /// What has been drawn so far (relaxed: the placement lock orders it), and the first ticket that is not known to be
  /// published.
  [[nodiscard]] std::uint64_t drawn() const noexcept { return drawn_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t next() const noexcept { return next_.load(std::memory_order_seq_cst); }

  /// The append with this ticket has copied everything; its last byte is before `end`. Publishes what can be published,
  /// by calling publish(position) with growing positions, which must take the largest of what it is given by all
  /// threads. Returns whether this call passed a ticket of somebody else.
  template <class Publish>
  bool finish(std::uint64_t ticket, LogPosition end, Publish publish) noexcept {
    auto& mine = slots_[ticket % kSlots];
    mine.end.store(end.value, std::memory_order_release);  // with the acquire in advance()
    preemption_point();
    mine.done.store(ticket + 1, std::memory_order_seq_cst);
    preemption_point();
    return advance(ticket, publish);
  }

 private:
  struct Slot {
    std::atomic<std::uint64_t> done{0};  // the ticket that is done, plus 1
    std::atomic<std::int64_t> end{0};
  };

  template <class Publish>
  bool advance(std::uint64_t own, Publish publish) noexcept {
    bool passed_others = false;
    for (;;) {
      auto ticket = next_.load(std::memory_order_seq_cst);
      auto& slot = slots_[ticket % kSlots];
      const auto done = slot.done.load(std::memory_order_seq_cst);
      if (done != ticket + 1) {
        if (done < ticket + 1) return passed_others;
        continue;  // used again meanwhile: next has moved
      }
      preemption_point();
      const LogPosition end{slot.end.load(std::memory_order_acquire)};
      // Unmoved, the slot was still this ticket's when `end` was read. Published before next moves: whoever is stopped
      // in between keeps nothing from the others, they do the same step.
      if (next_.load(std::memory_order_seq_cst) != ticket) continue;
      publish(end);
      preemption_point();
      if (next_.compare_exchange_strong(ticket, ticket + 1, std::memory_order_seq_cst) && ticket != own)
        passed_others = true;
    }
  }

  alignas(64) std::atomic<std::uint64_t> drawn_{0};
  alignas(64) std::atomic<std::uint64_t> next_{0};
  alignas(64) std::array<Slot, kSlots> slots_;
};

}  // namespace tern::store
