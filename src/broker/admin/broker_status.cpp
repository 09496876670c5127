#include "broker/admin/broker_status.hpp"

#include <fmt/format.h>

namespace tern::broker {
namespace {

std::string duration_text(std::int64_t ms) {
  const std::int64_t seconds = ms / 1000;
  return fmt::format("[ {} days, {} hours, {} minutes, {} seconds ]", seconds / 86'400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
}

}  // namespace

BrokerStatus::BrokerStatus(const Clock& clock, const BrokerOptions& options, const BrokerIdentity& identity, store::Store& store,
                           const PullHold& hold, const remoting::Network& network)
    : clock_(clock), options_(options), identity_(identity), store_(store), hold_(hold), network_(network), started_ms_(clock.wall_ms()) {}

std::map<std::string, std::string> BrokerStatus::table() const {
  const std::int64_t now = clock_.wall_ms();
  const auto& log = store_.log();
  const auto& marks = log.watermarks();
  const auto counters = log.counters();
  const auto network = network_.counters();
  const auto number = [](auto value) { return fmt::format("{}", value); };
  const double used = store_.disk_used_percent() / 100;
  return {
      {"bootTimestamp", number(started_ms_)},
      {"brokerActive", "true"},
      {"brokerVersion", number(protocol::kProtocolVersion)},
      {"brokerVersionDesc", fmt::format("TernMQ_{}", TERN_VERSION)},
      {"runtime", duration_text(now - started_ms_)},
      {"commitLogMinOffset", number(store_.min_position().value)},
      {"commitLogMaxOffset", number(marks.published().value)},
      {"commitLogDiskRatio", fmt::format("{:.4f}", used)},
      {"consumeQueueDiskRatio", fmt::format("{:.4f}", used)},
      {"dispatchBehindBytes", number(store_.dispatch_behind_bytes())},
      {"remainHowManyDataToFlush", fmt::format("{} B", marks.published() - marks.durable())},
      {"putTps", "  "},
      {"getTotalTps", "  "},
      {"getFoundTps", "  "},
      {"getMissTps", "  "},
      {"getTransferredTps", "  "},
      {"sendThreadPoolQueueSize", "0"},
      {"pullThreadPoolQueueSize", "0"},
      {"sendThreadPoolQueueHeadWaitTimeMills", "0"},
      {"pullThreadPoolQueueHeadWaitTimeMills", "0"},
      {"pageCacheLockTimeMills", "0"},
      {"earliestMessageTimeStamp", "-1"},
      {"startAcceptSendRequestTimeStamp", "0"},
      // Ours.
      {"flushPolicy", std::string(log.flush_policy())},
      {"flushCount", number(counters.syncs)},
      {"flushedRecords", number(counters.synced_records)},
      {"putLock", std::string(store_.log().put().name())},
      {"putLockAcquisitions", number(counters.put.acquisitions)},
      {"putNotReady", number(counters.not_ready)},
      {"readOnlyReason", log.read_only_reason()},
      {"parkedPulls", number(hold_.parked())},
      {"connections", number(network.connections)},
      {"requests", number(network.requests)},
      {"badFrames", number(network.bad_frames)},
      {"unsentBytes", number(network.unsent_bytes)},
      {"receivingBytes", number(network.receiving_bytes)},
  };
}

}  // namespace tern::broker
