#include "broker/statistics/readings.hpp"

namespace tern::broker {

std::vector<Statistics::Reading> read_counters(store::Store& store, const OffsetTable& offsets,
                                               const PullCounters& pulls, std::string_view cluster) {
  std::vector<Statistics::Reading> readings;
  const auto add = [&](std::string_view name, std::string key, std::int64_t value, bool began_at_zero) {
    readings.push_back({std::string(name), std::move(key), value, began_at_zero});
  };
  std::map<std::string, std::int64_t> puts;
  for (const auto& queue : store.queues().all()) puts[queue->topic()] += queue->bounds().max.value;
  for (const auto& [topic, count] : puts) add(statistics::kTopicPuts, topic, count, false);
  for (const auto& given : offsets.given()) {
    add(statistics::kGroupGets, statistics::of(given.topic, given.group), given.messages, true);
    add(statistics::kGroupGetBytes, statistics::of(given.topic, given.group), given.bytes, true);
  }
  add(statistics::kBrokerPuts, std::string(cluster), store.dispatched_records(), true);
  add(statistics::kBrokerGets, std::string(cluster), pulls.messages.load(std::memory_order_relaxed), true);
  return readings;
}

}  // namespace tern::broker
