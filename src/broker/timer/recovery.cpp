// How the timer continues after a stop or a crash, its own or that of an Apache broker.
//
// The checkpoint says which messages have been entered (queue_offset) and up to where the wheel's file covers the log
// (log_end). Our own saves leave nothing to do between the two. Apache's broker saves log_end one flush late: units
// behind it whose messages are below queue_offset count, and are entered into the wheel again. All other units behind
// it go, for their messages are entered again from the queue.
#include <algorithm>
#include <array>

#include "tern/base/log.hpp"

#include "broker/metadata_table.hpp"
#include "broker/timer/timers.hpp"

namespace tern::broker {
namespace {

constexpr std::int64_t kPrecisionMax = 1000;  // what timerPrecisionMs can be

}  // namespace

std::optional<std::string> Timers::load() {
  if (!parts_.options.is_enabled) return std::nullopt;
  if (auto problem = load_checkpoint()) return problem;
  auto problem = load_table(metrics_file_, "timingCount", false, [&](const protocol::Json* json) {
    const MutexLock lock(mutex_);
    if (json != nullptr) metrics_.from_json(*json);
  });
  if (problem) return problem;
  if (auto wrong = log_.open()) return wrong;
  const MutexLock lock(mutex_);
  if (auto wrong = load_wheel()) return wrong;
  if (const auto queue = parts_.store.find_queue(kTimerTopic, kTimerQueueId)) {
    std::array<store::QueueEntry, 1> entry;
    const auto got = queue->read({point_.queue_offset - 1}, entry, false);
    if (got && *got == 1) last_entered_ = {entry[0].position.value, entry[0].size, true};
  }
  last_unit_end_ = log_.end();
  return std::nullopt;
}

std::optional<std::string> Timers::load_checkpoint() {
  const auto loaded = checkpoint_file_.load([](std::string_view content) -> std::optional<std::string> {
    std::string why;
    if (TimerCheckpoint::decode(content, why)) return std::nullopt;
    return why;
  });
  if (!loaded) return loaded.error().text;
  const MutexLock lock(mutex_);
  const auto queue = parts_.store.find_queue(kTimerTopic, kTimerQueueId);
  const std::int64_t end = queue ? queue->bounds().max.value : 0;
  point_.precision_ms = precision_ms_;
  const auto warn_if_forgotten = [&](std::string_view what) {
    if (end == 0) return;
    log_warning("{} {}: all messages of {} are entered again, and those that were delivered come again",
                checkpoint_file_.path(), what, kTimerTopic);
  };
  if (!*loaded) {
    warn_if_forgotten("is missing");
    return std::nullopt;
  }
  if ((*loaded)->from_backup) log_warning("{}: {}; its backup is used", checkpoint_file_.path(), (*loaded)->why_backup);
  std::string never;
  point_ = *TimerCheckpoint::decode((*loaded)->content, never);
  // So does Apache's broker leave it that was killed before its first save.
  if (point_.read_ms == 0 && point_.queue_offset == 0) warn_if_forgotten("holds zeros");
  point_.queue_offset = std::min(point_.queue_offset, point_.master_queue_offset);
  if (point_.precision_ms > precision_ms_) {
    old_end_ = end;
    old_precision_ms_ = point_.precision_ms;
  }
  point_.precision_ms = precision_ms_;
  if (point_.queue_offset > end) {
    log_warning("timer: the saved offset {} is beyond the end {} of {} and set to it", point_.queue_offset, end,
                kTimerTopic);
    point_.queue_offset = end;
  }
  return std::nullopt;
}

std::optional<std::string> Timers::load_wheel() {
  const auto exists = parts_.disk.exists(wheel_path_);
  if (!exists) return fmt::format("{}: {}", wheel_path_, exists.error().text());
  const bool has_log = log_.begin() < log_.files_end();
  if (!*exists && !has_log && point_.log_end == 0) return std::nullopt;
  if (!*exists) return rebuild("the wheel's file is missing");
  if (point_.log_end > log_.files_end()) return rebuild("the timer log ends before the checkpoint says");
  const auto file = parts_.disk.open(wheel_path_, file::OpenMode::kRead);
  const auto size = file ? (*file)->size() : Result<std::int64_t>(file.error());
  if (!size) return fmt::format("{}: {}", wheel_path_, size.error().text());
  if (*size != wheel_.file_size()) {
    return fmt::format("{}: has {} bytes instead of {}: it is no timer wheel", wheel_path_, *size, wheel_.file_size());
  }
  std::int64_t damaged = 0;
  auto stored = wheel_.read(**file, damaged);
  if (!stored) return fmt::format("{}: {}", wheel_path_, stored.error().text());
  if (damaged > 0) return rebuild(fmt::format("{} slots of the wheel contradict themselves", damaged));
  if (!has_log) {
    if (stored->empty()) return std::nullopt;
    return rebuild("the timer log is missing");
  }
  const std::int64_t end = follow_log();
  if (auto problem = take_slots(std::move(*stored), end)) return rebuild(*problem);
  if (const auto status = log_.cut(end); !status) return fmt::format("timerlog: {}", status.error().text());
  point_.log_end = end;
  return std::nullopt;
}

// Where the units end whose messages are below queue_offset. A unit that has no place in the wheel as it is now ends
// them too: its message is entered again.
std::int64_t Timers::follow_log() {
  std::int64_t end = std::max(point_.log_end, log_.begin());
  for (;;) {
    const std::int64_t at = log_.next_unit(end);
    if (at < 0) return end;
    const auto unit = log_.read(at);
    const auto record = parts_.store.record_at({unit->position});
    const auto timed = record ? parse_timer_message(std::as_bytes(std::span(*record))) : std::nullopt;
    if (!timed || timed->record.queue_offset >= point_.queue_offset) return end;
    if (unit->slot_ms() % precision_ms_ != 0) {
      point_.queue_offset = timed->record.queue_offset;
      return end;
    }
    end = at + TimerUnit::kSize;
  }
}

// The text says what is wrong with them.
std::optional<std::string> Timers::take_slots(std::vector<TimerWheel::Stored> stored, std::int64_t end) {
  // Of which precision the file is, its newest slot says; slots that were delivered need no look then.
  const auto newest = std::max_element(stored.begin(), stored.end(), [end](const auto& a, const auto& b) {
    return std::pair(a.slot.last < end, a.slot.last) < std::pair(b.slot.last < end, b.slot.last);
  });
  const auto newest_unit = newest != stored.end() ? log_.read(newest->slot.last) : Result<TimerUnit>(Error{});
  const bool is_of_precision = newest_unit && newest_unit->slot_ms() == newest->slot_ms;
  for (auto& [slot_ms, slot] : stored) {
    if (is_of_precision && slot_ms < point_.read_ms) continue;
    const bool is_ahead = slot.last >= end;
    std::optional<TimerUnit> unit;
    while (slot.last >= log_.begin()) {
      const auto found = log_.read(slot.last);
      if (!found) return fmt::format("no unit stands at {} of the timer log", slot.last);
      if (slot.last < end) {
        unit = *found;
        break;
      }
      slot.last = found->previous;
      slot.count -= found->cancels() ? -1 : 1;
    }
    const std::int64_t due_ms = unit ? unit->slot_ms() : slot_ms;
    if (unit && due_ms < point_.read_ms) continue;
    if (wheel_.find(due_ms) != nullptr) return fmt::format("two slots of the wheel are both of {}", due_ms);
    if (due_ms != slot_ms) {
      slot.old_precision_ms = due_ms / slot.time;
      if (slot.old_precision_ms <= 0 || slot.old_precision_ms > kPrecisionMax || due_ms % slot.time != 0)
        return fmt::format("slot {} of the wheel leads to a unit of {}", slot_ms, due_ms);
    }
    if (unit || is_ahead) wheel_.set(due_ms, slot);
    if (!unit) wheel_.clear(due_ms);
  }
  for (std::int64_t at = std::max(point_.log_end, log_.begin()); at < end; at += TimerUnit::kSize) {
    at = log_.next_unit(at);
    const auto unit = log_.read(at);
    if (!unit) return fmt::format("no unit stands at {} of the timer log", at);
    const std::int64_t slot_ms = unit->slot_ms();
    const auto* const slot = wheel_.find(slot_ms);
    if (slot_ms < point_.read_ms || (slot != nullptr && slot->last >= at)) continue;
    if (!wheel_.can_hold(slot_ms)) return fmt::format("two times have the place of slot {}", slot_ms);
    wheel_.add(slot_ms, at, unit->cancels());
  }
  return std::nullopt;
}

std::optional<std::string> Timers::rebuild(std::string_view why) {
  log_warning(
      "timer: {}; the wheel is built anew from {}. Messages with a longer delay than timerRollWindowSlot may "
      "come twice",
      why, kTimerTopic);
  wheel_.clear_all();
  metrics_ = {};
  if (const auto status = log_.restart(); !status) return fmt::format("timerlog: {}", status.error().text());
  rebuild_end_ = point_.queue_offset;
  rebuild_read_ms_ = point_.read_ms;
  point_.queue_offset = 0;
  point_.log_end = 0;
  has_changed_ = true;
  return std::nullopt;
}

}  // namespace tern::broker
