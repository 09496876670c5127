#pragma once
// Counters over the last minute, hour and day, under the names that VIEW_BROKER_STATS_DATA (315) asks for. Nothing is
// counted here: what grows elsewhere is looked at from time to time.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/clock.hpp"

namespace tern::broker {

/// What became of a counter in a span of time; all zero until it was looked at twice.
struct StatisticsSpan {
  std::int64_t sum = 0;
  double per_second = 0;
};
struct StatisticsView {
  StatisticsSpan minute, hour, day;
};

/// sample() from one thread at a time, the rest from any.
class Statistics {
 public:
  static constexpr std::int64_t kSampleEveryMs = 10'000;
  static constexpr std::size_t kItemsMax = 50'000;  // those that come later are not kept

  /// One counter as it stands.
  struct Reading {
    std::string name;
    std::string key;
    std::int64_t value = 0;
    bool began_at_zero = false;  // with this process, not with the store
  };
  using Read = std::function<std::vector<Reading>()>;
  Statistics(const Clock& clock, Read read);

  /// Reads all counters. One that is gone is forgotten; one that has become smaller begins anew.
  void sample();
  [[nodiscard]] std::optional<StatisticsView> find(std::string_view name, std::string_view key) const;
  /// Per second, over the last minute; 0 if there is no such counter.
  [[nodiscard]] double rate(std::string_view name, std::string_view key) const;

 private:
  struct Sample {
    std::int64_t at_ms = 0;  // steady
    std::int64_t value = 0;
  };
  /// The samples of one span, oldest first.
  struct Window {
    std::int64_t every_ms = 0;
    std::size_t samples_max = 0;
    std::deque<Sample> samples;
    void note(const Sample& sample);
    [[nodiscard]] StatisticsSpan until(const Sample& now) const;
  };
  struct Item {
    Item();
    Window minute, hour, day;
    std::int64_t round = 0;  // of the sampling that saw it last
    void note(const Sample& sample);
  };
  using Key = std::pair<std::string, std::string>;

  const Clock& clock_;
  const Read read_;
  mutable std::mutex mutex_;
  std::map<Key, Item> items_;  // guarded by mutex_, as the two below
  std::int64_t round_ = 0;
  std::int64_t sampled_at_ms_ = 0;
};

namespace statistics {
inline constexpr std::string_view kTopicPuts = "TOPIC_PUT_NUMS", kGroupGets = "GROUP_GET_NUMS",
                                  kGroupGetBytes = "GROUP_GET_SIZE", kBrokerPuts = "BROKER_PUT_NUMS",
                                  kBrokerGets = "BROKER_GET_NUMS";
/// The key of what belongs to a topic and a group.
[[nodiscard]] inline std::string of(std::string_view topic, std::string_view group) {
  return std::string(topic) + "@" + std::string(group);
}
}  // namespace statistics

}  // namespace tern::broker
