#include "store/upkeep.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "store/delete_hours.hpp"
#include "store/index_file.hpp"
#include "store/queue_file.hpp"
#include "store/recovery.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kWriteBudgetBytes = 1 << 20;
constexpr std::size_t kIndexBudget = 1 << 16;  // keys per step, at 225 ns each
// Slots of the key index are spread over 20 MB, and a sync writes most of them: one for 16 times as many bytes of the
// log writes 6 % more than the log.
constexpr std::int64_t kIndexSyncEveryMs = 10'000;
constexpr std::int64_t kLogBytesPerSlotByte = 16;
constexpr int kSyncsPerStep = 16;  // 120 us each
constexpr std::int64_t kRoundEveryMs = 1000;
constexpr std::int64_t kSpaceEveryMs = 1000;
constexpr std::int64_t kRetentionEveryMs = 10'000;

int local_hour(std::int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1000;
  std::tm local{};
  localtime_r(&seconds, &local);
  return local.tm_hour;
}

// Dispatch is ahead of what is durable: entries of records that a power cut may take, and others replace, must not be
// in the saved state.
Status hold_to(const Queue& queue, LogPosition position, SideState::QueueState& state) {
  std::array<QueueEntry, 1> entry;
  QueueOffset low = state.bounds.min;
  QueueOffset high = state.bounds.max;
  LogPosition end{-1};
  while (low < high) {
    const QueueOffset middle = low + (high - low) / 2;
    const auto count = queue.read(middle, entry, false);
    if (!count || *count == 0) return count ? error(Errc::kNotFound, middle.value) : count.error();
    if (entry[0].position < position) {
      low = middle + 1;
      end = end_of(entry[0]);
    } else {
      high = middle;
    }
  }
  state.bounds.max = low;
  state.next_offset = low.value;
  state.positions = low == state.bounds.min ? QueuePositions{} : QueuePositions{state.positions.first, end};
  return {};
}

std::string failed_sync(std::string_view what, const Error& why) {
  return fmt::format("the sync of {} failed: {}", what, why.text());
}

}  // namespace

Store::Upkeep::Upkeep(Store& store, LogPosition covered, std::int64_t newest_timestamp)
    : store_(store),
      lag_bytes_max_(store.options_.index.hash_slots * IndexShape::kSlotSize * kLogBytesPerSlotByte),
      indexed_(store.index_->written_to() == LogPosition{INT64_MAX} ? store.log_->watermarks().dispatched()
                                                                    : store.log_->min_position()),
      side_file_(store.disk_, file::join(store.root_, "tern")),
      last_mark_{store.log_->watermarks().published(), newest_timestamp},
      covered_(covered),
      delete_hours_(parse_delete_hours(store.options_.delete_when).value_or(std::set<int>())) {}

void Store::Upkeep::report(const char* what, const Status& status) {
  if (status) return;
  if (const auto times = failures_.admit(store_.clock_))
    log_error("{}: {} ({} failures)", what, status.error().text(), times);
}

void Store::Upkeep::make_room() {
  while (store_.dispatch_must_pause()) {
    const auto queues = store_.queues_->write_step(kWriteBudgetBytes);
    const auto index = store_.index_->write_step(kIndexBudget);
    if (!queues) return report("queue files", queues.error());
    if (!index) return report("key index", index.error());
    if (queues->done == 0 && *index == 0) return;
  }
}

StepResult Store::Upkeep::step() {
  const std::int64_t now = store_.clock_.steady_ms();
  StepResult result{0, kRoundEveryMs};
  if (const auto wrote = store_.queues_->write_step(kWriteBudgetBytes)) {
    result.done += wrote->done;
  } else {
    report("queue files", wrote.error());
  }
  if (const auto wrote = store_.index_->write_step(kIndexBudget)) {
    result.done += static_cast<std::int64_t>(*wrote);
  } else {
    report("key index", wrote.error());
  }
  // Dispatch sets the flag and then looks once more; we have made room and then look at the flag.
  if (!store_.dispatch_must_pause() && store_.dispatch_paused_.exchange(false, std::memory_order_seq_cst) &&
      store_.dispatch_wanted_)
    store_.dispatch_wanted_();

  // Until there is room for the file that tells of a crash, nothing is appended, and nothing has to be saved.
  const bool is_due = now >= next_round_ms_ || savable_to() - begun_ >= lag_bytes_max_;
  if (round_ == Round::kIdle && is_due && !store_.lacks_abort_) begin_round();
  if (round_ != Round::kIdle) {
    if (const auto status = advance_round(); !status) {
      report("the store's state cannot be saved", status);
      round_ = Round::kIdle;
      store_.queues_changed_.store(true, std::memory_order_release);
    } else if (round_ != Round::kIdle) {
      ++result.done;
    }
  }
  // Nobody knows what those files hold, so no state can be saved any more; and dispatch will stop once their memory is
  // full. The next start makes them anew from the log.
  const auto queues_synced = store_.queues_->sync_status();
  if (!queues_synced) store_.log_->make_read_only(failed_sync("a queue's file", queues_synced.error()));
  const auto index_synced = store_.index_->sync_status();
  if (!index_synced) store_.log_->make_read_only(failed_sync("an index file", index_synced.error()));
  if (now >= next_space_ms_) {
    next_space_ms_ = now + kSpaceEveryMs;
    watch_space();
  }
  if (store_.expiry_asked_.exchange(false, std::memory_order_relaxed)) {
    expires_now_ = true;
    next_retention_ms_ = now;
  }
  if (round_ == Round::kIdle && store_.tidying_asked_.exchange(false, std::memory_order_relaxed)) forget_removed();
  if (now >= next_retention_ms_ && round_ == Round::kIdle) {
    next_retention_ms_ = now + kRetentionEveryMs;
    remove_expired();
  }
  // While records arrive, entries are written in fat slices every 100 ms; an idle store wakes once a second.
  result.next_ms = result.done > 0 ? 100 : kRoundEveryMs;
  result.done = 0;
  if (round_ != Round::kIdle || store_.dispatch_must_pause()) result.done = 1;
  return result;
}

Result<SideState> Store::Upkeep::snapshot() const {
  SideState state;
  const auto& marks = store_.log_->watermarks();
  state.durable = marks.durable();
  state.dispatched = std::min(marks.dispatched(), state.durable);
  state.last_store_timestamp = store_.log_->last_store_timestamp();
  for (const auto& queue : store_.queues_->all()) {
    const auto bounds = queue->bounds();
    SideState::QueueState queue_state{queue->topic(), queue->id(), bounds, bounds.max.value, queue->positions()};
    if (queue_state.positions.end > state.dispatched) {
      if (const auto status = hold_to(*queue, state.dispatched, queue_state); !status) return status.error();
    }
    auto entries = queue->entries_of(queue_state.bounds);
    if (!entries) return entries.error();
    queue_state.entries = *entries;
    state.queues.push_back(std::move(queue_state));
  }
  return state;
}

// What has been published may be ahead of what is dispatched and durable: its time must not be told for theirs.
void Store::Upkeep::note_covered_time(LogPosition dispatched) {
  const std::int64_t timestamp =
      store_.log_->last_store_timestamp();  // before the position: later records only add to it
  TimeMark mark{store_.log_->watermarks().published(), timestamp};
  if (mark.position == last_mark_.position) mark.timestamp = last_mark_.timestamp;  // no record of that time came since
  if (dispatched >= mark.position) {
    covered_timestamp_ = mark.timestamp;
  } else if (dispatched >= last_mark_.position) {
    covered_timestamp_ = last_mark_.timestamp;
  } else {
    return;  // the mark before is still ahead
  }
  last_mark_ = mark;
}

LogPosition Store::Upkeep::savable_to() const {
  const auto& marks = store_.log_->watermarks();
  return std::min(marks.dispatched(), marks.durable());
}

void Store::Upkeep::begin_round() {
  const std::int64_t now = store_.clock_.steady_ms();
  next_round_ms_ = now + kRoundEveryMs;
  const bool must_save = store_.queues_changed_.exchange(false, std::memory_order_acquire);
  const LogPosition safe = savable_to();
  begun_ = safe;
  // The index is synced less often than the rest is saved: when nothing arrives any more, it still has to catch up, or
  // every later start would read the log from there.
  const bool index_is_behind = now >= next_index_sync_ms_ && indexed_ < std::min(store_.index_->written_to(), safe);
  if (safe == saved_ && !must_save && !index_is_behind) return;
  auto state = snapshot();
  if (!state) {
    store_.queues_changed_.store(true, std::memory_order_release);
    return report("the store's state cannot be told", state.error());
  }
  note_covered_time(state->dispatched);
  const MutexLock hold(state_lock_);
  pending_ = std::move(*state);
  round_ = Round::kWriting;
}

Status Store::Upkeep::advance_round() {
  if (round_ == Round::kWriting) {
    const auto queues = store_.queues_->write_step(kWriteBudgetBytes);
    if (!queues) return queues.error();
    const auto index = store_.index_->write_step(kIndexBudget);
    if (!index) return index.error();
    // All of what was pending at the call is in the files, although more may have come meanwhile.
    if (queues->next_ms == 0 || *index >= kIndexBudget) return {};
    round_ = Round::kSyncing;
  }
  const auto synced = store_.queues_->sync_step(kSyncsPerStep);
  if (!synced) return synced.error();
  if (!*synced) return {};
  // Not every round, for what it costs. What is behind is read from the log again after a crash.
  const std::int64_t now = store_.clock_.steady_ms();
  const LogPosition written = std::min(store_.index_->written_to(), pending_dispatched());
  if (now >= next_index_sync_ms_ || written - indexed_ >= lag_bytes_max_) {
    if (const auto status = store_.index_->sync(); !status) return status;
    indexed_ = written;
    next_index_sync_ms_ = now + kIndexSyncEveryMs;
  }
  const MutexLock hold(state_lock_);
  pending_.indexed = std::min(indexed_, pending_.dispatched);
  round_ = Round::kIdle;
  return save(pending_);
}

LogPosition Store::Upkeep::pending_dispatched() const {
  const MutexLock hold(state_lock_);
  return pending_.dispatched;
}

Status Store::Upkeep::remove_topic(std::string_view topic) {
  const MutexLock hold(state_lock_);
  const auto is_of_topic = [&](const SideState::QueueState& queue) { return queue.topic == topic; };
  std::erase_if(pending_.queues, is_of_topic);
  std::string why;
  auto state = side_file_.load(why);
  if (!state && !why.empty()) {
    // Not to be read now, but perhaps by the next start, which would believe it.
    if (const auto removed = side_file_.remove(); !removed) return removed;
    covered_ = {0};
  }
  if (state && std::erase_if(state->queues, is_of_topic) > 0) {
    if (const auto saved = side_file_.save(*state); !saved) return saved;
  }
  store_.pass_over(topic);
  return store_.queues_->remove_topic(topic);
}

Status Store::Upkeep::save(const SideState& state) {
  SideState complete = state;
  const auto digest = digest_below(*store_.log_, complete.dispatched);
  if (!digest) return digest.error();
  complete.digest = *digest;
  if (const auto status = side_file_.save(complete); !status) return status;
  saved_ = covered_ = complete.dispatched;
  Checkpoint checkpoint;
  checkpoint.log_timestamp = covered_timestamp_;
  checkpoint.queue_timestamp = covered_timestamp_;
  checkpoint.index_timestamp = store_.index_->checkpoint_timestamp();
  checkpoint.queue_position = complete.dispatched.value;
  if (!complete.is_clean) {
    // After a kill Apache's broker removes an index file that was added to since, and dispatches again from the newest
    // segment whose first record is at most of this time (5.5.0: if no position is given). All keys of that file must
    // be behind it.
    const std::int64_t finished = std::max<std::int64_t>(store_.index_->finished_timestamp() - 1, 0);
    checkpoint.queue_timestamp = std::min(checkpoint.queue_timestamp, finished);
    checkpoint.queue_position = 0;
  }
  return save_checkpoint(store_.disk_, file::join(store_.root_, "checkpoint"), checkpoint);
}

void Store::Upkeep::watch_space() {
  const auto space = store_.disk_.space(store_.root_);
  if (!space) return report("free space", space.error());
  const double used = space->total_bytes > 0
                          ? 100.0 * static_cast<double>(space->total_bytes - space->available_bytes) /
                                static_cast<double>(space->total_bytes)
                          : 0.0;
  store_.disk_used_percent_.store(used, std::memory_order_relaxed);
  const char* why = nullptr;
  if (space->available_bytes < store_.options_.free_bytes_min.get()) {
    why = "below storeFreeBytesMin";
  } else if (used > store_.options_.disk_warning_percent.get()) {
    why = "above diskSpaceWarningLevelRatio";
  } else if (store_.lacks_abort_) {
    store_.lacks_abort_ = !store_.write_abort();
    if (store_.lacks_abort_) why = "the file abort cannot be written";
  }
  const bool refuses = why != nullptr;
  store_.log_->set_disk_full(refuses);
  if (std::exchange(refuses_for_space_, refuses) == refuses) return;
  if (refuses) {
    log_warning("{}: the disk is full, sends are refused until there is room: {} bytes free, {:.1f} % used ({})",
                store_.root_, space->available_bytes, used, why);
  } else {
    log_info("{}: there is room again, sends are taken: {} bytes free, {:.1f} % used", store_.root_,
             space->available_bytes, used);
  }
}

// From the oldest on, while each has a reason to go. Only what the saved state covers, which is dispatched and durable:
// of a queue that loses its last records, the state alone says where it ended. Never the last segment.
void Store::Upkeep::remove_expired() {
  const auto& options = store_.options_;
  const std::int64_t now = store_.clock_.wall_ms();
  const double used = store_.disk_used_percent_.load(std::memory_order_relaxed);
  const bool is_crowded =
      used > std::min(options.disk_clean_forcibly_percent.get(), options.disk_warning_percent.get());
  const bool is_forced = is_crowded && options.cleans_forcibly.get();
  const bool is_time = expires_now_ || is_crowded || used > options.disk_max_used_percent.get() ||
                       delete_hours_.contains(local_hour(now));
  const std::int64_t kept_ms = options.file_reserved_hours.get() * 3'600'000;
  const std::int64_t bytes_max = options.bytes_max.get();
  const auto& marks = store_.log_->watermarks();
  LogPosition safe;
  {
    const MutexLock hold(state_lock_);
    safe = covered_;
  }
  const auto reason_to_go = [&](const CommitLog::Segment& segment) -> const char* {
    if (bytes_max > 0 && marks.published() - segment.start > bytes_max) return "the log is larger than storeBytesMax";
    if (is_time && segment.modified_ms + kept_ms <= now) return "older than fileReservedTime";
    return is_forced ? "the disk is filling up" : nullptr;
  };

  if (!is_time && bytes_max == 0) return;
  const auto segments = store_.log_->segments();
  const auto count_max = static_cast<std::size_t>(options.delete_batch_max.get());
  std::size_t count = 0;
  const char* reason = nullptr;
  for (; count + 1 < segments.size() && count < count_max; ++count) {
    if (segments[count].start + segments[count].size > safe) break;
    const char* const why = reason_to_go(segments[count]);
    if (why == nullptr) break;
    reason = why;
  }
  if (count < count_max) expires_now_ = false;  // that was all
  if (count == 0) return;
  const LogPosition keep_from = segments[count].start;
  log_info("retention: the log now begins at {} ({} segments removed: {})", keep_from, count, reason);
  report("retention", store_.log_->remove_before(keep_from));
  forget_removed();
}

void Store::Upkeep::forget_removed() {
  // The state's digest is that of bytes which may be gone now, and its bounds are old.
  store_.queues_changed_.store(true, std::memory_order_release);
  // What could not be removed keeps its entries.
  const LogPosition begin = store_.log_->min_position();
  report("retention of queues", store_.queues_->forget_before(begin));
  report("retention of the key index", store_.index_->forget_before(begin));
}

Status Store::Upkeep::finish(bool log_is_synced) {
  if (const auto status = store_.queues_->flush_all(); !status) return status;
  for (;;) {
    const auto wrote = store_.index_->write_step(kIndexBudget);
    if (!wrote) return wrote.error();
    if (*wrote == 0) break;
  }
  if (const auto status = store_.index_->sync(); !status) return status;
  auto told = snapshot();
  if (!told) return told.error();
  note_covered_time(told->dispatched);
  const MutexLock hold(state_lock_);
  SideState& state = *told;
  state.is_clean = log_is_synced;
  state.indexed = state.dispatched;
  if (const auto status = save(state); !status) return status;
  if (log_is_synced && state.dispatched == store_.log_->watermarks().published()) {
    if (const auto status = store_.disk_.remove(file::join(store_.root_, "abort")); !status) return status;
  }
  return {};
}

}  // namespace tern::store
