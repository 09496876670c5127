#include "store/queue_tail.hpp"

namespace tern::store {
namespace {

constexpr std::size_t kSlabBlocks = 64;
constexpr std::int64_t kBlocksMin = 8;
constexpr std::size_t kTicketsAtFirst = 256;
constexpr std::size_t kRingKept = 4;  // a queue without blocks keeps no more than this of its ring

}  // namespace

TailPool::TailPool(std::int64_t bytes_max, std::int64_t entry_size)
    : blocks_max_(std::max(kBlocksMin, bytes_max / static_cast<std::int64_t>(sizeof(TailBlock)))),
      entry_size_(entry_size),
      entries_per_block_(TailBlock::kBytes / entry_size) {}

TailBlock* TailPool::take(StoredQueue* owner) {
  const MutexLock hold(lock_);
  if (free_ == nullptr) {
    auto& slab = slabs_.emplace_back(std::make_unique<TailBlock[]>(kSlabBlocks));
    for (std::size_t i = 0; i < kSlabBlocks; ++i) {
      slab[i].next = free_;
      free_ = &slab[i];
    }
  }
  TailBlock* const block = free_;
  free_ = block->next;
  block->next = nullptr;
  used_.store(used_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  push(owner);
  return block;
}

void TailPool::give_back(TailBlock* block) {
  const MutexLock hold(lock_);
  block->next = free_;
  free_ = block;
  used_.store(used_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
}

void TailPool::push(StoredQueue* owner) {
  if (ticket_count_ == tickets_.size()) {
    std::vector<StoredQueue*> larger(std::max(kTicketsAtFirst, 2 * tickets_.size()));
    for (std::size_t i = 0; i < ticket_count_; ++i) larger[i] = tickets_[(first_ticket_ + i) % tickets_.size()];
    tickets_ = std::move(larger);
    first_ticket_ = 0;
  }
  tickets_[(first_ticket_ + ticket_count_) % tickets_.size()] = owner;
  ++ticket_count_;
}

StoredQueue* TailPool::pop_ticket() {
  const MutexLock hold(lock_);
  while (ticket_count_ > 0) {
    StoredQueue* const owner = tickets_[first_ticket_];
    first_ticket_ = (first_ticket_ + 1) % tickets_.size();
    --ticket_count_;
    if (owner != nullptr) return owner;  // forgotten tickets are null
  }
  return nullptr;
}

void TailPool::push_ticket(StoredQueue* owner) {
  const MutexLock hold(lock_);
  push(owner);
}

void TailPool::forget_ticket(StoredQueue* owner) {
  const MutexLock hold(lock_);
  for (std::size_t i = ticket_count_; i-- > 0;) {
    auto& ticket = tickets_[(first_ticket_ + i) % tickets_.size()];
    if (ticket != owner) continue;
    ticket = nullptr;
    return;
  }
}

void TailPool::forget_tickets(StoredQueue* owner) {
  const MutexLock hold(lock_);
  for (std::size_t i = 0; i < ticket_count_; ++i) {
    auto& ticket = tickets_[(first_ticket_ + i) % tickets_.size()];
    if (ticket == owner) ticket = nullptr;
  }
}

void QueueTail::add_block(TailPool& pool, StoredQueue* owner, std::int64_t end) {
  if (count_ == ring_.size()) {
    std::vector<TailBlock*> larger(std::max<std::size_t>(1, 2 * ring_.size()));
    for (std::uint32_t i = 0; i < count_; ++i) larger[i] = block(i);
    ring_ = std::move(larger);
    first_ = 0;
  }
  newest_ = pool.take(owner);
  newest_->first = end;
  ring_[(first_ + count_) & (ring_.size() - 1)] = newest_;
  ++count_;
}

bool QueueTail::drop_oldest(TailPool& pool, std::int64_t written, std::int64_t end) {
  if (count_ == 0) return false;
  TailBlock* const oldest = block(0);
  if (std::min(oldest->first + pool.entries_per_block(), end) > written) return false;
  ++first_;
  if (--count_ == 0) {
    newest_ = nullptr;
    if (ring_.size() > kRingKept) ring_ = {};
  }
  pool.give_back(oldest);
  return true;
}

void QueueTail::truncate(TailPool& pool, StoredQueue* owner, std::int64_t new_end) {
  while (count_ > 0 && newest_->first >= new_end) {
    pool.forget_ticket(owner);
    pool.give_back(newest_);
    newest_ = --count_ > 0 ? block(count_ - 1) : nullptr;
  }
}

void QueueTail::clear(TailPool& pool, StoredQueue* owner) {
  if (count_ == 0) return;
  pool.forget_tickets(owner);
  for (std::uint32_t i = 0; i < count_; ++i) pool.give_back(block(i));
  ring_ = {};
  first_ = count_ = 0;
  newest_ = nullptr;
}

}  // namespace tern::store
