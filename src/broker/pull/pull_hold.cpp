#include "broker/pull/pull_hold.hpp"

#include <algorithm>

namespace tern::broker {
namespace {

// A pull whose filter let messages pass is answered this much later at the latest, so that its client's offset moves
// on.
constexpr std::int64_t kPassedMs = 5000;

void forget(std::vector<std::uint64_t>& ids, std::uint64_t id) {
  const auto at = std::find(ids.begin(), ids.end(), id);
  if (at == ids.end()) return;
  *at = ids.back();
  ids.pop_back();
}

}  // namespace

PullHold::PullHold(const Clock& clock, std::size_t io_threads, Post post, Resume resume)
    : clock_(clock), post_(std::move(post)), resume_(std::move(resume)), ready_(io_threads) {}

bool PullHold::park(PendingPull& pull, std::int64_t wait_ms, std::int64_t parked_max) {
  {
    const std::lock_guard lock(mutex_);
    if (static_cast<std::int64_t>(parked_.size()) >= parked_max) return false;
    const Id id = next_id_++;
    const auto* queue = pull.queue.get();
    const std::int64_t deadline = clock_.steady_ms() + std::max<std::int64_t>(wait_ms, 0);
    by_queue_[queue].push_back(id);
    by_peer_[pull.peer->id()].push_back(id);
    by_deadline_.emplace(deadline, id);
    const auto& parked = parked_.emplace(id, Parked{std::move(pull), deadline, false}).first->second;
    // Sequentially consistent with the load in arrived(): either that sees us, or we see the queue it has grown.
    count_.store(parked_.size());
    if (queue->bounds().max.value > parked.pull.offset || queue->is_deleted()) wake(id);
  }
  deliver();
  return true;
}

void PullHold::arrived(const store::Arrival& arrival) {
  if (count_.load() == 0) return;
  const std::lock_guard lock(mutex_);
  const auto waiting = by_queue_.find(&arrival.queue);
  if (waiting == by_queue_.end()) return;
  const auto ids = waiting->second;  // wake() changes the list
  for (const Id id : ids) {
    auto& parked = parked_.at(id);
    if (!parked.pull.filter || parked.pull.filter->matches(arrival.tags_code)) {
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
  }
  deliver();
}

void PullHold::peer_closed(const remoting::Peer& peer) {
  const std::lock_guard lock(mutex_);
  const auto found = by_peer_.find(peer.id());
  if (found == by_peer_.end()) return;
  const auto ids = found->second;
  for (const Id id : ids) take(id).reply.forget();
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

void PullHold::wake(Id id) {
  auto pull = take(id);
  const std::size_t io_thread = pull.io_thread;
  ready_[io_thread].push_back(std::move(pull));
  any_ready_ = true;
}

PendingPull PullHold::take(Id id) {
  const auto found = parked_.find(id);
  auto pull = std::move(found->second.pull);
  by_deadline_.erase({found->second.deadline_ms, id});
  const auto queue = by_queue_.find(pull.queue.get());
  forget(queue->second, id);
  if (queue->second.empty()) by_queue_.erase(queue);
  const auto peer = by_peer_.find(pull.peer->id());
  forget(peer->second, id);
  if (peer->second.empty()) by_peer_.erase(peer);
  parked_.erase(found);
  count_.store(parked_.size());
  return pull;
}

void PullHold::deliver() {
  for (std::size_t i = 0; i < ready_.size(); ++i) {
    std::vector<PendingPull> ready;
    {
      const std::lock_guard lock(mutex_);
      if (!any_ready_) return;
      ready.swap(ready_[i]);
      any_ready_ = std::any_of(ready_.begin(), ready_.end(), [](const auto& list) { return !list.empty(); });
    }
    if (ready.empty()) continue;
    post_(i, [this, pulls = std::make_shared<std::vector<PendingPull>>(std::move(ready))] {
      for (auto& pull : *pulls) resume_(std::move(pull));
    });
  }
}

}  // namespace tern::broker
