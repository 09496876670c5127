// What is inside the append lock, for a batch of n records (reference machine, warm):
//   the look at who has the tail (TailOwner)        ~1 ns   once
//   refusal: three flags and a comparison           ~2 ns   once
//   load prepared, one comparison per group         ~1 ns
//   next_offset: load and store in the queue        ~1 ns   per record, a cache miss of ~80 ns if the queue is cold
//   place_head: three stores into the staged head   ~2 ns   per record
//   the record's own CRC, if it is wanted           ~40 ns  per record: head, join with what was summed up before
//   copy head, body and tail to the log             ~15 ns per record of 128 B, ~50-100 ns of 1 KB
//   size and magic: one store of 8 bytes            ~1 ns   per record
//   commit (nothing on a real disk), publish        ~3 ns   once
// Outside of it: the clock, encoding, CRC, wake-ups. Nothing here enters the kernel: below `prepared` every page is
// present and writable, except for the first store to a page after a sync has cleaned it.

#include "store/log_tail.hpp"

#include <algorithm>
#include <cstring>

#include "tern/base/byte_order.hpp"
#include "tern/base/check.hpp"
#include "tern/store/queue.hpp"

namespace tern::store {
namespace {

constexpr std::size_t kFrontSize = message::offset_of::kMagic + sizeof(std::int32_t);
static_assert(kFrontSize == 8, "size and magic are stored as one");

// What is prepared at a time, once all that is to be prepared ahead is there. The next sync writes it along with what
// it is for: with half of 16 MiB at a time, senders waited 20 ms for that every other second (p99.99 under synchronous
// flush, 10,000 messages of 1 KB a second), with this 4 ms.
constexpr std::int64_t kRefillBytes = 256 * 1024;

/// Size and magic, after everything else: a process that is killed in between leaves no record that looks begun. A
/// fence, because bytes at any address are no atomic; it orders stores alone and has no partner in this process.
void store_front(std::byte* to, const void* front) noexcept {
  std::atomic_thread_fence(std::memory_order_release);
  std::memcpy(to, front, kFrontSize);
}

std::byte* append_bytes(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  if (size > 0) std::memcpy(to, from, size);
  return to + size;
}

}  // namespace

LogTail::LogTail(const Clock& clock, Watermarks& watermarks, Wakeup& segments_wakeup, Wakeup& flush_wakeup,
                 const Settings& settings)
    : clock_(clock),
      watermarks_(watermarks),
      segments_wakeup_(segments_wakeup),
      flush_wakeup_(flush_wakeup),
      settings_(settings),
      low_water_(std::min(settings.prepare_ahead - std::min(kRefillBytes, settings.prepare_ahead / 2),
                          settings.segment_size)) {}

void LogTail::start(LogPosition tail, LogPosition segment_start, std::int64_t last_store_timestamp) {
  position_ = tail;
  segment_end_ = segment_start + settings_.segment_size;
  TERN_CHECK(segment_start <= tail && tail <= segment_end_ - message::kBlankSizeMin, "tail {} in segment {}", tail,
             segment_start);
  last_store_timestamp_.store(last_store_timestamp, std::memory_order_relaxed);
  wanted_.store(tail.value, std::memory_order_relaxed);
  prepared_.store(tail.value, std::memory_order_relaxed);
}

std::size_t LogTail::slot_of(LogPosition position) const noexcept {
  return static_cast<std::size_t>(position.value / settings_.segment_size) % kSlots;
}

LogTail::Outcome LogTail::append(AppendBatch& batch, std::int64_t now_ms) noexcept {
  Placed placed;
  const auto outcome = place_groups<true>(batch, now_ms, placed);
  if (placed.groups > 0) watermarks_.publish(position_);
  return outcome;
}

LogTail::Outcome LogTail::place(AppendBatch& batch, std::int64_t now_ms, Placed& placed) noexcept {
  return place_groups<false>(batch, now_ms, placed);
}

template <bool kCopies>
LogTail::Outcome LogTail::place_groups(AppendBatch& batch, std::int64_t now_ms, Placed& placed) noexcept {
  Outcome outcome;
  placed.first_group = batch.groups().size() - batch.pending_groups().size();
  if (const auto why = refusal(now_ms)) {
    outcome.clock_behind = *why == Errc::kClockBehind;
    refuse(batch, batch.pending_groups(), *why);
    batch.settle(batch.pending_groups().size());
    return outcome;
  }
  const auto prepared = LogTail::prepared();
  const auto timestamp = std::max(last_store_timestamp(), now_ms);
  const auto before = position_;
  auto uncommitted = position_;
  std::size_t settled = 0;
  std::int64_t records = 0;
  for (const auto& group : batch.pending_groups()) {
    if (group.total_size > settings_.segment_size - message::kBlankSizeMin) {
      refuse(batch, {&group, 1}, Errc::kRecordTooLarge);
      ++settled;
      continue;
    }
    const bool rolls = group.total_size + message::kBlankSizeMin > segment_end_ - position_;
    const auto end = (rolls ? segment_end_ : position_) + group.total_size;
    if (end > prepared) {
      outcome.not_ready = true;
      placed.groups = settled;
      batch.settle(settled);
      settled = 0;
      refuse_not_ready(batch, end);
      break;
    }
    if (rolls) {
      if constexpr (!kCopies) uncommitted = position_;  // the blank alone: the rest is committed by who copies it
      store_blank();
      commit(uncommitted);
      enter_segment(segment_end_);
      uncommitted = position_;
    }
    if (current_.bytes == nullptr) enter_segment(segment_end_ - settings_.segment_size);
    for (auto& record : batch.records(group)) {
      std::int64_t queue_offset = 0;
      if (record.takes_offset) {
        queue_offset = record.queue->next_offset;
        record.queue->next_offset += record.offset_count;
      }
      record.error.reset();
      record.placement = {position_, {queue_offset}, timestamp};
      if constexpr (kCopies) copy_record(batch, record, current_);
      position_ += record.total_size;
    }
    records += group.count;
    ++settled;
  }
  if (!outcome.not_ready) placed.groups = settled;
  batch.settle(settled);
  if (position_ == before) {
    placed.groups = 0;
    return outcome;
  }
  placed.end = position_;
  if constexpr (kCopies) commit(uncommitted);
  last_store_timestamp_.store(timestamp, std::memory_order_relaxed);
  records_.store(records_.load(std::memory_order_relaxed) + records, std::memory_order_relaxed);
  return outcome;
}

void LogTail::copy(AppendBatch& batch, const Placed& placed) const noexcept {
  const TailWindow* window = nullptr;
  LogPosition from;
  LogPosition to;
  const auto commit_range = [&] {
    if (window == nullptr) return;
    window->window->commit(static_cast<std::size_t>(from - window->start), static_cast<std::size_t>(to - from));
  };
  for (const auto& group : batch.groups().subspan(placed.first_group, placed.groups)) {
    for (auto& record : batch.records(group)) {
      if (record.error) continue;  // too large: the only kind that may stand between placed ones
      const auto position = record.placement.position;
      // The slot is that of this segment until published has left it, which needs this very record.
      const auto& slot = slots_[slot_of(position)];
      if (&slot != window) {
        commit_range();
        window = &slot;
        from = position;
      }
      copy_record(batch, record, *window);
      to = position + record.total_size;
    }
  }
  commit_range();
}

std::optional<Errc> LogTail::refusal(std::int64_t now_ms) const noexcept {
  if (is_closed()) return Errc::kReadOnly;
  if (is_disk_full_.load(std::memory_order_relaxed)) return Errc::kDiskFull;
  // Not by the time that was read outside alone: who waited long for the lock brings an old one.
  if (last_store_timestamp() - now_ms > kClockBehindMaxMs && !settings_.accepts_clock_behind &&
      last_store_timestamp() - LogTail::now_ms() > kClockBehindMaxMs) {
    return Errc::kClockBehind;
  }
  return {};
}

void LogTail::refuse(AppendBatch& batch, std::span<const StagedGroup> groups, Errc why) noexcept {
  for (const auto& group : groups) {
    for (auto& record : batch.records(group)) record.error = why;
  }
}

void LogTail::refuse_not_ready(AppendBatch& batch, LogPosition wanted) noexcept {
  const auto pending = batch.pending_groups();
  const bool no_space = no_space_.load(std::memory_order_relaxed);
  refuse(batch, pending, no_space ? Errc::kDiskFull : Errc::kNotReady);
  if (no_space) {
    batch.settle(pending.size());
  } else {
    const auto groups = not_ready_groups_.load(std::memory_order_relaxed) + static_cast<std::int64_t>(pending.size());
    not_ready_groups_.store(groups, std::memory_order_relaxed);
    auto nobody = kNobodyWaits;
    waiting_since_ms_.compare_exchange_strong(nobody, clock_.steady_ms(), std::memory_order_relaxed);
  }
  if (wanted > LogTail::wanted()) wanted_.store(wanted.value, std::memory_order_release);
}

void LogTail::copy_record(AppendBatch& batch, const StagedRecord& record, const TailWindow& window) noexcept {
  const auto position = record.placement.position;
  auto* const head = batch.head(record);
  batch.place(record);
  auto* const front = window.bytes + (position - window.start);
  auto* to = append_bytes(front + kFrontSize, head + kFrontSize, record.head_size - kFrontSize);
  to = append_bytes(to, record.body.data(), record.body.size());
  append_bytes(to, batch.tail(record), record.tail_size);
  store_front(front, head);
}

void LogTail::store_blank() noexcept {
  if (current_.bytes == nullptr) enter_segment(segment_end_ - settings_.segment_size);
  std::array<std::byte, kFrontSize> blank;
  store_be(blank.data(), static_cast<std::int32_t>(segment_end_ - position_));
  store_be(blank.data() + message::offset_of::kMagic, message::kMagicBlank);
  store_front(current_.bytes + (position_ - current_.start), blank.data());
  position_ += message::kBlankSizeMin;
}

void LogTail::enter_segment(LogPosition segment_start) noexcept {
  current_ = slots_[slot_of(segment_start)];
  TERN_CHECK(current_.bytes != nullptr && current_.start == segment_start, "segment {} was not offered", segment_start);
  if (segment_start == segment_end_) {
    position_ = segment_start;
    segment_end_ += settings_.segment_size;
  }
}

void LogTail::commit(LogPosition from) noexcept {
  if (position_ == from) return;
  current_.window->commit(static_cast<std::size_t>(from - current_.start), static_cast<std::size_t>(position_ - from));
}

void LogTail::settle(const Outcome& outcome) noexcept {
  if (outcome.published_others && on_published_) on_published_();
  if (outcome.not_ready) not_ready_.store(true, std::memory_order_release);
  const bool is_low = prepared() - watermarks_.published() < low_water_;
  if ((outcome.not_ready || is_low) && !segments_asked_.exchange(true, std::memory_order_seq_cst)) {
    segments_wakeup_.notify();
  }
  if (settings_.wakes_flush && !flush_asked_.exchange(true, std::memory_order_seq_cst)) flush_wakeup_.notify();
  if (outcome.clock_behind) {
    if (const auto count = clock_behind_.admit(clock_)) {
      log_error(
          "sends are refused ({} times): the last record was stored {} ms ahead of this machine's clock. Set the "
          "clock, "
          "wait, or set acceptClockBehind=true",
          count, last_store_timestamp() - now_ms());
    }
  }
}

void LogTail::offer(const TailWindow& window) noexcept {
  // Offered again with each step: once an appender may be in the segment, its slot is not touched any more.
  auto& slot = slots_[slot_of(window.start)];
  if (slot.window == window.window && slot.start == window.start) return;
  slot = window;
}

void LogTail::prepare(LogPosition to) noexcept {
  TERN_CHECK(to >= prepared(), "{} after {}", to, prepared());
  prepared_.store(to.value, std::memory_order_release);
}

std::int64_t LogTail::waiting_ms() const noexcept {
  const auto since = waiting_since_ms_.load(std::memory_order_relaxed);
  return since == kNobodyWaits ? 0 : std::max<std::int64_t>(1, clock_.steady_ms() - since);
}

}  // namespace tern::store
