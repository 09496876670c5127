#pragma once
// What was acknowledged, and whether it is there: four bytes per message, so that a minute at a million a second fits.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tern::cli {

/// The acknowledged messages of one run, by queue and queue offset. From one thread.
class Accounts {
 public:
  /// `first_offsets`: where each queue of the topic ended before the run. Messages are numbered from 0.
  explicit Accounts(std::vector<std::int64_t> first_offsets);

  /// Message `number` and the `count - 1` behind it were said to stand at `offset` and behind it.
  void acknowledge(std::int64_t queue, std::int64_t offset, std::uint64_t number, int count);

  /// Read back: message `number` stands there. For each queue in the order of offsets, from first_offset() on; what is
  /// of another run is not given.
  void found(std::int64_t queue, std::int64_t offset, std::uint64_t number);

  struct Findings {
    std::int64_t acknowledged = 0;
    std::int64_t acknowledged_twice = 0;  // one place promised to two messages, or a place that cannot be
    std::int64_t confirmed = 0;           // acknowledged and found where it was said to be
    std::int64_t missing = 0;             // acknowledged and not found there
    std::int64_t displaced = 0;           // another message stands where one was acknowledged
    std::int64_t unacknowledged = 0;      // stored, though no acknowledgement came: allowed
    [[nodiscard]] bool are_good() const { return acknowledged_twice == 0 && missing == 0 && displaced == 0; }
  };
  /// `missing` counts once everything has been read back.
  [[nodiscard]] Findings findings() const;
  [[nodiscard]] std::size_t queues() const { return queues_.size(); }
  [[nodiscard]] std::int64_t first_offset(std::size_t queue) const { return queues_[queue].first; }
  /// One behind the last offset that was acknowledged.
  [[nodiscard]] std::int64_t end_offset(std::size_t queue) const;

 private:
  // Numbers are kept in 31 bits plus one, which is enough to tell messages of one queue and run apart.
  static constexpr std::uint32_t kNumberMask = 0x7FFF'FFFF;
  static constexpr std::uint32_t kFound = 0x8000'0000;
  struct Queue {
    std::int64_t first = 0;
    std::vector<std::uint32_t> numbers;  // at offset - first: 1 + number, or 0; kFound on top
  };

  std::vector<Queue> queues_;
  Findings counts_;
};

}  // namespace tern::cli
