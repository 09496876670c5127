#pragma once
// How many messages of each topic wait in the wheel: config/timermetrics, and GET_TIMER_METRICS (61).

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "tern/protocol/json.hpp"

#include "broker/data_version.hpp"

namespace tern::broker {

/// Not thread-safe. After a kill between the saves of the wheel and of these counts they may be off by what happened
/// within one timerFlushIntervalMs; nothing is derived from them.
class TimerMetrics {
 public:
  static constexpr std::size_t kTopicsMax = 100'000;  // those beyond are not counted
  void add(std::string_view topic, std::int64_t count, std::int64_t now_ms);
  void bump(std::int64_t now_ms) { version_.bump(now_ms); }
  [[nodiscard]] std::int64_t count(std::string_view topic) const;
  [[nodiscard]] protocol::Json to_json() const;
  void from_json(const protocol::Json& json);

 private:
  struct Count {
    std::int64_t count = 0;
    std::int64_t at_ms = 0;  // of the last change
  };
  DataVersion version_;
  std::map<std::string, Count, std::less<>> counts_;
};

}  // namespace tern::broker
