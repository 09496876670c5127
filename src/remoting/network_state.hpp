#pragma once
// What the io threads of one Network share.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "tern/base/clock.hpp"
#include "tern/base/log.hpp"
#include "tern/base/wakeup.hpp"
#include "tern/remoting/server.hpp"

namespace tern::remoting {

class IoThread;

/// Counters of one io thread. It alone writes them (a load and a store, no locked instruction); any thread reads. All
/// relaxed: they pair with nothing, a sum is a snapshot of nobody's instant.
struct alignas(64) IoCounters {
  using Cell = std::atomic<std::int64_t>;
  Cell connections{0};
  Cell accepted{0};
  Cell refused_connections{0};
  Cell bad_frames{0};
  Cell dropped_for_budget{0};
  Cell idle_closed{0};
  Cell receiving_bytes{0};
  Cell unsent_bytes{0};
  Cell turns{0};
  Cell requests{0};

  static void add(Cell& cell, std::int64_t count) {
    cell.store(cell.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
};

/// The two things that many connections together could make large.
enum class Budget : std::uint8_t { kReceiving, kUnsent };

struct NetworkState {
  NetworkState(const NetworkOptions& network_options, const Clock& network_clock);
  ~NetworkState();

  const NetworkOptions& options;
  const Clock& clock;
  const std::int64_t connections_max;                 // the option, or what the process's descriptors allow
  std::vector<std::unique_ptr<IoThread>> io_threads;  // constant after construction

  std::atomic<std::uint64_t> connection_ids{0};   // relaxed: only uniqueness counts
  std::atomic<std::int64_t> open_connections{0};  // relaxed: a limit, not a gate for other memory
  Wakeup drained;                                 // stop() waits here for io threads that have nothing left to send

  LogRateLimit bad_frame_lines;
  LogRateLimit refused_lines;
  LogRateLimit accept_lines;
  LogRateLimit budget_lines;

  [[nodiscard]] std::int64_t limit(Budget budget) const {
    return budget == Budget::kReceiving ? options.receiving_bytes_max.get() : options.unsent_bytes_max.get();
  }
  /// Bytes that all io threads hold of it.
  [[nodiscard]] std::int64_t held(Budget budget) const;
  static std::string_view key(Budget budget) {
    return budget == Budget::kReceiving ? "networkReceivingBytesMax" : "networkUnsentBytesMax";
  }
};

}  // namespace tern::remoting
