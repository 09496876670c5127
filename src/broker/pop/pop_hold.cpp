#include "broker/pop/pop_hold.hpp"

#include <algorithm>
#include <utility>

namespace tern::broker {
namespace {

// What filters may look at for one arrival, in bytes, some milliseconds. Who comes later is woken unasked, and asks
// again when it reads.
constexpr std::int64_t kArrivalCostMax = 16 << 20;

}  // namespace

PopHold::Key& PopHold::key_of(const PopRequest& request) {
  auto& slot = keys_[{request.group, request.topic}];
  if (!slot) {
    slot = std::make_unique<Key>();
    slot->group = request.group;
    slot->topic = request.topic;
    slot->topics = parts_.retry_topics(request);
    slot->topics.push_back(request.topic);
    for (const auto& topic : slot->topics) by_topic_[topic].insert(slot.get());
  }
  return *slot;
}

bool PopHold::park(const PopRequestPtr& request, const Limits& limits) {
  Id id = 0;
  {
    const std::lock_guard lock(mutex_);
    const std::int64_t bytes = request->bytes();
    if (static_cast<std::int64_t>(waiting_.size()) >= limits.in_all || bytes_ + bytes > limits.bytes) return false;
    if (limits.per_key <= 0) return false;
    auto& key = key_of(*request);
    auto& of_queue = key.by_queue[request->queue_id];
    if (of_queue >= limits.per_key) return false;  // so the key has others that wait, and stays
    ++of_queue;
    id = next_id_++;
    key.waiting.push_back(id);
    waiting_.emplace(id, Waiting{request, &key, std::prev(key.waiting.end())});
    by_deadline_.emplace(request->deadline_ms, id);
    by_peer_[request->peer->id()].insert(id);
    bytes_ += bytes;
    // Pairs with the look in arrived(): one of the two comes first. Either that one sees us, or we see the queue that
    // it has grown.
    count_.exchange(waiting_.size(), std::memory_order_seq_cst);
  }
  if (parts_.is_ready(*request)) {
    const std::lock_guard lock(mutex_);
    if (waiting_.contains(id)) wake(id, false);
  }
  deliver();
  return true;
}

void PopHold::arrived(const store::Arrival& arrival) {
  // A look that writes: a load alone could go before the store of the queue's end. Pairs with the exchange in park().
  if (count_.fetch_add(0, std::memory_order_seq_cst) == 0) return;
  const std::lock_guard lock(mutex_);
  const auto concerned = by_topic_.find(arrival.queue.topic());
  if (concerned == by_topic_.end()) return;
  std::int64_t cost = 0;
  std::vector<Id> woken;
  for (const auto* key : concerned->second) {
    const bool is_retry = arrival.queue.topic() != key->topic;
    const auto wants = [&](const PopRequest& request) {
      if (is_retry) return true;
      if (request.queue_id >= 0 && request.queue_id != arrival.queue.id()) return false;
      if (request.filter && !request.filter->matches(arrival.tags_code)) return false;
      if (!request.property_filter) return true;
      cost += request.property_filter->cost(arrival.properties.size());
      return cost > kArrivalCostMax || request.property_filter->matches(arrival.properties);
    };
    bool has_pop = false;
    for (const Id id : key->waiting) {
      const auto& request = *waiting_.at(id).request;
      const bool is_pop = request.kind == PopRequest::Kind::kPop;
      if ((is_pop && has_pop) || !wants(request)) continue;
      has_pop |= is_pop;
      woken.push_back(id);
    }
  }
  for (const Id id : woken) wake(id, false);
}

void PopHold::arrived_done() {
  deliver();
}

void PopHold::look_again(std::string_view group, std::string_view topic) {
  if (count_.load(std::memory_order_relaxed) == 0) return;
  std::vector<std::pair<Id, PopRequestPtr>> candidates;
  {
    const std::lock_guard lock(mutex_);
    const auto key = keys_.find(std::pair(std::string(group), std::string(topic)));
    if (key == keys_.end()) return;
    // Those that want the same are as ready as each other: one for each queue is asked.
    std::set<std::pair<std::int32_t, PopRequest::Kind>> seen;
    for (const Id id : key->second->waiting) {
      const auto& request = waiting_.at(id).request;
      if (seen.emplace(request->queue_id, request->kind).second) candidates.emplace_back(id, request);
    }
  }
  for (const auto& [id, request] : candidates) {
    if (!parts_.is_ready(*request)) continue;
    const std::lock_guard lock(mutex_);
    if (!waiting_.contains(id)) continue;
    wake(id, false);
    if (request->kind == PopRequest::Kind::kPop) break;  // a notification takes nothing
  }
  deliver();
}

void PopHold::look_again(std::string_view group) {
  if (count_.load(std::memory_order_relaxed) == 0) return;
  std::vector<std::string> topics;
  {
    const std::lock_guard lock(mutex_);
    for (auto key = keys_.lower_bound(std::pair(std::string(group), std::string()));
         key != keys_.end() && key->first.first == group; ++key) {
      topics.push_back(key->first.second);
    }
  }
  for (const auto& topic : topics) look_again(group, topic);
}

void PopHold::expire() {
  {
    const std::lock_guard lock(mutex_);
    const std::int64_t now = parts_.clock.steady_ms();
    while (!by_deadline_.empty() && by_deadline_.begin()->first <= now) wake(by_deadline_.begin()->second, true);
  }
  deliver();
}

void PopHold::peer_closed(const remoting::Peer& peer) {
  std::vector<PopRequestPtr> lost;
  {
    const std::lock_guard lock(mutex_);
    const auto found = by_peer_.find(peer.id());
    if (found == by_peer_.end()) return;
    const auto ids = found->second;  // take() changes it
    for (const Id id : ids) lost.push_back(take(id));
  }
  for (const auto& request : lost) request->reply.forget();
}

void PopHold::wake_topic(std::string_view topic) {
  {
    const std::lock_guard lock(mutex_);
    std::vector<Id> ids;
    if (const auto concerned = by_topic_.find(topic); concerned != by_topic_.end()) {
      for (const auto* key : concerned->second) ids.insert(ids.end(), key->waiting.begin(), key->waiting.end());
    }
    for (const Id id : ids) wake(id, true);
  }
  deliver();
}

void PopHold::wake_all() {
  {
    const std::lock_guard lock(mutex_);
    while (!waiting_.empty()) wake(waiting_.begin()->first, true);
  }
  deliver();
}

std::int64_t PopHold::parked(std::string_view group, std::string_view topic, std::int32_t queue_id) const {
  const std::lock_guard lock(mutex_);
  const auto key = keys_.find(std::pair(std::string(group), std::string(topic)));
  if (key == keys_.end()) return 0;
  const auto of_queue = key->second->by_queue.find(queue_id);
  return of_queue == key->second->by_queue.end() ? 0 : of_queue->second;
}

PopRequestPtr PopHold::take(Id id) {
  const auto found = waiting_.find(id);
  auto request = std::move(found->second.request);
  auto& key = *found->second.key;
  key.waiting.erase(found->second.place);
  if (--key.by_queue.at(request->queue_id) == 0) key.by_queue.erase(request->queue_id);
  by_deadline_.erase({request->deadline_ms, id});
  const auto of_peer = by_peer_.find(request->peer->id());
  of_peer->second.erase(id);
  if (of_peer->second.empty()) by_peer_.erase(of_peer);
  bytes_ -= request->bytes();
  waiting_.erase(found);
  if (key.waiting.empty()) {
    for (const auto& topic : key.topics) {
      const auto concerned = by_topic_.find(topic);
      concerned->second.erase(&key);
      if (concerned->second.empty()) by_topic_.erase(concerned);
    }
    keys_.erase(keys_.find(std::pair(key.group, key.topic)));
  }
  // Relaxed: between an arrival that reads none and this stands a park(), which has acquired it.
  count_.store(waiting_.size(), std::memory_order_relaxed);
  return request;
}

void PopHold::deliver() {
  std::vector<Woken> ready;
  {
    const std::lock_guard lock(mutex_);
    ready.swap(ready_);
  }
  for (auto& woken : ready) {
    const auto io_thread = woken.request->io_thread;
    parts_.post(io_thread,
                [this, request = std::move(woken.request), is_expired = woken.is_expired](SendStage& stage) mutable {
                  if (!request->peer->is_open()) {
                    const auto group = request->group;
                    const auto topic = request->topic;
                    request->reply.forget();
                    return look_again(group, topic);
                  }
                  // Who takes no answers is not given large ones.
                  const bool gives_up = is_expired || !request->peer->takes_answers();
                  const auto group = request->group;
                  const auto topic = request->topic;
                  parts_.resume(std::move(request), gives_up, stage);
                  if (gives_up && !is_expired) look_again(group, topic);
                });
  }
}

}  // namespace tern::broker
