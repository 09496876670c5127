#pragma once
// A queue of a topic with queue.type=BatchCQ: its offsets count messages, its entries records that hold one or several.

#include "tern/store/queue.hpp"

namespace tern::store {

/// Offsets on top of numbered entries (entry_table.hpp), each of which says where its offsets begin. They follow each
/// other without a gap; an entry is found by binary search.
class BatchQueue final : public Queue {
 public:
  explicit BatchQueue(QueuePtr entries) : entries_(std::move(entries)) {}

  [[nodiscard]] const std::string& topic() const noexcept override { return entries_->topic(); }
  [[nodiscard]] std::int32_t id() const noexcept override { return entries_->id(); }
  [[nodiscard]] bool is_deleted() const noexcept override { return entries_->is_deleted(); }
  [[nodiscard]] QueueKind kind() const noexcept override { return QueueKind::kBatch; }

  Status append(QueueOffset offset, const QueueEntry& entry) override TERN_EXCLUDES(lock_);
  [[nodiscard]] QueueBounds bounds() const noexcept override {
    const std::int64_t min = min_.load(std::memory_order_acquire);
    return {{min}, {max_.load(std::memory_order_acquire)}};
  }
  [[nodiscard]] QueuePositions positions() const noexcept override { return entries_->positions(); }
  Result<std::size_t> read(QueueOffset from, std::span<QueueEntry> to, bool no_wait) const override
      TERN_EXCLUDES(lock_);
  Result<QueueOffset> begin_of(QueueOffset offset) const override TERN_EXCLUDES(lock_);
  Result<std::optional<EntryRange>> entries_of(QueueBounds bounds) const override TERN_EXCLUDES(lock_);

  // What its table does with it: by one caller at a time, beside dispatch.
  [[nodiscard]] Queue& entries() { return *entries_; }
  /// The bounds are known from elsewhere.
  void place(QueueBounds bounds, const EntryRange& entries) TERN_EXCLUDES(lock_);
  /// From what the entries say. kDamaged if they contradict each other.
  Status place_by_entries() TERN_EXCLUDES(lock_);
  /// Entries at the end are gone.
  Status follow_cut() TERN_EXCLUDES(lock_);
  /// Entries at the begin are gone.
  Status follow_retention() TERN_EXCLUDES(lock_);
  /// The number of the entry that holds `offset`, and where it begins; kNotFound outside of the bounds.
  struct Found {
    std::int64_t number = 0;
    QueueEntry entry;
  };
  Result<Found> find(QueueOffset offset, bool no_wait) const TERN_EXCLUDES(lock_);

 private:
  /// The entry with this number; kNotFound if there is none.
  Result<QueueEntry> entry_at(std::int64_t number, bool no_wait) const;

  const QueuePtr entries_;
  // Inside of it, the locks of the entries'.
  mutable Mutex lock_;
  std::uint64_t life_ TERN_GUARDED_BY(lock_) = 0;  // another one: entries are numbered anew
  EntryRange range_ TERN_GUARDED_BY(lock_);        // those that the bounds are
  // Stored under lock_, read by anyone.
  std::atomic<std::int64_t> min_{0};
  std::atomic<std::int64_t> max_{0};
};

}  // namespace tern::store
