// The timer's files: what is written, when, and in which order.
#include <algorithm>

#include "tern/base/log.hpp"

#include "broker/timer/timers.hpp"

namespace tern::broker {
namespace {

constexpr std::int64_t kSaveRetryMs = 1000;
constexpr std::int64_t kCleanEveryMs = 30'000;

}  // namespace

// Only while nothing is on its way: then the queue offset, the wheel and the log are of one moment, and what has left
// the wheel is published.
void Timers::prepare_candidate(bool is_last) {
  const std::int64_t steady = parts_.clock.steady_ms();
  const MutexLock lock(mutex_);
  if (!is_last) {
    const bool is_time = steady >= next_save_ms_ || log_.unwritten() >= kUnwrittenMax / 2;
    if (candidate_ || is_saving_.load(std::memory_order_relaxed) || !has_changed_ || !is_time) return;
  }
  const std::int64_t now = parts_.clock.wall_ms();
  point_.read_ms = first_slot(now);
  point_.log_end = log_.end();
  point_.master_queue_offset = point_.queue_offset;
  metrics_.bump(now);
  candidate_ = Candidate{parts_.store.log().watermarks().published(), point_, wheel_.take_changed(),
                         protocol::write_json(metrics_.to_json())};
  has_changed_ = false;
  next_save_ms_ = steady + parts_.options.save_interval_ms.get();
}

bool Timers::begin_save() {
  if (is_saving_.load(std::memory_order_relaxed)) return false;
  const std::int64_t steady = parts_.clock.steady_ms();
  if (save_failed_.exchange(false, std::memory_order_relaxed)) save_retry_at_ms_ = steady + kSaveRetryMs;
  if (steady < save_retry_at_ms_) return false;
  const MutexLock lock(mutex_);
  if (!candidate_ || candidate_->durable_at > parts_.store.log().watermarks().durable()) return false;
  is_saving_.store(true, std::memory_order_relaxed);
  return true;
}

Status Timers::save() {
  std::optional<Candidate> candidate;
  {
    const MutexLock lock(mutex_);
    candidate = std::exchange(candidate_, std::nullopt);
  }
  const auto status = candidate ? write(*candidate) : Status{};
  if (!status) {
    const MutexLock lock(mutex_);
    candidate_ = std::move(candidate);
    save_failed_.store(true, std::memory_order_relaxed);
  }
  is_saving_.store(false, std::memory_order_relaxed);
  return status;
}

// Units before the slots that lead to them, all before the checkpoint that says so. A failure leaves the files as they
// are after a crash at that point, and the candidate is written again, whole.
Status Timers::write(const Candidate& candidate) {
  if (const auto status = log_.write(candidate.checkpoint.log_end); !status) return status;
  if (const auto status = write_pages(candidate.pages); !status) return status;
  if (const auto status = metrics_file_.save(candidate.metrics); !status) return status;
  if (const auto status = checkpoint_file_.save(candidate.checkpoint.encode()); !status) return status;
  if (const std::int64_t steady = parts_.clock.steady_ms(); steady >= next_clean_ms_) {
    next_clean_ms_ = steady + kCleanEveryMs;
    if (const auto status = log_.remove_before(parts_.store.min_position().value); !status)
      log_warning("the oldest file of the timer log cannot be removed: {}", status.error().text());
  }
  return {};
}

Status Timers::write_pages(const std::vector<TimerWheel::Page>& pages) {
  if (pages.empty()) return {};
  if (!wheel_file_) {
    const auto exists = parts_.disk.exists(wheel_path_);
    if (!exists) return exists.error();
    if (!*exists) {  // it appears with its whole length
      const auto temporary = wheel_path_ + ".tmp";
      const auto made = parts_.disk.open(temporary, file::OpenMode::kCreate);
      if (!made) return made.error();
      if (const auto status = (*made)->resize(2 * parts_.options.slots_total * TimerWheel::kSlotSize); !status)
        return status;
      if (const auto status = (*made)->sync(); !status) return status;
      if (const auto status = parts_.disk.rename(temporary, wheel_path_); !status) return status;
      if (const auto status = parts_.disk.sync_directory(parts_.root); !status) return status;
    }
    auto opened = parts_.disk.open(wheel_path_, file::OpenMode::kReadWrite);
    if (!opened) return opened.error();
    wheel_file_ = std::move(*opened);
  }
  for (const auto& page : pages) {
    if (const auto status = wheel_file_->write(page.position, std::as_bytes(std::span(page.bytes))); !status)
      return status;
  }
  return wheel_file_->sync();
}

Status Timers::save_all() {
  if (!parts_.options.is_enabled) return {};
  // What was prepared before goes first: its pages are not in the next one.
  if (begin_save()) {
    if (const auto status = save(); !status) return status;
  }
  {
    const MutexLock lock(mutex_);
    if (candidate_) return {};  // the log could not be closed whole: what was saved before stays
    if (work_ && work_->has_begun) put_back_work();
    if (group_) {
      for (const auto& item : group_->items) {
        if (!item.is_settled) put_back(item.due);
      }
    }
    for (const auto& due : late_) put_back(due);
    group_.reset();
    late_.clear();
    work_.reset();
    end_log();
  }
  prepare_candidate(true);
  save_retry_at_ms_ = 0;
  return begin_save() ? save() : Status{};
}

// Of the slots from which anything may still have to be delivered.
std::int64_t Timers::first_slot(std::int64_t now) const {
  return std::min(floor_ms(now), wheel_.earliest().value_or(INT64_MAX));
}

// Apache's broker goes on behind the message of the log's last unit. If that is not the last that was entered, one
// more unit says so, in a slot that nobody looks at any more.
void Timers::end_log() {
  if (last_entered_.position < 0 || log_.begin() == log_.end()) return;
  const bool is_last = log_.end() == last_unit_end_ && last_entered_.has_unit;
  if (is_last) return;
  TimerUnit unit;
  unit.write_ms = first_slot(parts_.clock.wall_ms()) - precision_ms_;
  unit.position = last_entered_.position;
  unit.size = last_entered_.size;
  log_.append(unit);
}

// Into a slot that is due, which whoever comes next delivers first.
void Timers::put_back(const Due& due) {
  std::int64_t slot_ms = floor_ms(parts_.clock.wall_ms()) - precision_ms_;
  while (!wheel_.can_hold(slot_ms)) slot_ms -= precision_ms_;
  const auto* const slot = wheel_.find(slot_ms);
  TimerUnit unit;
  unit.previous = slot != nullptr ? slot->last : -1;
  unit.magic |= due.rolls ? TimerUnit::kRoll : 0;
  unit.write_ms = slot_ms;
  unit.position = due.position;
  unit.size = due.size;
  unit.topic_hash = 0;
  wheel_.add(slot_ms, log_.append(unit), false);
  if (!due.topic.empty()) metrics_.add(due.topic, 1, parts_.clock.wall_ms());
}

// Of a slot that was handed over in part only the rest stays, as a chain of its own.
void Timers::put_back_work() {
  const std::int64_t slot_ms = work_->slot_ms;
  auto units = work_->units;
  std::reverse(units.begin(), units.end());
  units.insert(units.begin(), work_->cancels.begin(), work_->cancels.end());
  const auto before = *wheel_.find(slot_ms);
  wheel_.clear(slot_ms);
  TimerSlot slot = before;
  slot.first = slot.last = -1;
  slot.count = 0;
  for (const auto at : units) {
    auto unit = log_.read(at);
    if (!unit) continue;  // collect_due() would have said so and gone on
    unit->previous = slot.last;
    slot.last = log_.append(*unit);
    if (slot.first < 0) slot.first = slot.last;
    slot.count += unit->cancels() ? -1 : 1;
  }
  if (slot.last >= 0) wheel_.set(slot_ms, slot);
}

}  // namespace tern::broker
