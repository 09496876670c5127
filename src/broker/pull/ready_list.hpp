#pragma once
// Pulls of one io thread that are to be read again and answered, fair between connections.

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/pull/pending_pull.hpp"

namespace tern::broker {

/// Not thread-safe. take() goes round the connections, one pull each. A connection that takes no answers is held back
/// with all its pulls until look_again() finds that it does.
class ReadyList {
 public:
  void add(PendingPull pull) {
    auto& pulls = by_peer_[pull.peer->id()];
    if (pulls.empty()) turns_.push_back(pull.peer->id());
    pulls.push_back(std::move(pull));
    ++size_;
  }
  /// nullopt: nothing, or only of connections that are held back.
  std::optional<PendingPull> take() {
    while (!turns_.empty()) {
      const auto id = turns_.front();
      turns_.pop_front();
      const auto found = by_peer_.find(id);
      if (found == by_peer_.end()) continue;  // removed
      auto& pulls = found->second;
      if (pulls.front().peer->is_open() && !pulls.front().peer->takes_answers()) {
        held_back_.push_back(id);
        continue;
      }
      auto pull = std::move(pulls.front());
      pulls.pop_front();
      --size_;
      if (pulls.empty()) {
        by_peer_.erase(found);
      } else {
        turns_.push_back(id);
      }
      return pull;
    }
    return std::nullopt;
  }
  /// Connections that were held back have their turn again if they take answers now, or are gone.
  void look_again() {
    std::erase_if(held_back_, [this](std::uint64_t id) {
      const auto found = by_peer_.find(id);
      if (found == by_peer_.end()) return true;
      const auto& peer = *found->second.front().peer;
      if (peer.is_open() && !peer.takes_answers()) return false;
      turns_.push_back(id);
      return true;
    });
  }
  std::deque<PendingPull> remove(std::uint64_t peer_id) {
    const auto found = by_peer_.find(peer_id);
    if (found == by_peer_.end()) return {};
    auto pulls = std::move(found->second);
    by_peer_.erase(found);
    std::erase(held_back_, peer_id);
    size_ -= pulls.size();
    return pulls;
  }
  /// Whether take() has something to look at.
  [[nodiscard]] bool has_turns() const { return !turns_.empty(); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::unordered_map<std::uint64_t, std::deque<PendingPull>> by_peer_;  // no empty ones
  std::deque<std::uint64_t> turns_;  // each of by_peer_ stands here or in held_back_, once
  std::vector<std::uint64_t> held_back_;
  std::size_t size_ = 0;
};

}  // namespace tern::broker
