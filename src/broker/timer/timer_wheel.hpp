#pragma once
// The wheel: which slots of time have messages waiting. In memory only the slots that have some; on the disk Apache's
// file `timerwheel`, every slot of two weeks (with a precision of a second) in 32 bytes (docs/format/timer.md).

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "tern/base/result.hpp"
#include "tern/file/disk.hpp"

namespace tern::broker {

struct TimerSlot {
  std::int64_t first = -1;  // units in the timer log
  std::int64_t last = -1;
  std::int32_t count = 0;             // of messages, less those that cancel
  std::int64_t old_precision_ms = 0;  // other than 0: it is of that one, and its messages must be entered anew
  std::int64_t time = 0;              // as the file has it: milliseconds by the precision
};

/// Not thread-safe. Slots are named by their time in milliseconds, a multiple of the precision.
class TimerWheel {
 public:
  static constexpr std::int64_t kSlotSize = 32;
  static constexpr std::int64_t kPageSlots = 128;
  /// `slots`: that the file has.
  TimerWheel(std::int64_t slots, std::int64_t precision_ms) : slots_(slots), precision_ms_(precision_ms) {}

  /// No slot of another time has the same place in the file.
  [[nodiscard]] bool can_hold(std::int64_t slot_ms) const;
  [[nodiscard]] const TimerSlot* find(std::int64_t slot_ms) const;
  /// Adds a unit to a slot that can_hold().
  void add(std::int64_t slot_ms, std::int64_t unit, bool cancels);
  void set(std::int64_t slot_ms, const TimerSlot& slot);
  void clear(std::int64_t slot_ms);
  void clear_all();
  /// The slot to deliver first: a misplaced one, else the earliest. nullopt: nothing waits.
  [[nodiscard]] std::optional<std::int64_t> first() const;
  /// Of all slots.
  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] std::optional<std::int64_t> earliest() const;

  // ---- the file
  /// A slot as the file has it.
  struct Stored {
    std::int64_t slot_ms = 0;
    TimerSlot slot;
  };
  [[nodiscard]] std::int64_t file_size() const { return slots_ * kSlotSize; }
  /// The slots that have units. Slots that contradict themselves are left out, and counted.
  Result<std::vector<Stored>> read(file::File& file, std::int64_t& damaged) const;
  /// What has changed since the last call, as pages of the file, at most all of them.
  struct Page {
    std::int64_t position = 0;
    std::string bytes;
  };
  [[nodiscard]] std::vector<Page> take_changed();
  /// All of the file has to be written.
  void change_all();

 private:
  [[nodiscard]] std::int64_t index_of(std::int64_t slot_ms) const { return slot_ms / precision_ms_ % slots_; }

  const std::int64_t slots_;
  const std::int64_t precision_ms_;
  std::map<std::int64_t, TimerSlot> waiting_;
  std::unordered_map<std::int64_t, std::int64_t> by_index_;  // of waiting_
  std::set<std::int64_t> misplaced_;
  std::set<std::int64_t> changed_;  // pages
  std::int64_t count_ = 0;
};

}  // namespace tern::broker
