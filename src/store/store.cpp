#include "tern/store/store.hpp"

#include <unistd.h>

#include "tern/base/check.hpp"
#include "tern/base/log.hpp"
#include "tern/message/properties.hpp"
#include "tern/message/topic_name.hpp"

#include "store/derived.hpp"
#include "store/recovery.hpp"
#include "store/upkeep.hpp"

namespace tern::store {
namespace {

// One round of dispatch: about a millisecond of work (a record costs 0.2-0.4 us), so that the io thread that plays the
// role keeps serving its sockets.
constexpr std::int64_t kDispatchBudgetBytes = 1 << 20;

std::int64_t machine_memory_bytes() {
  return static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::int64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

void throw_exception_from_error(const OpenProblem& problem, const boost::source_location& where) {
  check_failed(where.file_name(), static_cast<int>(where.line()), "store opened", problem.text);
}

Store::Store(file::Disk& disk, const Clock& clock, const StoreOptions& options, Hooks hooks)
    : disk_(disk),
      clock_(clock),
      options_(options),
      root_(options.root),
      memory_bytes_(machine_memory_bytes()),
      hooks_(std::move(hooks)) {}

Store::~Store() = default;

boost::system::result<std::unique_ptr<Store>, OpenProblem> Store::open(file::Disk& disk, const Clock& clock,
                                                                       const StoreOptions& options, Hooks hooks,
                                                                       OpenReport& report) {
  std::unique_ptr<Store> store(new Store(disk, clock, options, std::move(hooks)));
  Recovery recovery(*store, report);
  if (auto opened = recovery.run(); !opened) return opened.error();
  store->upkeep_ = std::make_unique<Upkeep>(*store, recovery.covered(), recovery.newest_record_timestamp());
  return store;
}

void Store::start(ArrivalListener* arrivals, std::function<void()> dispatch_wanted) {
  arrivals_ = arrivals;
  dispatch_wanted_ = std::move(dispatch_wanted);
}

void Store::append(AppendBatch& batch) noexcept {
  log_->append(batch);
}

bool Store::dispatch() {
  Role seen = Role::kFree;
  if (!dispatch_role_.compare_exchange_strong(seen, Role::kTaken, std::memory_order_seq_cst)) {
    // Taken: leave the work to the holder. If it has let go meanwhile, the role is ours after all.
    if (dispatch_role_.exchange(Role::kLookAgain, std::memory_order_seq_cst) != Role::kFree) return false;
  }
  dispatch_round();
  const bool was_asked = dispatch_role_.exchange(Role::kFree, std::memory_order_seq_cst) == Role::kLookAgain;
  const auto& marks = log_->watermarks();
  return (was_asked || marks.dispatched() < marks.visible()) && !dispatch_paused_.load(std::memory_order_seq_cst);
}

bool Store::dispatch_must_pause() const {
  return queues_->is_memory_full() || index_->is_pending_full();
}

void Store::dispatch_round() {
  auto& marks = log_->watermarks();
  LogPosition at = marks.dispatched();
  const LogPosition end = marks.visible();
  const LogPosition budget_end = std::min(end, at + kDispatchBudgetBytes);
  // A disk that fails is not asked again at once, over and over, but when upkeep next looks at the flag.
  const auto put_off = [&](const Status& failed) {
    dispatch_failures_.fetch_add(1, std::memory_order_relaxed);
    if (!dispatch_paused_.exchange(true, std::memory_order_seq_cst)) {
      log_error("dispatch cannot read the log at {}: {}", at, failed.error().text());
    }
  };
  while (at < budget_end) {
    if (dispatch_must_pause()) {
      // Upkeep clears the flag after it has made room and then looks whether it was set, so the pause always ends.
      // Exchanges, since what is looked at next is loaded relaxed: a store would let that load go first.
      dispatch_paused_.exchange(true, std::memory_order_seq_cst);
      upkeep_wakeup_.notify();
      if (dispatch_must_pause()) break;
      dispatch_paused_.exchange(false, std::memory_order_seq_cst);
    }
    // Whatever part of the range stands in this segment; a record that the range cuts is met again in the next round.
    const std::int64_t size = std::min(end, log_->next_segment(at)) - at;
    const std::int64_t want = std::min(size, std::max<std::int64_t>(budget_end - at, kDispatchBudgetBytes));
    std::span<const std::byte> bytes;
    const auto pinned = log_->hot(at, want);
    if (pinned) {
      bytes = pinned->bytes;
    } else {
      dispatch_buffer_.resize(static_cast<std::size_t>(want));
      if (const auto status = log_->read(at, dispatch_buffer_); !status) {
        put_off(status);
        break;
      }
      bytes = dispatch_buffer_;
    }
    std::size_t used = 0;
    while (used < bytes.size() && !(used > 0 && dispatch_must_pause())) {
      const auto front = message::peek_record(bytes.subspan(used));
      if (!front) break;
      const auto record_size = static_cast<std::size_t>(front->total_size);
      if (record_size > bytes.size() - used) {
        if (used > 0) break;
        // One record alone is larger than the range: it is read whole.
        TERN_CHECK(front->total_size <= size, "published log at {}: a record of {} bytes", at, front->total_size);
        dispatch_buffer_.resize(record_size);
        if (const auto status = log_->read(at, dispatch_buffer_); !status) {
          put_off(status);
          break;
        }
        bytes = dispatch_buffer_;
      }
      dispatch_record(bytes.subspan(used), at + static_cast<std::int64_t>(used));
      used += record_size;
    }
    if (used == 0) break;
    at += static_cast<std::int64_t>(used);
    if (!dispatch_keys_.empty()) {
      index_->add(dispatch_keys_);
      dispatch_keys_.clear();
    }
    marks.dispatch(at);
  }
  if (arrivals_ != nullptr) arrivals_->arrived_done();
}

void Store::dispatch_record(std::span<const std::byte> bytes, LogPosition position) {
  const auto record = message::parse_record(bytes, message::BodyCheck::kSkip);
  TERN_CHECK(record.has_value(), "published log at {}: {}", position, record.error().text());
  if (record->is_blank()) return;
  if (is_removed(record->topic, position)) {
    // The index has the keys of all that is in the log, as it would have them if it were built anew.
    collect(*record, position, dispatch_keys_);
    return;
  }
  if (const auto status = enter(*record, position, dispatch_queue_, dispatch_keys_); !status) {
    dispatch_failures_.fetch_add(1, std::memory_order_relaxed);
    log_error("no queue entry for the record at {}: {}", position, status.error().text());
    return;
  }
  dispatched_records_.store(dispatched_records() + 1, std::memory_order_relaxed);
  dispatched_bytes_.store(dispatched_bytes() + record->total_size, std::memory_order_relaxed);
  if (arrivals_ != nullptr && enters_queue(record->sys_flag)) {
    const auto offsets = offsets_of(*record, dispatch_queue_->kind());
    arrivals_->arrived({*dispatch_queue_,
                        {offsets.first},
                        message::tags_code(record->properties),
                        record->store_timestamp,
                        record->properties});
  }
}

void Store::collect(const message::RecordView& record, LogPosition position, std::vector<IndexKey>& keys) const {
  if (!options_.index.is_enabled || !enters_index(record.sys_flag)) return;
  collect_keys(record.topic, record.properties, position, record.store_timestamp, keys);
}

Status Store::enter(const message::RecordView& record, LogPosition position, QueuePtr& queue,
                    std::vector<IndexKey>& keys) {
  collect(record, position, keys);
  if (!enters_queue(record.sys_flag)) return {};
  if (!queue || queue->is_deleted() || queue->id() != record.queue_id || queue->topic() != record.topic) {
    queue = queues_->get_or_create(record.topic, record.queue_id);
  }
  const auto offsets = offsets_of(record, queue->kind());
  auto entry = entry_of(record, position, offsets);
  if (record.topic == message::kScheduleTopic && hooks_.schedule_tags_code) {
    entry.tags_code = hooks_.schedule_tags_code(record.properties, record.store_timestamp);
  } else {
    entry.tags_code = message::tags_code(record.properties);
  }
  return queue->append({offsets.first}, entry);
}

// Apache's broker looks whether it exists; the text is the process id, as that one writes it.
Status Store::write_abort() {
  auto abort = disk_.open(file::join(root_, "abort"), file::OpenMode::kCreate);
  if (!abort) return abort.error();
  const auto pid = std::to_string(::getpid());
  Status status = (*abort)->write(0, std::as_bytes(std::span(pid)));
  if (status) status = (*abort)->resize(static_cast<std::int64_t>(pid.size()));
  if (!status && !is_no_space(status.error())) return status;
  // A power cut must not take it: what comes after would look like a clean stop.
  return disk_.sync_directory(root_);
}

std::int64_t Store::dispatch_behind_bytes() const {
  const auto& marks = log_->watermarks();
  return std::max<std::int64_t>(0, marks.published() - marks.dispatched());
}

Status Store::remove_topic(std::string_view topic) {
  const auto status = upkeep_->remove_topic(topic);
  queues_changed_.store(true, std::memory_order_release);
  upkeep_wakeup_.notify();
  return status;
}

void Store::pass_over(std::string_view topic) {
  const auto& marks = log_->watermarks();
  const LogPosition end = marks.published();
  {
    const MutexLock hold(removed_lock_);
    std::erase_if(removed_, [&](const auto& item) { return item.second <= marks.dispatched(); });
    removed_[std::string(topic)] = end;
  }
  removed_until_.store(end.value, std::memory_order_release);
}

bool Store::is_removed(std::string_view topic, LogPosition position) {
  if (position.value >= removed_until_.load(std::memory_order_acquire)) return false;
  const MutexLock hold(removed_lock_);
  const auto found = removed_.find(topic);
  return found != removed_.end() && position < found->second;
}

void Store::remove_expired_now() {
  expiry_asked_.store(true, std::memory_order_relaxed);
  upkeep_wakeup_.notify();
}

void Store::tidy_queues_now() {
  tidying_asked_.store(true, std::memory_order_relaxed);
  upkeep_wakeup_.notify();
}

StepResult Store::upkeep_step() {
  return upkeep_->step();
}

Status Store::close() {
  // Nobody appends any more. What is published is synced, dispatched and then written.
  Status status = log_->close();
  const auto& marks = log_->watermarks();
  for (bool advances = true; advances && marks.dispatched() < marks.visible();) {
    upkeep_->make_room();
    dispatch_paused_.store(false, std::memory_order_relaxed);  // the other threads have been joined
    const auto before = marks.dispatched();
    dispatch();
    advances = marks.dispatched() > before;  // a disk that fails ends it: the rest is read from the log next time
  }
  if (const auto written = upkeep_->finish(status.has_value()); !written && status) status = written;
  return status;
}

}  // namespace tern::store
