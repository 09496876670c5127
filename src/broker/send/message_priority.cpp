#include "broker/send/message_priority.hpp"

#include <algorithm>
#include <charconv>

#include "tern/message/properties.hpp"

namespace tern::broker {

void MessagePriority::look_at(std::string_view name, std::string_view value) {
  if (name == message::property::kShardingKey) {
    has_order_ = true;
  } else if (name == message::property::kPriority) {
    std::int32_t level = -1;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), level);
    const bool is_number = error == std::errc{} && end == value.data() + value.size();
    level_ = is_number && level >= 0 ? std::optional(level) : std::nullopt;
  }
}

std::int32_t MessagePriority::queue_of(std::int32_t write_queues) const {
  return std::clamp(*level_, 0, std::max(write_queues - 1, 0));
}

}  // namespace tern::broker
