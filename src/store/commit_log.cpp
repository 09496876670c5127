// The parts of the log, put together: the segments (log_segment), the tail that appenders see (log_tail), the strategy
// (put/), the policy (flush/), and the three steps that run beside the appenders.

#include "tern/store/commit_log.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <map>
#include <utility>
#include <vector>

#include "tern/base/check.hpp"
#include "tern/base/log.hpp"

#include "store/flush/flush_table.hpp"
#include "store/log_scan.hpp"
#include "store/log_segment.hpp"
#include "store/log_tail.hpp"
#include "store/put/put_switch.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kPageSize = 4096;
constexpr std::string_view kClosing = "the store is closing";  // no fault, so it is not logged
// What one segments_step() populates at most, and what start() does at once: a new process answers its first send while
// the segments thread is still preparing the rest.
constexpr std::int64_t kPrepareBytesPerStep = 1 << 20;
constexpr std::int64_t kCopyBytes = 1 << 20;  // what write_again() reads and writes at a time
constexpr std::int64_t kRetryMs = 100;        // after a failed preparation
constexpr int kLonelySyncsCounted = 1000;     // more are not told apart
constexpr std::int64_t kIdleMs = 1000;        // a request wakes the steps; this only bounds the damage of a lost one

Error translated(const Error& failure, LogPosition position) {
  if (failure.code == file::make_error_code(file::Errc::kWouldBlock)) return error(Errc::kWouldBlock, position.value);
  if (failure.code == file::make_error_code(file::Errc::kShortRead)) return error(Errc::kDamaged, position.value);
  return failure;
}

}  // namespace

class CommitLog::Impl {
 public:
  Impl(file::Disk& disk, const Clock& clock, const LogOptions& options, const PutRow& put, const FlushRow& flush)
      : disk_(disk),
        clock_(clock),
        options_(options),
        flush_policy_(flush.make(flush.name, options)),
        segments_(disk, options.directory, options.segment_size_bytes),
        tail_(clock, watermarks_, segments_wakeup_, flush_wakeup_,
              {options.segment_size_bytes, options.prepare_ahead_bytes, flush_policy_->wants_publications(),
               options.accepts_clock_behind}),
        put_(put, tail_, {clock, options.spin_limit, options.spin_limit_was_set}) {}

  Status open(std::string& problem);
  Status start(LogPosition tail, LogPosition sync_from, std::int64_t last_store_timestamp);
  Status close();

  StepResult segments_step();
  StepResult flush_step();
  void make_read_only(std::string reason);
  Status remove_before(LogPosition position);

  [[nodiscard]] std::optional<PinnedBytes> hot(LogPosition position, std::int64_t size) const;
  template <class Read>
  Status read(LogPosition position, std::span<std::byte> to, Read read_file) const;
  [[nodiscard]] std::vector<Segment> list_segments() const;

  // Starting.
  Status check_short_end(std::string& problem);
  Status write_again(LogPosition from, LogPosition to);
  Status cut(LogPosition tail);

  // Of the segments thread.
  Status prepare_step(LogPosition target) TERN_REQUIRES(segments_role_);
  Status allocate(const LogSegment& segment, LogPosition to) TERN_REQUIRES(segments_role_);
  void drop_cold_windows() TERN_REQUIRES(segments_role_);

  /// Whoever removes a segment that is in use (a broker of Apache's does that when it is started on this directory by
  /// mistake) takes along what is written to it from then on, and no write or sync fails.
  Status check_named(const LogSegment& segment);

  // Of the flush thread.
  Status sync(LogPosition from, LogPosition to) TERN_REQUIRES(flush_role_);
  void announce_read_only() TERN_REQUIRES(flush_role_);

  // Constant after construction, or after start().
  file::Disk& disk_;
  const Clock& clock_;
  const LogOptions& options_;
  const std::unique_ptr<FlushPolicy> flush_policy_;  // stepped by the flush thread
  LogPosition hot_from_;  // below, no page needs to be in memory: written before this process
  bool is_started_ = false;
  std::function<void()> on_prepared_;
  std::function<void()> on_durable_;

  // Safe from any thread.
  SegmentList segments_;
  Watermarks watermarks_;
  Wakeup segments_wakeup_;
  Wakeup flush_wakeup_;
  LogTail tail_;
  PutSwitch put_;

  ThreadRole segments_role_;
  LogPosition allocated_ TERN_GUARDED_BY(segments_role_);           // in the segment of the prepared position
  std::vector<WindowPtr> retired_ TERN_GUARDED_BY(segments_role_);  // out of the list; unmapped once nobody has them
  bool has_no_space_ TERN_GUARDED_BY(segments_role_) = false;
  LogRateLimit prepare_failures_;

  ThreadRole flush_role_;
  bool sync_failed_ TERN_GUARDED_BY(flush_role_) = false;
  bool read_only_announced_ TERN_GUARDED_BY(flush_role_) = false;
  std::int64_t records_synced_ TERN_GUARDED_BY(flush_role_) = 0;
  std::int64_t last_sync_us_ TERN_GUARDED_BY(flush_role_) = 0;
  int lonely_syncs_ TERN_GUARDED_BY(flush_role_) = kLonelySyncsCounted;  // nobody is expected yet
  bool has_paused_ TERN_GUARDED_BY(flush_role_) = false;                 // for the group that is pending
  // Stored by the flush thread, relaxed: numbers for people.
  std::atomic<std::int64_t> syncs_{0};
  std::atomic<std::int64_t> synced_records_{0};

  mutable Mutex reason_mutex_;
  std::string read_only_reason_ TERN_GUARDED_BY(reason_mutex_);
};

// ---- opening and starting

Status CommitLog::Impl::open(std::string& problem) {
  if (auto loaded = segments_.load(problem); !loaded) return loaded;
  if (auto checked = check_short_end(problem); !checked) return checked;
  watermarks_.start(segments_.end(), flush_policy_->acknowledges_durable());
  return {};
}

// cut() shortens the tail's file to its last whole record and at once lengthens it again. Any other short file is not
// ours to repair: the settings may be wrong, or a copy incomplete.
Status CommitLog::Impl::check_short_end(std::string& problem) {
  const auto short_end = segments_.short_end();
  if (!short_end) return {};
  const auto start = segments_.end() - segments_.segment_size();
  const auto whole = scan_log(segments_, start, message::BodyCheck::kSkip, [](const auto&, auto) { return true; });
  if (!whole) return whole.error();
  if (*whole == *short_end) return {};
  problem =
      fmt::format("{} has {} bytes, but mappedFileSizeCommitLog says {}",
                  file::join(segments_.directory(), segment_name(start)), *short_end - start, segments_.segment_size());
  return error(Errc::kWrongSegmentSize, *short_end - start);
}

Status CommitLog::Impl::start(LogPosition tail, LogPosition sync_from, std::int64_t last_store_timestamp) {
  segments_role_.assert_held();
  tail_.append_role.assert_held();
  TERN_CHECK(!is_started_ && segments_.min_position() <= sync_from && sync_from <= tail && tail <= segments_.end(),
             "[{}, {}] in [{}, {}]", sync_from, tail, segments_.min_position(), segments_.end());
  // From the last backwards, so that a crash leaves no gap.
  while (segments_.end() - segments_.segment_size() > tail) {
    if (auto removed = segments_.remove_last(); !removed) return removed;
  }
  // First what counts, then what does not: a short file that cut() leaves behind ends with durable records.
  if (auto written = write_again(sync_from, tail); !written) return written;
  if (auto done = cut(tail); !done) return done;

  watermarks_.start(tail, flush_policy_->acknowledges_durable());
  tail_.start(tail, segments_.start_of(tail), last_store_timestamp);
  hot_from_ = tail;
  allocated_ = tail;
  // A full disk does not keep a store from starting: it can be read, and sends are refused until there is room.
  if (auto prepared = prepare_step(tail + std::min(kPrepareBytesPerStep, options_.prepare_ahead_bytes)); !prepared) {
    if (!is_no_space(prepared.error())) return prepared;
    tail_.set_no_space(has_no_space_ = true);
  }
  is_started_ = true;
  segments_wakeup_.notify();
  return {};
}

// The page cache may hold what the disk has not got and call it clean (after a sync that failed in an earlier process):
// only bytes that are written again are surely synced.
Status CommitLog::Impl::write_again(LogPosition from, LogPosition to) {
  std::vector<std::byte> bytes;
  for (const auto& segment : segments_.overlapping(from, to)) {
    const auto end = std::min(to, segment->end()) - segment->start();
    for (auto at = std::max(from, segment->start()) - segment->start(); at < end;) {
      bytes.resize(static_cast<std::size_t>(std::min(kCopyBytes, end - at)));
      if (auto read = segment->file().read(at, bytes); !read) return read;
      if (auto written = segment->file().write(at, bytes); !written) return written;
      at += static_cast<std::int64_t>(bytes.size());
    }
    if (auto synced = segment->file().sync(); !synced) return synced;
  }
  return {};
}

// What stands behind the tail becomes a hole, which reads as zero, without asking where it is not zero: Apache's
// brokers leave stale records anywhere behind, and reading a segment to find them takes seconds. A crash between the
// two resizes leaves the one kind of short file that open() takes.
Status CommitLog::Impl::cut(LogPosition tail) {
  const auto segment = segments_.find(tail);
  if (!segment) return {};
  auto& file = segment->file();
  if (auto shortened = file.resize(tail - segment->start()); !shortened) return shortened;
  if (auto lengthened = file.resize(segments_.segment_size()); !lengthened) return lengthened;
  return file.sync();
}

// ---- the segments thread

StepResult CommitLog::Impl::segments_step() {
  segments_role_.assert_held();
  if (!is_started_) return {};
  tail_.take_request();
  const bool was_not_ready = tail_.take_not_ready();
  drop_cold_windows();
  if (tail_.is_closed()) return {0, kIdleMs};
  // What lies ahead, before anything stands in it.
  for (const auto& segment : segments_.overlapping(watermarks_.published(), segments_.end())) {
    if (const auto named = check_named(*segment); !named) return {0, kIdleMs};
  }

  const auto published = watermarks_.published();
  const auto farthest = segments_.start_of(published) + (1 + LogTail::kSegmentsAheadMax) * segments_.segment_size();
  const auto target = std::min(farthest, std::max(published + options_.prepare_ahead_bytes, tail_.wanted()));
  const auto before = tail_.prepared();
  StepResult result{0, kIdleMs};
  bool must_tell = false;
  if (before < target) {
    const auto prepared = prepare_step(target);
    const bool no_space = !prepared && is_no_space(prepared.error());
    must_tell = no_space && !has_no_space_;
    tail_.set_no_space(has_no_space_ = no_space);
    if (!prepared) {
      if (const auto count = prepare_failures_.admit(clock_)) {
        log_error("the log cannot be prepared at {} ({} times): {}", before, count, prepared.error().text());
      }
      result.next_ms = kRetryMs;
    }
    result.done = tail_.prepared() - before;
    if (result.done > 0 && tail_.prepared() < target) result.next_ms = 0;
  }
  const bool has_room = tail_.prepared() >= tail_.wanted();
  if (has_room) tail_.end_waiting();
  if ((result.done > 0 || must_tell || (was_not_ready && has_room)) && on_prepared_) on_prepared_();
  return result;
}

Status CommitLog::Impl::prepare_step(LogPosition target) {
  const auto at = tail_.prepared();
  auto segment = segments_.find(at);
  if (!segment) {
    auto added = segments_.add();
    if (!added) return added.error();
    segment = std::move(*added);
  }
  auto window = segments_.find_window(at);
  if (!window) {
    auto mapped = segments_.map(*segment);
    if (!mapped) return mapped.error();
    window = std::move(*mapped);
    allocated_ = segment->start() + (at - segment->start()) / kPageSize * kPageSize;
  }
  const auto wanted = std::min(target, at + kPrepareBytesPerStep) - segment->start();
  const auto to = std::min(segment->end(), segment->start() + (wanted + kPageSize - 1) / kPageSize * kPageSize);
  if (auto allocated = allocate(*segment, to); !allocated) return allocated;
  const auto from = at - segment->start();
  if (auto populated = window->populate(static_cast<std::size_t>(from), static_cast<std::size_t>(to - at));
      !populated) {
    return populated;
  }
  // Each time, not only when it has been mapped: an earlier attempt may have ended between.
  tail_.offer({segment->start(), window.get(), window->bytes().data()});
  tail_.prepare(to);
  return {};
}

// In steps of what is prepared ahead, so that the file system is asked seldom; near the end of the space, exactly.
Status CommitLog::Impl::allocate(const LogSegment& segment, LogPosition to) {
  if (to <= allocated_) return {};
  auto end = std::min(segment.end(), std::max(to, allocated_ + options_.prepare_ahead_bytes));
  auto allocated = segment.file().allocate(allocated_ - segment.start(), end - allocated_);
  if (!allocated && is_no_space(allocated.error()) && end > to) {
    end = to;
    allocated = segment.file().allocate(allocated_ - segment.start(), end - allocated_);
  }
  if (allocated) allocated_ = end;
  return allocated;
}

void CommitLog::Impl::drop_cold_windows() {
  const auto cold = std::min(watermarks_.durable(), watermarks_.published() - options_.hot_bytes);
  for (auto& window : segments_.take_windows_below(cold)) retired_.push_back(std::move(window));
  // Nobody can take a new reference, so the last one is ours: unmapping a gigabyte is nothing for a reader's thread.
  std::erase_if(retired_, [](const auto& window) { return window.use_count() == 1; });
}

// ---- the flush thread

StepResult CommitLog::Impl::flush_step() {
  flush_role_.assert_held();
  if (!is_started_) return {};
  tail_.take_flush_request();
  if (tail_.is_closed()) announce_read_only();
  if (sync_failed_) return {0, kIdleMs};

  const auto records = tail_.records();  // before published; `reserve` counts also what is being copied
  const auto published = watermarks_.published();
  const auto durable = watermarks_.durable();
  const auto decision = flush_policy_->decide({published - durable, clock_.steady_ms(), last_sync_us_, lonely_syncs_});
  if (!decision.sync || published == durable) return {0, decision.next_ms};
  if (decision.pause_us > 0 && !std::exchange(has_paused_, true)) return {0, 0, decision.pause_us};
  has_paused_ = false;
  const auto begun_ns = clock_.steady_ns();
  if (!sync(durable, published)) {
    announce_read_only();
    return {0, kIdleMs};
  }
  last_sync_us_ = (clock_.steady_ns() - begun_ns) / 1000;
  synced_records_.fetch_add(records - records_synced_, std::memory_order_relaxed);
  records_synced_ = records;
  if (on_durable_) on_durable_();
  const bool has_company = watermarks_.published() > published;
  lonely_syncs_ = has_company ? 0 : std::min(lonely_syncs_ + 1, kLonelySyncsCounted);
  const bool at_once = flush_policy_->acknowledges_durable() && has_company;
  return {published - durable, at_once ? 0 : decision.next_ms};
}

Status CommitLog::Impl::sync(LogPosition from, LogPosition to) {
  for (const auto& segment : segments_.overlapping(from, to)) {
    auto synced = segment->file().sync();
    if (!synced) {
      make_read_only(fmt::format("the sync of {} failed: {}", segment->file().path(), synced.error().text()));
    } else {
      synced = check_named(*segment);
    }
    if (synced) continue;
    sync_failed_ = true;
    return synced;
  }
  syncs_.fetch_add(1, std::memory_order_relaxed);
  watermarks_.make_durable(to);
  return {};
}

Status CommitLog::Impl::check_named(const LogSegment& segment) {
  const auto& path = segment.file().path();
  const auto exists = disk_.exists(path);
  if (exists && *exists) return {};
  if (!exists) {
    make_read_only(fmt::format("{} cannot be looked for: {}", path, exists.error().text()));
    return exists.error();
  }
  make_read_only(fmt::format("{} is gone while it is in use: has another broker been started on this store?", path));
  return error(Errc::kForeign, segment.start().value);
}

void CommitLog::Impl::announce_read_only() {
  if (std::exchange(read_only_announced_, true)) return;
  if (on_durable_) on_durable_();
}

void CommitLog::Impl::make_read_only(std::string reason) {
  {
    const MutexLock lock(reason_mutex_);
    if (!read_only_reason_.empty()) return;
    read_only_reason_ = std::move(reason);
    if (read_only_reason_ != kClosing) log_warning("the log takes no more appends: {}", read_only_reason_);
  }
  tail_.close();
  flush_wakeup_.notify();
}

Status CommitLog::Impl::close() {
  flush_role_.assert_held();
  if (!is_started_) return {};
  make_read_only(std::string(kClosing));
  AppendBatch none;
  put_.append(none);  // whoever was inside has published

  if (sync_failed_) return error(Errc::kReadOnly);
  const auto published = watermarks_.published();
  if (const auto durable = watermarks_.durable(); durable < published) {
    if (auto synced = sync(durable, published); !synced) return synced;
    if (on_durable_) on_durable_();
  }
  while (segments_.end() - segments_.segment_size() > published) {
    if (auto removed = segments_.remove_last(); !removed) return removed;
  }
  return {};
}

// ---- readers and upkeep

std::optional<PinnedBytes> CommitLog::Impl::hot(LogPosition position, std::int64_t size) const {
  const auto published = watermarks_.published();
  if (position < std::max(hot_from_, published - options_.hot_bytes) || size > published - position) return {};
  const auto start = segments_.start_of(position);
  if (position + size > start + segments_.segment_size()) return {};
  auto window = segments_.find_window(position);
  if (!window) return {};
  const auto bytes =
      window->bytes().subspan(static_cast<std::size_t>(position - start), static_cast<std::size_t>(size));
  return PinnedBytes{std::move(window), bytes};
}

template <class Read>
Status CommitLog::Impl::read(LogPosition position, std::span<std::byte> to, Read read_file) const {
  if (static_cast<std::int64_t>(to.size()) > watermarks_.published() - position) {
    return error(Errc::kNotFound, position.value);
  }
  while (!to.empty()) {
    const auto segment = segments_.find(position);
    if (!segment) return error(Errc::kNotFound, position.value);
    const auto part = to.first(std::min(to.size(), static_cast<std::size_t>(segment->end() - position)));
    if (auto done = read_file(segment->file(), position - segment->start(), part); !done) {
      return translated(done.error(), position);
    }
    to = to.subspan(part.size());
    position += static_cast<std::int64_t>(part.size());
  }
  return {};
}

std::vector<CommitLog::Segment> CommitLog::Impl::list_segments() const {
  const auto listed = disk_.list(segments_.directory());
  if (!listed) return {};
  std::map<std::string_view, std::int64_t> modified_ms;
  for (const auto& entry : *listed) modified_ms[entry.name] = entry.modified_ms;
  std::vector<Segment> found;
  for (const auto& segment : segments_.all()) {
    const auto name = segment_name(segment->start());
    const auto known = modified_ms.find(name);
    if (known == modified_ms.end()) continue;  // created since the list was made, or removed
    found.push_back({segment->start(), segments_.segment_size(), known->second, segment->file().path()});
  }
  return found;
}

Status CommitLog::Impl::remove_before(LogPosition position) {
  position = std::min({position, watermarks_.durable(), watermarks_.published()});
  while (segments_.min_position() + segments_.segment_size() <= position) {
    if (segments_.min_position() + segments_.segment_size() == segments_.end()) break;
    if (auto removed = segments_.remove_first(); !removed) return removed;
  }
  return {};
}

// ---- the door

CommitLog::CommitLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CommitLog::~CommitLog() = default;

Result<std::unique_ptr<CommitLog>> CommitLog::open(file::Disk& disk, const Clock& clock, const LogOptions& options,
                                                   std::string& problem) {
  TERN_CHECK(!options.directory.empty(), "no directory for the log");
  const auto* const put = find_put_strategy(options.put_strategy.get());
  const auto* const flush = find_flush_policy(chosen_flush_policy(options));
  if (put == nullptr || flush == nullptr) {
    problem = put == nullptr ? fmt::format("putMessageLock={} is not known; it may be {}", options.put_strategy.get(),
                                           put_strategy_names())
                             : fmt::format("flushDiskType={} is not known", options.flush_policy);
    return errno_error(EINVAL);
  }
  auto impl = std::make_unique<Impl>(disk, clock, options, *put, *flush);
  if (auto opened = impl->open(problem); !opened) return opened.error();
  return std::unique_ptr<CommitLog>(new CommitLog(std::move(impl)));
}

LogPosition CommitLog::min_position() const {
  return impl_->segments_.min_position();
}
LogPosition CommitLog::files_end() const {
  return impl_->segments_.end();
}
Result<LogPosition> CommitLog::scan(LogPosition from, message::BodyCheck check, const Visit& visit) {
  return scan_log(impl_->segments_, from, check, visit);
}
Status CommitLog::start(LogPosition tail, LogPosition sync_from, std::int64_t last_store_timestamp) {
  return impl_->start(tail, sync_from, last_store_timestamp);
}
void CommitLog::append(AppendBatch& batch) noexcept {
  impl_->put_.append(batch);
}
std::string_view CommitLog::put_strategy() const {
  return impl_->put_.name();
}
void CommitLog::apply_put_strategy() {
  const auto* const row = find_put_strategy(impl_->options_.put_strategy.get());
  TERN_CHECK(row != nullptr, "putMessageLock={}", impl_->options_.put_strategy.get());  // its row has checked it
  if (row->name == put_strategy()) return;
  const auto before = put_strategy();
  impl_->put_.change_to(*row);
  log_info("the put lock was {} and is {} now", before, row->name);
}
Watermarks& CommitLog::watermarks() {
  return impl_->watermarks_;
}
const Watermarks& CommitLog::watermarks() const {
  return impl_->watermarks_;
}
std::optional<PinnedBytes> CommitLog::hot(LogPosition position, std::int64_t size) const {
  return impl_->hot(position, size);
}
Status CommitLog::read_no_wait(LogPosition position, std::span<std::byte> to) const {
  return impl_->read(position, to, [](auto& file, auto at, auto part) { return file.read_no_wait(at, part); });
}
Status CommitLog::read(LogPosition position, std::span<std::byte> to) const {
  return impl_->read(position, to, [](auto& file, auto at, auto part) { return file.read(at, part); });
}
LogPosition CommitLog::next_segment(LogPosition position) const {
  return impl_->segments_.start_of(position) + impl_->segments_.segment_size();
}
StepResult CommitLog::segments_step() {
  return impl_->segments_step();
}
Wakeup& CommitLog::segments_wakeup() {
  return impl_->segments_wakeup_;
}
void CommitLog::on_published(std::function<void()> advanced) {
  impl_->tail_.on_published(std::move(advanced));
}
void CommitLog::on_prepared(std::function<void()> ready) {
  impl_->on_prepared_ = std::move(ready);
}
StepResult CommitLog::flush_step() {
  return impl_->flush_step();
}
Wakeup& CommitLog::flush_wakeup() {
  return impl_->flush_wakeup_;
}
void CommitLog::on_durable(std::function<void()> advanced) {
  impl_->on_durable_ = std::move(advanced);
}
bool CommitLog::acknowledges_durable() const {
  return impl_->flush_policy_->acknowledges_durable();
}
std::string_view CommitLog::flush_policy() const {
  return impl_->flush_policy_->name();
}
std::string CommitLog::read_only_reason() const {
  const MutexLock lock(impl_->reason_mutex_);
  return impl_->read_only_reason_;
}
void CommitLog::make_read_only(std::string reason) {
  impl_->make_read_only(std::move(reason));
}
void CommitLog::set_disk_full(bool is_full) {
  impl_->tail_.set_disk_full(is_full);
}
bool CommitLog::is_disk_full() const {
  return impl_->tail_.is_disk_full();
}
std::int64_t CommitLog::not_ready_for_ms() const {
  return impl_->tail_.waiting_ms();
}
std::vector<CommitLog::Segment> CommitLog::segments() const {
  return impl_->list_segments();
}
Status CommitLog::remove_before(LogPosition position) {
  return impl_->remove_before(position);
}
Status CommitLog::close() {
  return impl_->close();
}
std::int64_t CommitLog::last_store_timestamp() const {
  return impl_->tail_.last_store_timestamp();
}
CommitLog::Counters CommitLog::counters() const {
  Counters counters;
  counters.syncs = impl_->syncs_.load(std::memory_order_relaxed);
  counters.synced_records = impl_->synced_records_.load(std::memory_order_relaxed);
  counters.not_ready = impl_->tail_.not_ready_groups();
  counters.clock_behind = impl_->tail_.clock_behind_batches();
  counters.put = impl_->put_.counters();
  return counters;
}

}  // namespace tern::store
