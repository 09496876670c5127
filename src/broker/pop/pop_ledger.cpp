#include "broker/pop/pop_ledger.hpp"

#include <algorithm>
#include <bit>

namespace tern::broker {
namespace {

// Acknowledgements that are on their way to the log are looked at again this much later.
constexpr std::int64_t kBeingAcknowledgedMs = 10;

using KeyView = std::tuple<std::string_view, std::string_view, std::int32_t>;
KeyView view_of(const PopQueueName& name) {
  return {name.group, name.topic, name.queue_id};
}

}  // namespace

std::uint32_t PopLedger::Open::all() const {
  constexpr std::uint32_t kFull = ~std::uint32_t{0};
  return deltas.size() >= kCheckpointMessagesMax ? kFull : (std::uint32_t{1} << deltas.size()) - 1;
}

std::optional<std::uint32_t> PopLedger::Open::bit(std::int64_t offset) const {
  if (offset < start_offset) return std::nullopt;
  const auto found = std::lower_bound(deltas.begin(), deltas.end(), offset - start_offset);
  if (found == deltas.end() || *found != offset - start_offset) return std::nullopt;
  return std::uint32_t{1} << (found - deltas.begin());
}

// ---- queues

PopLedger::Queue& PopLedger::queue(const PopQueueName& name) {
  auto found = queues_.find(view_of(name));
  if (found == queues_.end()) {
    found = queues_.emplace(Key{std::string(name.group), std::string(name.topic), name.queue_id}, Queue{}).first;
    found->second.key = &found->first;
  }
  return found->second;
}

const PopLedger::Queue* PopLedger::find(const PopQueueName& name) const {
  const auto found = queues_.find(view_of(name));
  return found == queues_.end() ? nullptr : &found->second;
}

void PopLedger::drop_if_idle(Queue& queue) {
  if (queue.is_locked || !queue.checkpoints.empty()) return;
  queues_.erase(queues_.find(*queue.key));
}

bool PopLedger::lock(const PopQueueName& name) {
  const MutexLock lock(mutex_);
  auto& place = queue(name);
  if (place.is_locked) return false;
  place.is_locked = true;
  return true;
}

void PopLedger::unlock(const PopQueueName& name) {
  const MutexLock lock(mutex_);
  auto& place = queue(name);
  place.is_locked = false;
  drop_if_idle(place);
}

bool PopLedger::is_locked(const PopQueueName& name) const {
  const MutexLock lock(mutex_);
  const auto* place = find(name);
  return place != nullptr && place->is_locked;
}

std::int64_t PopLedger::open_messages(const PopQueueName& name) const {
  const MutexLock lock(mutex_);
  const auto* place = find(name);
  return place == nullptr ? 0 : place->open_messages;
}

// ---- checkpoints

PopLedger::Open& PopLedger::add(const Checkpoint& checkpoint, std::int32_t revive_queue, std::int64_t revive_offset) {
  const Id id = next_id_++;
  auto& open = *open_.emplace(id, std::make_unique<Open>()).first->second;
  open.id = id;
  open.queue = &queue({checkpoint.group, checkpoint.topic, checkpoint.queue_id});
  open.start_offset = checkpoint.start_offset;
  open.pop_time = checkpoint.pop_time;
  open.invisible_ms = checkpoint.invisible_ms;
  open.broker = checkpoint.broker;
  open.deltas = checkpoint.deltas;
  open.done = checkpoint.acknowledged & open.all();
  open.revive_queue = revive_queue;
  open.revive_offset = revive_offset;
  open.queue->checkpoints[{open.start_offset, open.pop_time}] = &open;
  open.queue->open_messages += std::popcount(open.all() & ~open.done);
  by_revive_[revive_queue].emplace(revive_offset, id);
  return open;
}

void PopLedger::wait(Open& open, std::int64_t due_ms) {
  open.due_ms = due_ms;
  by_due_.emplace(due_ms, open.id);
}

void PopLedger::forget(Open& open) {
  auto& place = *open.queue;
  place.open_messages -= std::popcount(open.all() & ~open.done);
  place.checkpoints.erase({open.start_offset, open.pop_time});
  by_due_.erase({open.due_ms, open.id});
  by_revive_[open.revive_queue].erase({open.revive_offset, open.id});
  in_flight_.erase(open.id);
  open_.erase(open.id);
  drop_if_idle(place);
}

void PopLedger::finish(Open& open, std::uint32_t bits) {
  open.queue->open_messages -= std::popcount(bits & ~open.done);
  open.done |= bits;
}

std::optional<PopLedger::Id> PopLedger::begin(const Checkpoint& checkpoint, std::int32_t revive_queue,
                                              std::int64_t offset_min) {
  const MutexLock lock(mutex_);
  if (find(Named{
          {checkpoint.group, checkpoint.topic, checkpoint.queue_id}, checkpoint.start_offset, checkpoint.pop_time}) !=
      nullptr) {
    return std::nullopt;
  }
  auto& open = add(checkpoint, revive_queue, offset_min);
  in_flight_.insert(open.id);
  return open.id;
}

void PopLedger::stored(Id id, std::int64_t revive_offset, store::LogPosition position, std::int64_t due_ms) {
  const MutexLock lock(mutex_);
  auto& open = *open_.at(id);
  auto& needed = by_revive_[open.revive_queue];
  needed.erase({open.revive_offset, id});
  needed.emplace(revive_offset, id);
  open.revive_offset = revive_offset;
  open.position = position;
  open.is_stored = true;
  in_flight_.erase(id);
  wait(open, due_ms);
}

void PopLedger::abandon(Id id) {
  const MutexLock lock(mutex_);
  forget(*open_.at(id));
}

void PopLedger::found(const Checkpoint& checkpoint, std::int32_t revive_queue, std::int64_t revive_offset,
                      store::LogPosition position, std::int64_t due_ms) {
  const MutexLock lock(mutex_);
  std::uint32_t done = 0;
  if (auto* const earlier = find(Named{
          {checkpoint.group, checkpoint.topic, checkpoint.queue_id}, checkpoint.start_offset, checkpoint.pop_time})) {
    if (!earlier->is_stored || earlier->is_taken || earlier->being_acknowledged != 0) return;
    done = earlier->done;
    forget(*earlier);
  }
  auto& open = add(checkpoint, revive_queue, revive_offset);
  finish(open, done & open.all());
  open.position = position;
  open.is_stored = true;
  if (open.done == open.all()) return forget(open);
  wait(open, due_ms);
}

void PopLedger::found(const Acknowledgement& acknowledgement) {
  const MutexLock lock(mutex_);
  const auto& a = acknowledgement;
  auto* const open = find(Named{{a.group, a.topic, a.queue_id}, a.start_offset, a.pop_time});
  if (open == nullptr || !open->is_stored || open->is_taken) return;
  for (const auto offset : a.offsets) {
    if (const auto bit = open->bit(offset)) finish(*open, *bit);
  }
  if (open->done == open->all() && open->being_acknowledged == 0) forget(*open);
}

std::size_t PopLedger::open() const {
  const MutexLock lock(mutex_);
  return open_.size();
}

// ---- acknowledging

PopLedger::Open* PopLedger::find(const Named& name) const {
  const auto* place = find(name.queue);
  if (place == nullptr) return nullptr;
  const auto found = place->checkpoints.find({name.start_offset, name.pop_time});
  return found == place->checkpoints.end() ? nullptr : found->second;
}

std::vector<std::int64_t> PopLedger::begin_ack(const Named& name, const std::vector<std::int64_t>& offsets) {
  const MutexLock lock(mutex_);
  std::vector<std::int64_t> taken;
  auto* const open = find(name);
  if (open == nullptr || !open->is_stored || open->is_taken) return taken;
  for (const auto offset : offsets) {
    const auto bit = open->bit(offset);
    if (!bit || ((open->done | open->being_acknowledged) & *bit) != 0) continue;
    open->being_acknowledged |= *bit;
    taken.push_back(offset);
  }
  return taken;
}

void PopLedger::end_ack(const Named& name, const std::vector<std::int64_t>& offsets, bool is_stored) {
  const MutexLock lock(mutex_);
  auto* const open = find(name);
  if (open == nullptr) return;
  for (const auto offset : offsets) {
    const auto bit = open->bit(offset);
    if (!bit) continue;
    open->being_acknowledged &= ~*bit;
    if (is_stored) finish(*open, *bit);
  }
  if (open->done == open->all() && !open->is_taken) forget(*open);
}

std::optional<std::int32_t> PopLedger::revive_queue_of(const Named& name) const {
  const MutexLock lock(mutex_);
  const auto* open = find(name);
  return open == nullptr ? std::nullopt : std::optional(open->revive_queue);
}

// ---- reviving

Checkpoint PopLedger::rest_of(const Open& open) {
  Checkpoint rest;
  std::tie(rest.group, rest.topic, rest.queue_id) = *open.queue->key;
  rest.broker = open.broker;
  rest.start_offset = open.start_offset;
  rest.pop_time = open.pop_time;
  rest.invisible_ms = open.invisible_ms;
  for (std::size_t i = 0; i < open.deltas.size(); ++i) {
    if ((open.done >> i & 1) == 0) rest.deltas.push_back(open.deltas[i]);
  }
  return rest;
}

std::vector<PopLedger::Due> PopLedger::take_due(std::int64_t now_ms, std::size_t count_max) {
  const MutexLock lock(mutex_);
  std::vector<Due> due;
  while (!by_due_.empty() && by_due_.begin()->first <= now_ms && due.size() < count_max) {
    auto& open = *open_.at(by_due_.begin()->second);
    by_due_.erase(by_due_.begin());
    if (open.being_acknowledged != 0 || open.is_moving) {  // known in an instant
      wait(open, now_ms + kBeingAcknowledgedMs);
      continue;
    }
    open.is_taken = true;
    due.push_back({open.id, rest_of(open), open.revive_queue, open.position, open.failures});
  }
  return due;
}

std::optional<std::int64_t> PopLedger::next_due(std::int64_t now_ms) const {
  const MutexLock lock(mutex_);
  if (by_due_.empty()) return std::nullopt;
  return std::max<std::int64_t>(by_due_.begin()->first - now_ms, 0);
}

void PopLedger::revived(Id id, const std::vector<std::int64_t>& done, std::int64_t due_ms) {
  const MutexLock lock(mutex_);
  auto& open = *open_.at(id);
  for (const auto offset : done) {
    if (const auto bit = open.bit(offset)) finish(open, *bit);
  }
  open.is_taken = false;
  if (open.done == open.all()) return forget(open);
  ++open.failures;
  wait(open, due_ms);
}

// ---- progress

std::int64_t PopLedger::first_needed(std::int32_t revive_queue, std::int64_t end) const {
  const MutexLock lock(mutex_);
  const auto needed = by_revive_.find(revive_queue);
  if (needed == by_revive_.end() || needed->second.empty()) return end;
  return std::min(end, needed->second.begin()->first);
}

std::optional<PopLedger::Laggard> PopLedger::take_laggard(std::int32_t revive_queue, std::int64_t end,
                                                          std::int64_t behind_max) {
  const MutexLock lock(mutex_);
  const auto needed = by_revive_.find(revive_queue);
  if (needed == by_revive_.end() || needed->second.empty()) return std::nullopt;
  const auto [offset, id] = *needed->second.begin();
  auto& open = *open_.at(id);
  const bool is_idle = open.is_stored && !open.is_taken && !open.is_moving && open.being_acknowledged == 0;
  if (end - offset <= behind_max || !is_idle) return std::nullopt;
  open.is_moving = true;
  open.done_when_copied = open.done;
  auto checkpoint = rest_of(open);
  checkpoint.deltas = open.deltas;
  checkpoint.acknowledged = open.done;
  return Laggard{id, std::move(checkpoint), revive_queue};
}

void PopLedger::moved(Id id, std::int64_t revive_offset) {
  const MutexLock lock(mutex_);
  const auto found = open_.find(id);
  if (found == open_.end()) return;  // all of it was acknowledged meanwhile
  auto& open = *found->second;
  open.is_moving = false;
  // What was acknowledged meanwhile may stand before the copy, which does not say it.
  if (revive_offset < 0 || open.done != open.done_when_copied || open.being_acknowledged != 0) return;
  auto& needed = by_revive_[open.revive_queue];
  needed.erase({open.revive_offset, id});
  needed.emplace(revive_offset, id);
  open.revive_offset = revive_offset;
}

PopLedger::Id PopLedger::first_in_flight() const {
  const MutexLock lock(mutex_);
  return in_flight_.empty() ? next_id_ : *in_flight_.begin();
}

PopLedger::Id PopLedger::next_id() const {
  const MutexLock lock(mutex_);
  return next_id_;
}

}  // namespace tern::broker
