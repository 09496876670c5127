// The two budgets: bytes of frames that are arriving, bytes of answers that are not sent. Each io thread looks after
// its own connections, by the sum of all; so a bound holds for the process while no thread touches another's
// connections.
//
// Above three quarters, connections stop being read: of the arriving frames those that miss the most (so that those
// that can be completed with the room that is left are, and give it back), of the unsent ones those that hold more than
// the average. A connection that stays unread for kPausedSecondsMax while more than half is in use is dropped, and
// above the limit the largest holders are dropped at once, down to seven eighths.
//
// The sum is read without a lock: io threads that look at the same moment may together pass the limit by what one of
// them adds in one step, half a frame at most each.
//
// Looking at all connections costs: it is done again when the sum has moved by 1/64 of the limit, and once a second.

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "remoting/connection.hpp"
#include "remoting/io_thread.hpp"

namespace tern::remoting {
namespace {

constexpr std::int64_t kPausedSecondsMax = 5;

std::int64_t pressure_begins(std::int64_t limit) {
  return limit / 4 * 3;
}
std::int64_t pressure_ends(std::int64_t limit) {
  return limit / 2;
}
std::int64_t after_dropping(std::int64_t limit) {
  return limit / 8 * 7;
}

Pause pause_of(Budget budget) {
  return budget == Budget::kReceiving ? Pause::kReceivingBudget : Pause::kUnsentBudget;
}

}  // namespace

void IoThread::balance(Budget budget) {
  const std::int64_t limit = network_.limit(budget);
  std::int64_t held = network_.held(budget);
  if (held <= pressure_begins(limit) && paused_ == 0) return;
  const auto own = (budget == Budget::kReceiving ? counters_.receiving_bytes : counters_.unsent_bytes)
                       .load(std::memory_order_relaxed);
  // A thread that holds less than its share leaves the dropping to those that hold more; they look once a second at
  // least.
  if (held > limit && own * static_cast<std::int64_t>(network_.io_threads.size()) >= held) {
    held -= drop_largest(budget, held - after_dropping(limit), 0);
  }
  auto& balanced_at = balanced_at_[static_cast<std::size_t>(budget)];
  if (std::abs(held - balanced_at) < limit / 64) return;
  balanced_at = held;
  if (budget == Budget::kReceiving) {
    pause_receivers(held, limit);
  } else {
    pause_unsent(held, limit);
  }
}

void IoThread::pause_receivers(std::int64_t held, std::int64_t limit) {
  std::vector<Connection*> holders;
  for (Connection* connection : connections_) {
    if (connection->has_ended()) continue;
    if (connection->missing() > 0 || connection->paused_for(Pause::kReceivingBudget)) holders.push_back(connection);
  }
  if (held <= pressure_ends(limit)) {
    for (Connection* connection : holders) connection->resume(Pause::kReceivingBudget);
    return;
  }
  std::sort(holders.begin(), holders.end(), [](const Connection* a, const Connection* b) {
    io_role.assert_held();
    return a->missing() < b->missing();
  });
  std::int64_t room = (limit - held) / static_cast<std::int64_t>(network_.io_threads.size());
  for (Connection* connection : holders) {
    room -= connection->missing();
    if (room >= 0) {
      connection->resume(Pause::kReceivingBudget);
    } else {
      connection->pause(Pause::kReceivingBudget);
    }
  }
}

void IoThread::pause_unsent(std::int64_t held, std::int64_t limit) {
  const bool pressed = held > pressure_begins(limit);
  std::int64_t own = 0;
  std::int64_t holders = 0;
  for (const Connection* connection : connections_) {
    if (connection->held(Budget::kUnsent) == 0) continue;
    own += connection->held(Budget::kUnsent);
    ++holders;
  }
  for (Connection* connection : connections_) {
    if (connection->has_ended()) continue;
    const std::int64_t unsent = connection->held(Budget::kUnsent);
    if (pressed && unsent > 0 && unsent * holders >= own) {
      connection->pause(Pause::kUnsentBudget);
    } else if (!pressed || unsent == 0) {
      connection->resume(Pause::kUnsentBudget);
    }
  }
}

bool IoThread::make_room(std::int64_t bytes, std::int64_t own) {
  const std::int64_t limit = network_.limit(Budget::kReceiving);
  const std::int64_t held = network_.held(Budget::kReceiving);
  if (held + bytes <= limit) return true;
  return held + bytes - drop_largest(Budget::kReceiving, held + bytes - after_dropping(limit), own + bytes) <= limit;
}

/// Drops holders of more than `larger_than`, the largest first, until `bytes` are free. Returns how many are.
std::int64_t IoThread::drop_largest(Budget budget, std::int64_t bytes, std::int64_t larger_than) {
  std::vector<Connection*> holders;
  for (Connection* connection : connections_) {
    if (connection->held(budget) > larger_than) holders.push_back(connection);
  }
  std::sort(holders.begin(), holders.end(), [budget](const Connection* a, const Connection* b) {
    io_role.assert_held();
    return a->held(budget) > b->held(budget);
  });
  std::int64_t freed = 0;
  for (Connection* connection : holders) {
    if (freed >= bytes) break;
    const std::int64_t held = connection->held(budget);
    IoCounters::add(counters_.dropped_for_budget, 1);
    if (const auto times = network_.budget_lines.admit(network_.clock)) {
      log_warning(
          "{} ({}) is used up: {} is dropped, which holds {} bytes of it; {} connections dropped for a limit since the "
          "last line",
          NetworkState::key(budget), network_.limit(budget), connection->remote_text(), held, times);
    }
    connection->end();
    freed += held;
  }
  return freed;
}

void IoThread::drop_paused(Budget budget) {
  const std::int64_t limit = network_.limit(budget);
  std::int64_t held = network_.held(budget);
  const std::int64_t longest_ns = kPausedSecondsMax * 1'000'000'000;
  for (Connection* connection : connections_) {
    if (held <= pressure_ends(limit)) return;
    if (connection->has_ended() || !connection->paused_for(pause_of(budget)) ||
        turn_ns() - connection->paused_since_ns() < longest_ns) {
      continue;
    }
    const std::int64_t own = connection->held(budget);
    IoCounters::add(counters_.dropped_for_budget, 1);
    if (const auto times = network_.budget_lines.admit(network_.clock)) {
      log_warning(
          "{} ({}) has been nearly used up for {} s: {} is dropped, which holds {} bytes of it; {} connections dropped "
          "for a limit since the last line",
          NetworkState::key(budget), limit, kPausedSecondsMax, connection->remote_text(), own, times);
    }
    connection->end();
    held -= own;
  }
}

}  // namespace tern::remoting
