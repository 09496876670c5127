#include "broker/timer/timer_wheel.hpp"

#include <algorithm>

#include "tern/base/byte_order.hpp"
#include "tern/base/check.hpp"

namespace tern::broker {

bool TimerWheel::can_hold(std::int64_t slot_ms) const {
  const auto found = by_index_.find(index_of(slot_ms));
  return found == by_index_.end() || found->second == slot_ms;
}

const TimerSlot* TimerWheel::find(std::int64_t slot_ms) const {
  const auto found = waiting_.find(slot_ms);
  return found == waiting_.end() ? nullptr : &found->second;
}

void TimerWheel::add(std::int64_t slot_ms, std::int64_t unit, bool cancels) {
  const auto* const before = find(slot_ms);
  TimerSlot slot = before != nullptr ? *before : TimerSlot{};
  if (before == nullptr) {
    slot.first = unit;
    slot.time = slot_ms / precision_ms_;
  }
  slot.last = unit;
  slot.count += cancels ? -1 : 1;
  set(slot_ms, slot);
}

void TimerWheel::set(std::int64_t slot_ms, const TimerSlot& slot) {
  const auto [by_index, is_free] = by_index_.emplace(slot.time % slots_, slot_ms);
  TERN_CHECK(is_free || by_index->second == slot_ms, "slot {} has the place of slot {}", slot_ms, by_index->second);
  auto& now = waiting_[slot_ms];
  count_ += slot.count - now.count;
  now = slot;
  if (slot.old_precision_ms != 0) misplaced_.insert(slot_ms);
  changed_.insert(slot.time % slots_ / kPageSlots);
}

void TimerWheel::clear(std::int64_t slot_ms) {
  const auto found = waiting_.find(slot_ms);
  if (found == waiting_.end()) return;
  count_ -= found->second.count;
  by_index_.erase(found->second.time % slots_);
  changed_.insert(found->second.time % slots_ / kPageSlots);
  misplaced_.erase(slot_ms);
  waiting_.erase(found);
}

void TimerWheel::clear_all() {
  waiting_.clear();
  by_index_.clear();
  misplaced_.clear();
  count_ = 0;
  change_all();
}

std::optional<std::int64_t> TimerWheel::first() const {
  return misplaced_.empty() ? earliest() : std::optional(*misplaced_.begin());
}

std::optional<std::int64_t> TimerWheel::earliest() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.begin()->first;
}

Result<std::vector<TimerWheel::Stored>> TimerWheel::read(file::File& file, std::int64_t& damaged) const {
  std::vector<Stored> stored;
  const std::int64_t chunk_slots = kPageSlots * 256;
  std::string bytes;
  for (std::int64_t begin = 0; begin < slots_; begin += chunk_slots) {
    const std::int64_t count = std::min(chunk_slots, slots_ - begin);
    bytes.resize(static_cast<std::size_t>(count * kSlotSize));
    const auto status = file.read(begin * kSlotSize, std::as_writable_bytes(std::span(bytes)));
    if (!status) return status.error();
    for (std::int64_t i = 0; i < count; ++i) {
      const char* const at = bytes.data() + i * kSlotSize;
      const auto time = load_be<std::int64_t>(at);
      Stored one;
      one.slot.first = load_be<std::int64_t>(at + 8);
      one.slot.last = load_be<std::int64_t>(at + 16);
      one.slot.count = load_be<std::int32_t>(at + 24);
      if (time == 0 || one.slot.last < 0) continue;
      if (time < 0 || time > INT64_MAX / precision_ms_ / 2 || time % slots_ != begin + i) {
        ++damaged;
        continue;
      }
      one.slot.time = time;
      one.slot_ms = time * precision_ms_;
      stored.push_back(one);
    }
  }
  return stored;
}

std::vector<TimerWheel::Page> TimerWheel::take_changed() {
  std::vector<Page> pages;
  pages.reserve(changed_.size());
  for (const auto number : changed_) {
    Page page;
    page.position = number * kPageSlots * kSlotSize;
    const std::int64_t end = std::min((number + 1) * kPageSlots, slots_);
    for (std::int64_t index = number * kPageSlots; index < end; ++index) {
      const auto found = by_index_.find(index);
      if (found == by_index_.end()) {
        page.bytes.append(kSlotSize, '\0');
        continue;
      }
      const auto& slot = waiting_.at(found->second);
      append_be(page.bytes, slot.time);
      append_be(page.bytes, slot.first);
      append_be(page.bytes, slot.last);
      append_be(page.bytes, slot.count);
      append_be(page.bytes, std::int32_t{0});
    }
    pages.push_back(std::move(page));
  }
  changed_.clear();
  return pages;
}

void TimerWheel::change_all() {
  for (std::int64_t page = 0; page * kPageSlots < slots_; ++page) changed_.insert(page);
}

}  // namespace tern::broker
