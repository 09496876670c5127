#include "broker/admin/broker_status.hpp"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>

#include "tern/base/log.hpp"

namespace tern::broker {
namespace {

std::string duration_text(std::int64_t ms) {
  const std::int64_t seconds = ms / 1000;
  return fmt::format("[ {} days, {} hours, {} minutes, {} seconds ]", seconds / 86'400, seconds / 3600 % 24,
                     seconds / 60 % 60, seconds % 60);
}

}  // namespace

BrokerStatus::BrokerStatus(const Clock& clock, const BrokerOptions& options, const BrokerIdentity& identity,
                           store::Store& store, const PullServices& pull, const Timers& timers,
                           const remoting::Network& network)
    : clock_(clock),
      options_(options),
      identity_(identity),
      store_(store),
      pull_(pull),
      timers_(timers),
      network_(network),
      started_ms_(clock.wall_ms()) {}

std::map<std::string, std::string> BrokerStatus::table() const {
  const std::int64_t now = clock_.wall_ms();
  const auto& log = store_.log();
  const auto& marks = log.watermarks();
  const auto counters = log.counters();
  const auto network = network_.counters();
  const auto logged = log_counts();
  const auto timers = timers_.counts();
  const auto& pulled = *pull_.counters;
  const auto number = [](auto value) { return fmt::format("{}", value); };
  const double used = store_.disk_used_percent() / 100;
  const auto earliest_ms = store_.earliest_store_time();  // retention may just be taking it: then as if there were none
  return {
      {"brokerClusterName", identity_.cluster},
      {"brokerName", identity_.name},
      {"brokerPermission", number(options_.permission.get())},
      {"bootTimestamp", number(started_ms_)},
      {"brokerActive", "true"},
      {"brokerVersion", number(protocol::kProtocolVersion)},
      {"brokerVersionDesc", "V5_3_3"},  // of the protocol: tools parse it
      {"ternVersion", TERN_VERSION},
      {"runtime", duration_text(now - started_ms_)},
      {"commitLogMinOffset", number(store_.min_position().value)},
      {"commitLogMaxOffset", number(marks.published().value)},
      {"commitLogDiskRatio", fmt::format("{:.4f}", used)},
      {"consumeQueueDiskRatio", fmt::format("{:.4f}", used)},
      {"dispatchBehindBytes", number(store_.dispatch_behind_bytes())},
      {"dispatchFailures", number(store_.dispatch_failures())},
      {"remainHowManyDataToFlush", fmt::format("{} B", marks.published() - marks.durable())},
      {"putTps", puts_.text()},
      {"getFoundTps", found_.text()},
      {"getMissTps", missed_.text()},
      {"getTotalTps", asked_.text()},
      {"getTransferredTps", gets_.text()},
      {"msgPutTotalTodayNow", number(store_.dispatched_records())},
      {"msgPutTotalTodayMorning", number(puts_.this_morning())},
      {"msgPutTotalYesterdayMorning", number(puts_.yesterday_morning())},
      {"msgGetTotalTodayNow", number(pulled.messages.load(std::memory_order_relaxed))},
      {"msgGetTotalTodayMorning", number(gets_.this_morning())},
      {"msgGetTotalYesterdayMorning", number(gets_.yesterday_morning())},
      {"putMessageTimesTotal", number(store_.dispatched_records())},
      {"putMessageSizeTotal", number(store_.dispatched_bytes())},
      {"putMessageAverageSize",
       fmt::format("{:.1f}", static_cast<double>(store_.dispatched_bytes()) /
                                 static_cast<double>(std::max<std::int64_t>(1, store_.dispatched_records())))},
      {"sendThreadPoolQueueSize", "0"},
      {"pullThreadPoolQueueSize", number(pull_.cold_reads.depth())},
      {"sendThreadPoolQueueHeadWaitTimeMills", "0"},
      {"pullThreadPoolQueueHeadWaitTimeMills", "0"},
      {"pageCacheLockTimeMills", "0"},
      {"timerReadBehind", number(timers.read_behind_ms / 1000)},
      {"timerOffsetBehind", number(timers.offset_behind)},
      {"timerCongestNum", number(timers.waiting)},
      {"timerEnqueueTps", timers_entered_.newest()},
      {"timerDequeueTps", timers_delivered_.newest()},
      {"earliestMessageTimeStamp", number(earliest_ms ? *earliest_ms : -1)},
      {"startAcceptSendRequestTimeStamp", "0"},
      // Ours.
      {"flushPolicy", std::string(log.flush_policy())},
      {"flushCount", number(counters.syncs)},
      {"flushedRecords", number(counters.synced_records)},
      {"putLock", std::string(log.put_strategy())},
      {"putLockMode", std::string(counters.put.mode)},
      {"putLockAcquisitions", number(counters.put.acquisitions)},
      {"putLockWaits", number(counters.put.waits)},
      {"putLockRetreats", number(counters.put.retreats)},
      {"putLockSwitches", number(counters.put.switches)},
      {"putLockSpinLimit", number(counters.put.spin_limit)},
      {"putLockSpinNanos", fmt::format("{:.1f}", counters.put.spin_ns)},
      {"putLockSpinsPerContextSwitch", number(counters.put.spins_per_context_switch)},
      {"putLockChanges", number(counters.put.changes)},
      {"putLockTimed", number(counters.put.timed)},
      {"putLockTimedWaitNanos", number(counters.put.waited_ns)},
      {"putLockTimedHoldNanos", number(counters.put.held_ns)},
      {"putNotReady", number(counters.not_ready)},
      {"readOnlyReason", log.read_only_reason()},
      {"diskFull", log.is_disk_full() ? "true" : "false"},  // sends are refused for it
      {"parkedPulls", number(pull_.hold.parked())},
      {"parkedPullsDropped", number(pull_.hold.dropped_for_budget())},
      {"connections", number(network.connections)},
      {"requests", number(network.requests)},
      {"badFrames", number(network.bad_frames)},
      {"unsentBytes", number(network.unsent_bytes)},
      {"receivingBytes", number(network.receiving_bytes)},
      {"loggedWarnings", number(logged.warnings)},
      {"loggedErrors", number(logged.errors)},
  };
}

void BrokerStatus::sample() {
  const std::time_t seconds = clock_.wall_ms() / 1000;
  std::tm local{};
  localtime_r(&seconds, &local);
  const std::int64_t now = clock_.steady_ms();
  const auto& pulled = *pull_.counters;
  puts_.note(now, store_.dispatched_records(), local.tm_yday);
  gets_.note(now, pulled.messages.load(std::memory_order_relaxed), local.tm_yday);
  const std::int64_t found = pulled.found.load(std::memory_order_relaxed);
  const std::int64_t missed = pulled.missed.load(std::memory_order_relaxed);
  found_.note(now, found, local.tm_yday);
  missed_.note(now, missed, local.tm_yday);
  asked_.note(now, found + missed, local.tm_yday);
  const auto timers = timers_.counts();
  timers_entered_.note(now, timers.entered, local.tm_yday);
  timers_delivered_.note(now, timers.delivered, local.tm_yday);
}

}  // namespace tern::broker
