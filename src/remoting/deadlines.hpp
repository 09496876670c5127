#pragma once
// Deadlines of one io thread: many promises, one timer.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tern::remoting {

/// Functions that run once a time has passed, unless they are cancelled. Times are Clock::steady_ns. Most deadlines are
/// cancelled (the answer came): then only the function goes, and its place in the order is dropped when its time comes
/// or when such places are the majority.
class Deadlines {
 public:
  using Token = std::uint64_t;

  Token add(std::int64_t due_ns, std::function<void()> expire) {
    const Token token = ++last_token_;
    pending_.emplace(token, std::move(expire));
    order_.push_back({due_ns, token});
    std::push_heap(order_.begin(), order_.end(), later);
    return token;
  }
  void cancel(Token token) {
    pending_.erase(token);
    if (order_.size() < 1024 || order_.size() < 2 * pending_.size()) return;
    std::erase_if(order_, [this](const Entry& entry) { return !pending_.contains(entry.token); });
    std::make_heap(order_.begin(), order_.end(), later);
  }
  /// Runs what is due. Functions may add and cancel.
  void expire(std::int64_t now_ns) {
    while (!order_.empty() && (order_.front().due_ns <= now_ns || !pending_.contains(order_.front().token))) {
      auto found = pending_.find(order_.front().token);
      std::pop_heap(order_.begin(), order_.end(), later);
      order_.pop_back();
      if (found == pending_.end()) continue;
      const auto expire_one = std::move(found->second);
      pending_.erase(found);
      expire_one();
    }
  }
  [[nodiscard]] bool empty() const { return pending_.empty(); }
  /// When expire() has something to do. Not if empty().
  [[nodiscard]] std::int64_t next_ns() const { return order_.front().due_ns; }

 private:
  struct Entry {
    std::int64_t due_ns;
    Token token;
  };
  static bool later(const Entry& a, const Entry& b) { return a.due_ns > b.due_ns; }

  std::vector<Entry> order_;  // a heap, the earliest in front
  std::unordered_map<Token, std::function<void()>> pending_;
  Token last_token_ = 0;
};

}  // namespace tern::remoting
