#include "broker/pull/pull_hold.hpp"

#include <algorithm>

namespace tern::broker {
namespace {

// A pull whose filter let messages pass is answered this much later at the latest, so that its client's offset moves
// on.
constexpr std::int64_t kPassedMs = 5000;

// What one turn reads again at most: its answers leave, and are counted, before the next portion.
constexpr int kPortionPulls = 256;
constexpr std::int64_t kPortionBytes = 1 << 20;

// What filters may look at for one arrival, in bytes, some milliseconds. Who comes later is woken unasked, and asks
// again when it reads.
constexpr std::int64_t kArrivalCostMax = 16 << 20;

}  // namespace

PullHold::PullHold(const Clock& clock, std::size_t io_threads, Post post, Resume resume)
    : clock_(clock), post_(std::move(post)), resume_(std::move(resume)), ready_(io_threads), is_posted_(io_threads) {}

void PullHold::Dropped::let_go() {
  for (auto& pull : pulls) pull.reply.forget();
  if (peer) peer->close();
}

Parking PullHold::admit_within(PendingPull& pull, const HoldLimits& limits, Dropped& dropped) {
  const std::int64_t bytes = pull.bytes();
  const bool is_too_many = pulls_ + 1 > limits.pulls;
  if (is_too_many || bytes_ + bytes > limits.bytes) {
    const Parking limit = is_too_many ? Parking::kTooMany : Parking::kTooManyBytes;
    const auto own = shares_.find(pull.peer->id());
    const std::int64_t held = own == shares_.end() ? 0 : is_too_many ? own->second.pulls : own->second.bytes;
    const std::int64_t sum = is_too_many ? pulls_ : bytes_;
    const std::int64_t wanted = held + (is_too_many ? 1 : bytes);
    if (wanted * static_cast<std::int64_t>(shares_.size()) >= sum) return limit;
    const Share& most = *largest(limit);
    if (const auto times = drop_lines_.admit(clock_)) {
      log_warning("{} ({}) is used up: {} is dropped, which holds {} pulls and {} bytes of it ({} times)",
                  is_too_many ? "parkedPullsMax" : "parkedPullsBytesMax", is_too_many ? limits.pulls : limits.bytes,
                  most.peer->remote_text(), most.pulls, most.bytes, times);
    }
    dropped_.fetch_add(1, std::memory_order_relaxed);
    dropped.peer = most.peer;
    dropped.pulls = remove(most.peer->id(), most.peer->io_thread());
  }
  admit(pull);
  return Parking::kParked;
}

Parking PullHold::park(PendingPull& pull, std::int64_t wait_ms, const HoldLimits& limits) {
  Dropped dropped;
  {
    const std::lock_guard lock(mutex_);
    if (const auto parking = admit_within(pull, limits, dropped); parking != Parking::kParked) return parking;
    const Id id = next_id_++;
    const auto* queue = pull.queue.get();
    const std::int64_t deadline = clock_.steady_ms() + std::max<std::int64_t>(wait_ms, 0);
    auto& of_queue = by_queue_[queue];
    auto& of_peer = shares_.at(pull.peer->id()).parked;
    const auto& parked =
        parked_.emplace(id, Parked{std::move(pull), deadline, false, of_queue.size(), of_peer.size()}).first->second;
    of_queue.push_back(id);
    of_peer.push_back(id);
    by_deadline_.emplace(deadline, id);
    // The exchange pairs with the look in arrived(): one of the two comes first. Either that one sees us, or we see the
    // queue that it has grown.
    count_.exchange(parked_.size(), std::memory_order_seq_cst);
    if (queue->bounds().max.value > parked.pull.offset || queue->is_deleted()) wake(id);
  }
  dropped.let_go();
  deliver();
  return Parking::kParked;
}

Parking PullHold::count(PendingPull& pull, const HoldLimits& limits) {
  Dropped dropped;
  Parking parking;
  {
    const std::lock_guard lock(mutex_);
    parking = admit_within(pull, limits, dropped);
  }
  dropped.let_go();
  return parking;
}

void PullHold::uncount(const PendingPull& pull) {
  const std::lock_guard lock(mutex_);
  release(pull);
}

void PullHold::defer(PendingPull pull) {
  {
    const std::lock_guard lock(mutex_);
    admit(pull);
    ready_[pull.io_thread].add(std::move(pull));
  }
  deliver();
}

void PullHold::arrived(const store::Arrival& arrival) {
  // A look that writes: a load alone could go before the store of the queue's end. Pairs with the exchange in park().
  // 5 to 10 ns per record.
  if (count_.fetch_add(0, std::memory_order_seq_cst) == 0) return;
  const std::lock_guard lock(mutex_);
  const auto waiting = by_queue_.find(&arrival.queue);
  if (waiting == by_queue_.end()) return;
  const auto ids = waiting->second;  // wake() changes the list
  std::int64_t cost = 0;
  const auto lets_pass = [&](const PendingPull& pull) {
    if (pull.filter && !pull.filter->matches(arrival.tags_code)) return false;
    if (!pull.property_filter) return true;
    cost += pull.property_filter->cost(arrival.properties.size());
    return cost > kArrivalCostMax || pull.property_filter->matches(arrival.properties);
  };
  for (const Id id : ids) {
    auto& parked = parked_.at(id);
    if (lets_pass(parked.pull)) {
      wake(id);
    } else if (!parked.was_passed) {
      parked.was_passed = true;
      by_deadline_.erase({parked.deadline_ms, id});
      parked.deadline_ms = std::min(parked.deadline_ms, clock_.steady_ms() + kPassedMs);
      by_deadline_.emplace(parked.deadline_ms, id);
    }
  }
}

void PullHold::arrived_done() {
  deliver();
}

void PullHold::expire() {
  {
    const std::lock_guard lock(mutex_);
    const std::int64_t now = clock_.steady_ms();
    while (!by_deadline_.empty() && by_deadline_.begin()->first <= now) wake(by_deadline_.begin()->second);
    for (auto& list : ready_) list.look_again();
  }
  deliver();
}

void PullHold::peer_closed(const remoting::Peer& peer) {
  std::vector<PendingPull> lost;
  {
    const std::lock_guard lock(mutex_);
    lost = remove(peer.id(), peer.io_thread());
  }
  for (auto& pull : lost) pull.reply.forget();
}

void PullHold::wake_topic(std::string_view topic) {
  {
    const std::lock_guard lock(mutex_);
    std::vector<Id> ids;
    for (const auto& [queue, waiting] : by_queue_) {
      if (queue->topic() == topic) ids.insert(ids.end(), waiting.begin(), waiting.end());
    }
    for (const Id id : ids) wake(id);
  }
  deliver();
}

void PullHold::wake_all() {
  {
    const std::lock_guard lock(mutex_);
    while (!parked_.empty()) wake(parked_.begin()->first);
  }
  deliver();
}

std::size_t PullHold::parked() const {
  const std::lock_guard lock(mutex_);
  return parked_.size();
}

void PullHold::admit(PendingPull& pull) {
  pull.held_bytes = pull.bytes();
  auto& share = shares_[pull.peer->id()];
  if (!share.peer) share.peer = pull.peer;
  ++share.pulls;
  ++pulls_;
  share.bytes += pull.held_bytes;
  bytes_ += pull.held_bytes;
}

void PullHold::release(const PendingPull& pull) {
  const auto share = shares_.find(pull.peer->id());
  --pulls_;
  bytes_ -= pull.held_bytes;
  share->second.bytes -= pull.held_bytes;
  if (--share->second.pulls == 0) shares_.erase(share);
}

void PullHold::wake(Id id) {
  auto pull = take(id);
  const std::size_t io_thread = pull.io_thread;
  ready_[io_thread].add(std::move(pull));
}

PendingPull PullHold::take(Id id) {
  // The last of a list takes the place of the one that goes.
  const auto forget = [this](std::vector<Id>& ids, std::size_t Parked::* place, std::size_t at) {
    ids[at] = ids.back();
    parked_.at(ids[at]).*place = at;
    ids.pop_back();
  };
  const auto found = parked_.find(id);
  const auto queue = by_queue_.find(found->second.pull.queue.get());
  forget(queue->second, &Parked::at_queue, found->second.at_queue);
  if (queue->second.empty()) by_queue_.erase(queue);
  forget(shares_.at(found->second.pull.peer->id()).parked, &Parked::at_peer, found->second.at_peer);
  by_deadline_.erase({found->second.deadline_ms, id});
  auto pull = std::move(found->second.pull);
  parked_.erase(found);
  // Relaxed: between an arrival that reads none and this stands a park(), which has acquired it.
  count_.store(parked_.size(), std::memory_order_relaxed);
  return pull;
}

std::vector<PendingPull> PullHold::remove(std::uint64_t peer_id, std::size_t io_thread) {
  std::vector<PendingPull> removed;
  const auto share = shares_.find(peer_id);
  if (share == shares_.end()) return removed;
  removed.reserve(static_cast<std::size_t>(share->second.pulls));
  while (!share->second.parked.empty()) removed.push_back(take(share->second.parked.back()));
  for (auto& pull : ready_[io_thread].remove(peer_id)) removed.push_back(std::move(pull));
  for (const auto& pull : removed) release(pull);
  return removed;
}

const PullHold::Share* PullHold::largest(Parking limit) const {
  const auto held = [limit](const Share& share) { return limit == Parking::kTooMany ? share.pulls : share.bytes; };
  const Share* most = nullptr;
  for (const auto& [id, share] : shares_) {
    if (most == nullptr || held(share) > held(*most)) most = &share;
  }
  return most;
}

void PullHold::deliver() {
  for (std::size_t i = 0; i < ready_.size(); ++i) {
    {
      const std::lock_guard lock(mutex_);
      if (is_posted_[i] != 0 || !ready_[i].has_turns()) continue;
      is_posted_[i] = 1;
    }
    post_(i, [this, i] { run_portion(i); });
  }
}

void PullHold::run_portion(std::size_t io_thread) {
  std::int64_t answered = 0;
  for (int pulls = 0; pulls < kPortionPulls && answered < kPortionBytes; ++pulls) {
    std::optional<PendingPull> pull;
    {
      const std::lock_guard lock(mutex_);
      pull = ready_[io_thread].take();
      if (!pull) {
        is_posted_[io_thread] = 0;
        return;
      }
      release(*pull);
    }
    if (pull->peer->is_open()) {
      answered += resume_(std::move(*pull));
    } else {
      pull->reply.forget();
    }
  }
  post_(io_thread, [this, io_thread] { run_portion(io_thread); });
}

}  // namespace tern::broker
