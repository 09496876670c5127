// Messages of the timer topic into the wheel.
#include <algorithm>
#include <array>

#include "tern/base/java_hash.hpp"
#include "tern/base/log.hpp"

#include "broker/timer/timers.hpp"

namespace tern::broker {

bool Timers::enter(std::int64_t now) {
  if (parts_.options.stops_enqueue.get()) return false;
  const auto queue = parts_.store.find_queue(kTimerTopic, kTimerQueueId);
  if (!queue) return false;
  const auto bounds = queue->bounds();
  std::int64_t offset = 0;
  {
    const MutexLock lock(mutex_);
    if (point_.queue_offset < bounds.min.value) {
      if (point_.queue_offset > 0)
        log_warning("timer: messages {} to {} of {} have left the log before they were entered", point_.queue_offset,
                    bounds.min.value, kTimerTopic);
      point_.queue_offset = bounds.min.value;
    }
    offset = point_.queue_offset;
  }
  std::size_t bytes = 0;
  for (int looked = 0; offset < bounds.max.value; ++looked, ++offset) {
    // Units wait for the log to be durable: a save makes room.
    if (looked == kLookMax || bytes >= kLookBytesMax || late_.size() >= kGroupMax || log_.unwritten() >= kUnwrittenMax)
      return true;
    std::array<store::QueueEntry, 1> entry;
    const auto got = queue->read({offset}, entry, false);
    if (!got || *got != 1) {
      log_warning("timer: queue entry {} cannot be read: {}", offset, got ? "it is not there" : got.error().text());
      retry_later();
      return true;
    }
    const auto record = parts_.store.record_of(*queue, {offset}, entry[0]);
    if (!record && record.error().code != store::Errc::kNotFound) {
      log_warning("timer: the message at {} cannot be read: {}", entry[0].position, record.error().text());
      retry_later();
      return true;
    }
    const auto timed = record ? parse_timer_message(std::as_bytes(std::span(*record))) : std::nullopt;
    const bool is_sound = timed && timed->has_time() && (!timed->cancels.empty() || timed->can_be_delivered());
    if (record && !is_sound)
      log_warning("timer: the message at {} names no time or no topic to go to, and is passed over", entry[0].position);
    const std::int64_t log_end = log_.end();
    if (is_sound && !enter_one(*timed, offset, now)) return true;
    bytes += record ? record->size() : 0;
    last_entered_ = {entry[0].position.value, entry[0].size, log_.end() != log_end};
    if (last_entered_.has_unit) last_unit_end_ = log_.end();
    const MutexLock lock(mutex_);
    point_.queue_offset = offset + 1;
    has_changed_ = true;
  }
  return false;
}

bool Timers::enter_one(const TimerMessage& timed, std::int64_t offset, std::int64_t now) {
  const bool is_cancel = !timed.cancels.empty();
  if (offset < rebuild_end_ && *timed.out_ms < rebuild_read_ms_) return true;
  const bool is_old = offset < old_end_ && *timed.out_ms % precision_ms_ == 0;
  if (is_old || now >= timer_due_ms(*timed.out_ms, precision_ms_)) {
    if (is_cancel && !is_old) return true;  // what it cancels is over
    late_.push_back({timed.record.physical_offset, timed.record.total_size, INT64_MAX, is_old, false,
                     std::string(timed.topic), is_old ? old_precision_ms_ : 0});
    return true;
  }
  const MutexLock lock(mutex_);
  bool rolls = false;
  const auto slot_ms = place(timer_slot(timer_due_ms(*timed.out_ms, precision_ms_), precision_ms_), now, rolls);
  if (!slot_ms) return false;
  const auto* const slot = wheel_.find(*slot_ms);
  TimerUnit unit;
  unit.previous = slot != nullptr ? slot->last : -1;
  unit.magic |= rolls ? TimerUnit::kRoll : 0;
  unit.magic |= is_cancel ? TimerUnit::kCancel : 0;
  unit.write_ms = std::min(floor_ms(now), *slot_ms);
  unit.delay_ms = static_cast<std::int32_t>(*slot_ms - unit.write_ms);
  unit.position = timed.record.physical_offset;
  unit.size = timed.record.total_size;
  unit.topic_hash = java_hash(timed.topic);
  wheel_.add(*slot_ms, log_.append(unit), is_cancel);
  if (!is_cancel) metrics_.add(timed.topic, 1, now);
  entered_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

std::optional<std::int64_t> Timers::place(std::int64_t slot_ms, std::int64_t now, bool& rolls) const {
  const std::int64_t write_ms = floor_ms(now);
  if (slot_ms - write_ms >= window_ms_) {
    rolls = true;
    // What is left behind the window must not be too little for the next round.
    const std::int64_t beyond = slot_ms - write_ms - window_ms_;
    slot_ms = write_ms + floor_ms(beyond < window_ms_ / 3 ? window_ms_ / 2 : window_ms_);
  }
  for (int tried = 0; tried < kPlaceMax && slot_ms >= write_ms; ++tried, slot_ms -= precision_ms_) {
    const bool is_in_work = work_ && work_->slot_ms == slot_ms;
    if (!is_in_work && wheel_.can_hold(slot_ms)) return slot_ms;
    rolls = true;
  }
  return std::nullopt;  // a moment later it is due, and needs no slot
}

}  // namespace tern::broker
