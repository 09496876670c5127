#include "broker/timer/timer_checkpoint.hpp"

#include <fmt/format.h>

namespace tern::broker {

std::optional<TimerCheckpoint> TimerCheckpoint::decode(std::string_view bytes, std::string& why) {
  if (bytes.size() != kFileSize) {
    why = fmt::format("has {} bytes instead of {}", bytes.size(), kFileSize);
    return std::nullopt;
  }
  TimerCheckpoint point;
  std::size_t at = 0;
  for (auto* const field : {&point.read_ms, &point.log_end, &point.queue_offset, &point.master_queue_offset,
                            &point.state_version, &point.version_timestamp, &point.version_counter}) {
    *field = load_be<std::int64_t>(bytes.data() + at);
    at += sizeof(std::int64_t);
  }
  point.precision_ms = load_be<std::int64_t>(bytes.data() + kFileSize - sizeof(std::int64_t));
  if (point.read_ms < 0 || point.log_end < 0 || point.queue_offset < 0 || point.master_queue_offset < 0 ||
      point.precision_ms < 0 || point.precision_ms > 1000) {
    why = "holds a negative time or position";
    return std::nullopt;
  }
  return point;
}

}  // namespace tern::broker
