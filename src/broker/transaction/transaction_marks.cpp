#include "broker/transaction/transaction_marks.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace tern::broker {
namespace {

constexpr std::int64_t kWordBits = 64;

std::size_t text_size(std::int64_t half) {
  return fmt::format_int(half).size() + 1;
}

}  // namespace

void TransactionMarks::start(std::int64_t head, std::int64_t op_offset) {
  const MutexLock lock(mutex_);
  head_ = half_progress_ = head;
  base_ = head / kWordBits * kWordBits;
  op_next_ = op_offset;
}

TransactionMarks::ChainPtr TransactionMarks::chain_of(std::int64_t half) const {
  const auto found = chains_.find(half);
  return found == chains_.end() ? nullptr : found->second;
}

bool TransactionMarks::bit(std::int64_t half) const {
  const std::int64_t index = half - base_;
  const auto word = static_cast<std::size_t>(index / kWordBits);
  return index >= 0 && word < bits_.size() && ((bits_[word] >> (index % kWordBits)) & 1) != 0;
}

void TransactionMarks::set_bit(std::int64_t half) {
  if (half < head_) return;
  const std::int64_t index = half - base_;
  const auto word = static_cast<std::size_t>(index / kWordBits);
  if (word >= bits_.size()) bits_.resize(word + 1);
  bits_[word] |= std::uint64_t{1} << (index % kWordBits);
}

TransactionMarks::State TransactionMarks::state_locked(std::int64_t half) const {
  if (bit(half)) return State::kOver;
  const auto by = [&](std::int64_t offset) TERN_REQUIRES(mutex_) {
    const auto found = ending_.find(offset);
    return found == ending_.end() ? State::kOpen : found->second == End::kMarked ? State::kOver : State::kEnding;
  };
  if (const auto state = by(half); state != State::kOpen) return state;
  const auto chain = chain_of(half);
  if (!chain) return State::kOpen;
  return chain->is_over ? State::kOver : by(chain->ended_by);
}

TransactionMarks::State TransactionMarks::state(std::int64_t half) const {
  const MutexLock lock(mutex_);
  return state_locked(half);
}

TransactionMarks::Begin TransactionMarks::begin_end(std::int64_t half) {
  const MutexLock lock(mutex_);
  const auto chain = chain_of(half);
  if (ending_.contains(half) || (chain && (chain->is_over || ending_.contains(chain->ended_by)))) return Begin::kOver;
  // That it was put back, or stood behind head and is below it now, is no end.
  const bool is_copied = chain && chain->last != half;
  if (!is_copied && half >= head_ && bit(half)) return Begin::kOver;
  if (ending_.size() >= kEndingMax) return Begin::kFull;
  ending_[half] = End::kUnderWay;
  if (chain) chain->ended_by = half;
  return Begin::kTaken;
}

bool TransactionMarks::is_past(std::int64_t half) const {
  const MutexLock lock(mutex_);
  return half < head_ && !chains_.contains(half);
}

void TransactionMarks::abandon(std::int64_t half) {
  const MutexLock lock(mutex_);
  ending_.erase(half);
}

void TransactionMarks::mark(std::int64_t half, std::int64_t now_ms) {
  ending_[half] = End::kMarked;
  if (unwritten_.empty()) unwritten_since_ms_ = now_ms;
  unwritten_.push_back(half);
  unwritten_bytes_ += text_size(half);
}

void TransactionMarks::end(std::int64_t half, std::int64_t now_ms) {
  const MutexLock lock(mutex_);
  mark(half, now_ms);
  const auto chain = chain_of(half);
  if (!chain) return;
  chain->is_over = true;
  if (chain->last != half) mark(chain->last, now_ms);
}

void TransactionMarks::remember(std::int64_t half, const ChainPtr& chain) {
  const auto [place, is_new] = chains_.insert_or_assign(half, chain);
  if (!is_new) return;
  chained_.push_back(half);
  if (chained_.size() <= kCopiesMax) return;
  chains_.erase(chained_.front());
  chained_.pop_front();
}

TransactionMarks::ChainPtr TransactionMarks::link_locked(std::int64_t half, std::int64_t copy) {
  auto chain = chain_of(copy);
  if (!chain) chain = chain_of(half);
  if (!chain) chain = std::make_shared<Chain>(Chain{.last = half});
  chain->last = std::max(chain->last, copy);
  remember(half, chain);
  remember(copy, chain);
  return chain;
}

void TransactionMarks::link(std::int64_t half, std::int64_t copy) {
  const MutexLock lock(mutex_);
  link_locked(half, copy);
}

TransactionMarks::State TransactionMarks::copied(std::int64_t half, std::int64_t copy, std::int64_t now_ms) {
  const MutexLock lock(mutex_);
  const auto before = state_locked(half);
  const auto chain = link_locked(half, copy);
  if (ending_.contains(half)) chain->ended_by = half;
  if (before == State::kOver) {
    chain->is_over = true;
    mark(copy, now_ms);
  }
  set_bit(half);
  return before;
}

void TransactionMarks::resolve(std::int64_t half) {
  const MutexLock lock(mutex_);
  set_bit(half);
}

TransactionMarks::Batch TransactionMarks::take(std::size_t bytes_max) {
  const MutexLock lock(mutex_);
  Batch batch;
  for (std::size_t bytes = 0; !unwritten_.empty() && bytes < bytes_max;) {
    bytes += text_size(unwritten_.front());
    batch.push_back(unwritten_.front());
    unwritten_bytes_ -= text_size(unwritten_.front());
    unwritten_.pop_front();
  }
  return batch;
}

void TransactionMarks::give_back(const Batch& batch, std::int64_t now_ms) {
  const MutexLock lock(mutex_);
  unwritten_.insert(unwritten_.begin(), batch.begin(), batch.end());
  for (const auto half : batch) unwritten_bytes_ += text_size(half);
  unwritten_since_ms_ = now_ms;
}

TransactionMarks::Waiting TransactionMarks::waiting() const {
  const MutexLock lock(mutex_);
  return {unwritten_bytes_, unwritten_since_ms_};
}

std::int64_t TransactionMarks::advance() {
  const MutexLock lock(mutex_);
  for (;; ++head_) {
    if (bit(head_)) continue;
    const auto found = ending_.find(head_);
    if (found == ending_.end() || found->second != End::kMarked) break;
  }
  while (!bits_.empty() && base_ + kWordBits <= head_) {
    bits_.pop_front();
    base_ += kWordBits;
  }
  if (bits_.empty()) base_ = head_ / kWordBits * kWordBits;
  return head_;
}

void TransactionMarks::pass_to(std::int64_t half) {
  const MutexLock lock(mutex_);
  head_ = std::max(head_, half);
}

bool TransactionMarks::read_op(std::int64_t op_offset, std::span<const std::int64_t> halves) {
  const MutexLock lock(mutex_);
  const std::int64_t largest = halves.empty() ? -1 : *std::max_element(halves.begin(), halves.end());
  if (largest >= head_ && (largest - head_ >= kWindowMax || ops_.size() >= kOpsMax)) return false;
  for (const auto half : halves) {
    if (const auto found = ending_.find(half); found != ending_.end() && found->second == End::kMarked)
      ending_.erase(found);
    set_bit(half);
  }
  if (largest >= half_progress_ || !ops_.empty()) ops_.push_back({op_offset, largest});
  op_next_ = op_offset + 1;
  return true;
}

std::int64_t TransactionMarks::op_next() const {
  const MutexLock lock(mutex_);
  return op_next_;
}

TransactionMarks::Progress TransactionMarks::progress() {
  const MutexLock lock(mutex_);
  // A half message that head has passed because its end is marked here counts once the op queue has the mark.
  const auto first = ending_.lower_bound(half_progress_);
  half_progress_ = first != ending_.end() ? std::min(first->first, head_) : head_;
  while (!ops_.empty() && ops_.front().largest < half_progress_) ops_.pop_front();
  return {half_progress_, ops_.empty() ? op_next_ : ops_.front().offset};
}

std::size_t TransactionMarks::ending() const {
  const MutexLock lock(mutex_);
  return ending_.size();
}

}  // namespace tern::broker
