#include "broker/timer/timers.hpp"

#include <algorithm>
#include <utility>

#include "tern/base/log.hpp"

namespace tern::broker {
namespace {

constexpr std::int64_t kIdleMs = 1000;     // the longest sleep: a clock that was set is noticed by then
constexpr std::int64_t kLookMs = 1000;     // after a nudge, how long the message may need into the queue
constexpr std::int64_t kLookAgainMs = 10;  // meanwhile
constexpr std::int64_t kBlankSlots = 60;   // of the wheel, which no message may reach

std::int64_t window_ms(const TimerOptions& options) {
  const std::int64_t most = options.slots_total - kBlankSlots;
  const std::int64_t slots = options.roll_window_slots;
  return (slots < 2 || slots > most ? most : slots) * options.precision_ms;
}

}  // namespace

Timers::Timers(Parts parts)
    : parts_(std::move(parts)),
      precision_ms_(parts_.options.precision_ms),
      window_ms_(window_ms(parts_.options)),
      checkpoint_file_(parts_.disk, file::join(file::join(parts_.root, "config"), "timercheck")),
      metrics_file_(parts_.disk, file::join(file::join(parts_.root, "config"), "timermetrics")),
      wheel_path_(file::join(parts_.root, "timerwheel")),
      log_(parts_.disk, parts_.root, parts_.options.log_file_size_bytes),
      wheel_(2 * parts_.options.slots_total, parts_.options.precision_ms) {}

Timers::~Timers() = default;

void Timers::nudge() {
  if (!is_nudged_.exchange(true, std::memory_order_relaxed)) parts_.wakeup.notify();
}

StepResult Timers::step() {
  StepResult result;
  result.next_ms = kIdleMs;
  if (!parts_.options.is_enabled) return result;
  const auto next_in = [&](std::int64_t ms) {
    result.next_ms = std::min(result.next_ms, std::max<std::int64_t>(ms, 1));
  };
  const std::int64_t steady = parts_.clock.steady_ms();
  if (is_nudged_.exchange(false, std::memory_order_relaxed)) look_until_ms_ = steady + kLookMs;
  if (steady < look_until_ms_) next_in(kLookAgainMs);
  // Acquire: pairs with the release in settle(), so that what the group did is seen.
  if (is_under_way_.load(std::memory_order_acquire)) return result;
  take_back();
  if (steady < retry_at_ms_) {
    next_in(retry_at_ms_ - steady);
    return result;
  }
  if (late_.empty()) prepare_candidate(false);
  auto group = std::make_shared<Group>();
  group->now_ms = parts_.clock.wall_ms();
  collect_late(*group);
  bool has_more = !late_.empty();
  if (!has_more) {
    has_more = collect_due(*group);
    has_more |= enter(group->now_ms);
    collect_late(*group);
    has_more |= !late_.empty();
  }
  if (!group->items.empty()) {
    result.done = static_cast<std::int64_t>(group->items.size());
    send(std::move(group));
    return result;  // and is woken when they are stored
  }
  const MutexLock lock(mutex_);
  const bool is_saving = candidate_ || is_saving_.load(std::memory_order_relaxed);
  if (is_saving) next_in(kLookAgainMs);
  if (has_changed_ && !is_saving) next_in(next_save_ms_ - steady);
  if (has_more && log_.unwritten() < kUnwrittenMax) next_in(1);
  if (const auto slot_ms = wheel_.first()) next_in(*slot_ms - parts_.clock.wall_ms() + precision_ms_);
  return result;
}

void Timers::take_back() {
  if (!group_) return;
  const auto group = std::exchange(group_, nullptr);
  const MutexLock lock(mutex_);
  has_changed_ = true;
  if (!group->has_failed) return;
  retry_later();
  for (auto item = group->items.rbegin(); item != group->items.rend(); ++item) {
    if (!item->is_settled) late_.push_front(std::move(item->due));
  }
}

void Timers::collect_late(Group& group) {
  while (!late_.empty() && !is_full(group)) {
    if (take(late_.front(), group, nullptr) == Take::kLater) return retry_later();
    late_.pop_front();
  }
}

bool Timers::pick(std::int64_t now) {
  const MutexLock lock(mutex_);
  const auto slot_ms = wheel_.first();
  if (!slot_ms) return false;
  const auto& slot = *wheel_.find(*slot_ms);
  if (slot.old_precision_ms == 0 && now - *slot_ms < precision_ms_) return false;
  Work work;
  work.slot_ms = *slot_ms;
  work.old_precision_ms = slot.old_precision_ms;
  work.walk_at = slot.last;
  work_ = std::move(work);
  return true;
}

bool Timers::collect_due(Group& group) {
  for (int slots = 0; slots < kSlotsMax && !is_full(group); ++slots) {
    if (!work_ && !pick(group.now_ms)) return false;
    if (!walk() || !read_cancels()) return true;
    for (; !work_->units.empty() && !is_full(group); work_->units.pop_back()) {
      const auto unit = log_.read(work_->units.back());
      if (!unit) {
        log_error("timer log: the unit at {} cannot be read any more: {}", work_->units.back(), unit.error().text());
        continue;
      }
      const std::int64_t old = work_->old_precision_ms;
      Due due{unit->position, unit->size, unit->write_ms, unit->rolls() || old != 0, true, {}, old};
      if (take(std::move(due), group, &work_->cancelled) == Take::kLater) {
        retry_later();
        return true;
      }
      work_->has_begun = true;
    }
    if (!work_->units.empty()) return true;
    const MutexLock lock(mutex_);
    wheel_.clear(work_->slot_ms);
    has_changed_ = true;
    work_.reset();
  }
  return true;
}

bool Timers::walk() {
  auto& at = work_->walk_at;
  for (int looked = 0; at >= log_.begin() && at >= 0; ++looked) {
    if (looked == kWalkMax) return false;
    const auto unit = log_.read(at);
    if (!unit) {
      if (unit.error().code != store::Errc::kDamaged && unit.error().code != store::Errc::kNotFound) {
        log_warning("timer log: the unit at {} cannot be read: {}", at, unit.error().text());
        retry_later();
        return false;
      }
      log_error("timer log: no unit stands at {}: of what is due at {} the messages before it are not delivered", at,
                work_->slot_ms);
      break;
    }
    const bool is_cancel = unit->cancels() && !unit->rolls() && work_->old_precision_ms == 0;
    (is_cancel ? work_->cancels : work_->units).push_back(at);
    at = unit->previous;
  }
  at = -1;  // what is below begin has left the log, and its messages theirs
  return true;
}

bool Timers::read_cancels() {
  for (int looked = 0; work_->cancels_read < work_->cancels.size(); ++looked, ++work_->cancels_read) {
    if (looked == kCancelsReadMax) return false;
    const auto unit = log_.read(work_->cancels[work_->cancels_read]);
    if (!unit) continue;  // walk() has read it: the disk has just failed, and says so elsewhere
    const auto record = parts_.store.record_at({unit->position});
    if (!record) {
      log_warning("a timer message that cancels another cannot be read at {}: {}", unit->position,
                  record.error().text());
      continue;
    }
    const auto timed = parse_timer_message(std::as_bytes(std::span(*record)));
    if (!timed || timed->cancels.empty()) continue;
    if (timed->cancels.size() > kCancelKeyMax || work_->cancelled.size() >= kCancelsMax) {
      log_warning(
          "TIMER_DEL_UNIQKEY of the message at {} is not heeded: it has {} bytes, the limit is {}, and {} of "
          "{} keys are cancelled at {}",
          unit->position, timed->cancels.size(), kCancelKeyMax, work_->cancelled.size(), kCancelsMax, work_->slot_ms);
      continue;
    }
    work_->cancelled.emplace(timed->cancels);
  }
  return true;
}

Timers::Take Timers::take(Due due, Group& group, const std::unordered_set<std::string>* cancelled) {
  auto record = parts_.store.record_at({due.position});
  if (!record && record.error().code != store::Errc::kNotFound) {
    log_warning("the timer message at {} cannot be read: {}", due.position, record.error().text());
    return Take::kLater;
  }
  const auto timed = record ? parse_timer_message(std::as_bytes(std::span(*record))) : std::nullopt;
  if (!timed && due.position >= parts_.store.min_position().value) {
    log_error("the timer message at {} is damaged, or its unit in the timer log is, and is not delivered",
              due.position);
    return Take::kDropped;
  }
  if (!timed) {
    log_warning("the timer message at {} has left the log before it was due, and is not delivered", due.position);
    return Take::kDropped;
  }
  if (std::exchange(due.is_counted, false) && timed->cancels.empty()) {
    const MutexLock lock(mutex_);
    metrics_.add(timed->topic, -1, group.now_ms);
  }
  const bool is_cancel = !timed->cancels.empty();
  if (!timed->has_time() || (!is_cancel && !timed->can_be_delivered())) {
    log_warning("the timer message at {} names no time or no topic to go to, and is dropped", due.position);
    return Take::kDropped;
  }
  due.rolls |= group.now_ms < timer_due_ms(*timed->out_ms, precision_ms_);
  if (is_cancel && !due.rolls) return Take::kDropped;
  if (!due.rolls && cancelled != nullptr && !cancelled->empty() && cancelled->contains(timed->cancel_key()))
    return Take::kDropped;
  due.topic = timed->topic;
  group.bytes += record->size();
  group.items.push_back({std::move(due), std::move(*record)});
  return Take::kTaken;
}

void Timers::send(std::shared_ptr<Group> group) {
  group_ = group;
  is_under_way_.store(true, std::memory_order_relaxed);
  parts_.on_io_thread(0, [this, group = std::move(group)](SendStage& stage) {
    for (std::size_t i = 0; i < group->items.size(); ++i) put(group, i, stage);
  });
}

void Timers::put(const std::shared_ptr<Group>& group, std::size_t index, SendStage& stage) {
  const auto& item = group->items[index];
  const auto timed = parse_timer_message(std::as_bytes(std::span(item.record)));
  const auto done = [this, group, index](const PutOutcome& outcome) {
    const bool is_hopeless = outcome.error == store::Errc::kRecordTooLarge;
    if (is_hopeless) log_warning("the timer message at {} is too large to be stored", group->items[index].due.position);
    settle(group, index, outcome.is_stored() || is_hopeless);
  };
  for (const bool stamps : {true, false}) {
    std::optional<std::int64_t> out_ms;
    if (item.due.old_precision_ms != 0) out_ms = timer_slot(*timed->out_ms + item.due.old_precision_ms, precision_ms_);
    auto parts = item.due.rolls
                     ? rolled_parts(*timed, item.due.entered_ms, group->now_ms, out_ms, stamps, stage.scratch())
                     : delivered_parts(*timed, item.due.entered_ms, group->now_ms, stamps, stage.scratch());
    parts.store_host = parts_.identity.store_host;  // ids of the delivered message must lead here
    if (stage.send(parts, false, done)) return;
  }
  log_warning("the timer message at {} cannot be a record of its topic, and is dropped", item.due.position);
  settle(group, index, true);
}

void Timers::settle(const std::shared_ptr<Group>& group, std::size_t index, bool is_stored) {
  group->items[index].is_settled = is_stored;
  group->has_failed |= !is_stored;
  if (is_stored && !group->items[index].due.rolls) delivered_.fetch_add(1, std::memory_order_relaxed);
  if (++group->settled < group->items.size()) return;
  is_under_way_.store(false, std::memory_order_release);
  parts_.wakeup.notify();
}

std::int64_t Timers::count_at(std::int64_t out_ms) const {
  const MutexLock lock(mutex_);
  const auto* const slot = wheel_.find(out_ms);
  return slot == nullptr ? 0 : slot->count;
}

Timers::Counts Timers::counts() const {
  Counts counts;
  counts.entered = entered_.load(std::memory_order_relaxed);
  counts.delivered = delivered_.load(std::memory_order_relaxed);
  const auto queue = parts_.store.find_queue(kTimerTopic, kTimerQueueId);
  const MutexLock lock(mutex_);
  counts.waiting = wheel_.count();
  if (queue) counts.offset_behind = std::max<std::int64_t>(0, queue->bounds().max.value - point_.queue_offset);
  if (const auto slot_ms = wheel_.earliest())
    counts.read_behind_ms = std::max<std::int64_t>(0, parts_.clock.wall_ms() - *slot_ms - precision_ms_);
  return counts;
}

protocol::Json Timers::metrics() const {
  const MutexLock lock(mutex_);
  return metrics_.to_json();
}

}  // namespace tern::broker
