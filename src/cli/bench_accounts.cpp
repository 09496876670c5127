#include "cli/bench_accounts.hpp"

#include <algorithm>
#include <utility>

namespace tern::cli {
namespace {

constexpr std::int64_t kAheadMax = std::int64_t{1} << 32;  // an offset beyond is no offset: 16 GiB of notes

// 1 + number, never 0 in 31 bits.
std::uint32_t noted(std::uint64_t number, std::uint32_t mask) {
  return static_cast<std::uint32_t>(number % mask) + 1;
}

}  // namespace

Accounts::Accounts(std::vector<std::int64_t> first_offsets) {
  for (const auto first : first_offsets) queues_.push_back({first, {}});
}

void Accounts::acknowledge(std::int64_t queue, std::int64_t offset, std::uint64_t number, int count) {
  counts_.acknowledged += count;
  const bool is_known = queue >= 0 && static_cast<std::size_t>(queue) < queues_.size();
  const std::int64_t at = is_known ? offset - queues_[static_cast<std::size_t>(queue)].first : -1;
  if (at < 0 || at > kAheadMax) {
    counts_.acknowledged_twice += count;
    return;
  }
  auto& numbers = queues_[static_cast<std::size_t>(queue)].numbers;
  const auto end = static_cast<std::size_t>(at + count);
  if (numbers.size() < end) {
    if (numbers.capacity() < end) numbers.reserve(std::max(end, 2 * numbers.capacity()));
    numbers.resize(end);
  }
  for (auto i = static_cast<std::size_t>(at); i < end; ++i, ++number) {
    if (numbers[i] != 0) ++counts_.acknowledged_twice;
    numbers[i] = noted(number, kNumberMask);
  }
}

void Accounts::found(std::int64_t queue, std::int64_t offset, std::uint64_t number) {
  auto& [first, numbers] = queues_[static_cast<std::size_t>(queue)];
  const std::int64_t at = offset - first;
  if (at < 0 || at >= static_cast<std::int64_t>(numbers.size()) || numbers[static_cast<std::size_t>(at)] == 0) {
    ++counts_.unacknowledged;
    return;
  }
  auto& note = numbers[static_cast<std::size_t>(at)];
  if (note != noted(number, kNumberMask)) {
    ++counts_.displaced;
  } else {
    note |= kFound;
    ++counts_.confirmed;
  }
}

Accounts::Findings Accounts::findings() const {
  Findings findings = counts_;
  for (const auto& queue : queues_) {
    findings.missing += std::count_if(queue.numbers.begin(), queue.numbers.end(),
                                      [](std::uint32_t note) { return note != 0 && (note & kFound) == 0; });
  }
  return findings;
}

std::int64_t Accounts::end_offset(std::size_t queue) const {
  return queues_[queue].first + static_cast<std::int64_t>(queues_[queue].numbers.size());
}

}  // namespace tern::cli
