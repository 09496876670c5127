#pragma once
// The newest entries of all queues: chains of small blocks from one pool with one bound. Blocks hold entries as the
// files do, so that upkeep copies and readers decode.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tern/base/thread_annotations.hpp"
#include "tern/store/types.hpp"

namespace tern::store {

class StoredQueue;

/// Entries from `first` on of one queue, as many as there is room for or as far as the queue reaches.
struct TailBlock {
  static constexpr std::int64_t kBytes = 50 * kQueueEntrySize;
  TailBlock* next = nullptr;  // while it is free
  std::int64_t first = 0;
  std::array<std::byte, kBytes> bytes;
};
static_assert(sizeof(TailBlock) == 1016);

/// Where blocks come from. The bound is soft: take() always gives a block, and is_full() says that dispatch must pause.
/// Beside the blocks it keeps one ticket per block in use, in the order of taking: whose block to drop first. Any
/// thread; its lock is taken inside of a queue's.
class TailPool {
 public:
  explicit TailPool(std::int64_t bytes_max, std::int64_t entry_size = kQueueEntrySize);
  TailPool(const TailPool&) = delete;
  TailPool& operator=(const TailPool&) = delete;

  [[nodiscard]] std::int64_t entry_size() const noexcept { return entry_size_; }
  [[nodiscard]] std::int64_t entries_per_block() const noexcept { return entries_per_block_; }

  TailBlock* take(StoredQueue* owner) TERN_EXCLUDES(lock_);
  /// Gives one block back. Its ticket must be gone: pop_ticket or forget_tickets.
  void give_back(TailBlock* block) TERN_EXCLUDES(lock_);

  [[nodiscard]] bool is_full() const noexcept { return used_.load(std::memory_order_relaxed) >= blocks_max_; }
  /// Upkeep makes room down to here.
  [[nodiscard]] bool is_above_low_mark() const noexcept {
    return used_.load(std::memory_order_relaxed) > blocks_max_ - blocks_max_ / 4;
  }
  [[nodiscard]] std::int64_t used_blocks() const noexcept { return used_.load(std::memory_order_relaxed); }

  /// The owner of the oldest ticket, which is then gone; null if there is none.
  StoredQueue* pop_ticket() TERN_EXCLUDES(lock_);
  void push_ticket(StoredQueue* owner) TERN_EXCLUDES(lock_);
  void forget_ticket(StoredQueue* owner) TERN_EXCLUDES(lock_);   // one, if there is one
  void forget_tickets(StoredQueue* owner) TERN_EXCLUDES(lock_);  // all

 private:
  void push(StoredQueue* owner) TERN_REQUIRES(lock_);

  const std::int64_t blocks_max_;
  const std::int64_t entry_size_;
  const std::int64_t entries_per_block_;
  // Stored under lock_, read by anyone as a hint; Store::dispatch_paused_ orders it where that counts.
  std::atomic<std::int64_t> used_{0};
  Mutex lock_;
  std::vector<std::unique_ptr<TailBlock[]>> slabs_ TERN_GUARDED_BY(lock_);
  TailBlock* free_ TERN_GUARDED_BY(lock_) = nullptr;
  // A ring of tickets: no allocation once it has its size.
  std::vector<StoredQueue*> tickets_ TERN_GUARDED_BY(lock_);
  std::size_t first_ticket_ TERN_GUARDED_BY(lock_) = 0;
  std::size_t ticket_count_ TERN_GUARDED_BY(lock_) = 0;
};

/// One queue's blocks, oldest first. Guarded by its queue's lock. `end` is always the queue's max. All blocks but the
/// newest are full, so an offset's block is found by a division, however many there are.
class QueueTail {
 public:
  /// The first offset in memory; `end` if there is none.
  [[nodiscard]] std::int64_t begin(std::int64_t end) const { return count_ > 0 ? block(0)->first : end; }
  /// Where the bytes of the entry at `end` go. The caller fills all of them.
  std::byte* extend(TailPool& pool, StoredQueue* owner, std::int64_t end) {
    if (newest_ == nullptr || end == newest_->first + pool.entries_per_block()) add_block(pool, owner, end);
    return newest_->bytes.data() + (end - newest_->first) * pool.entry_size();
  }
  /// Calls visit(bytes of one entry or several in a row) over [from, from + count), which must be in memory.
  template <class Visit>
  void for_each(const TailPool& pool, std::int64_t from, std::int64_t count, Visit&& visit) const {
    if (count <= 0) return;
    const std::int64_t per_block = pool.entries_per_block();
    auto number = static_cast<std::uint32_t>((from - block(0)->first) / per_block);
    std::int64_t index = (from - block(0)->first) % per_block;
    for (; count > 0; ++number, index = 0) {
      const std::int64_t part = std::min(count, per_block - index);
      visit(std::span(block(number)->bytes)
                .subspan(static_cast<std::size_t>(index * pool.entry_size()),
                         static_cast<std::size_t>(part * pool.entry_size())));
      count -= part;
    }
  }
  [[nodiscard]] bool is_empty() const { return count_ == 0; }
  /// Drops the oldest block if all its entries are below `written`. Its ticket must be gone.
  bool drop_oldest(TailPool& pool, std::int64_t written, std::int64_t end);
  /// Forgets entries at and past `new_end`, tickets of dropped blocks included.
  void truncate(TailPool& pool, StoredQueue* owner, std::int64_t new_end);
  /// Forgets everything, tickets included.
  void clear(TailPool& pool, StoredQueue* owner);

 private:
  [[nodiscard]] TailBlock* block(std::uint32_t number) const { return ring_[(first_ + number) & (ring_.size() - 1)]; }
  void add_block(TailPool& pool, StoredQueue* owner, std::int64_t end);

  std::vector<TailBlock*> ring_;  // its size is a power of two
  std::uint32_t first_ = 0;       // of the oldest, in the ring
  std::uint32_t count_ = 0;
  TailBlock* newest_ = nullptr;
};

}  // namespace tern::store
