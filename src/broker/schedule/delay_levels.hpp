#pragma once
// The table of delay levels (messageDelayLevel), and what a level makes of a message.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tern::broker {

/// Levels count from 1; a level above the last one is the last one.
class DelayLevels {
 public:
  /// "1s 5s 10s 1m 2h 1d": nullopt, with the reason in `problem`, if it cannot be read.
  static std::optional<DelayLevels> parse(std::string_view text, std::string& problem);
  [[nodiscard]] int count() const { return static_cast<int>(delays_ms_.size()); }
  [[nodiscard]] int capped(std::int64_t level) const;
  [[nodiscard]] std::int64_t delay_ms(int level) const { return delays_ms_[static_cast<std::size_t>(level - 1)]; }

  /// The tag field of a queue entry in SCHEDULE_TOPIC_XXXX: when the message is due. Without a level: its tag hash.
  [[nodiscard]] std::int64_t tags_code(std::string_view properties, std::int64_t store_timestamp) const;

 private:
  std::vector<std::int64_t> delays_ms_;
};

}  // namespace tern::broker
