#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace tern::broker {

/// What a message's properties say of its place before others of its topic: the number of a queue, the higher the
/// sooner popped (_SYS_MSG_PRIORITY_). It counts for messages of no other kind: not for delayed ones, halves of
/// transactions and those with an order of their own.
class MessagePriority {
 public:
  /// One of the message's properties. Views are not kept.
  void look_at(std::string_view name, std::string_view value);

  [[nodiscard]] bool is_given() const { return level_.has_value(); }
  [[nodiscard]] bool has_order() const { return has_order_; }
  /// Precondition: is_given().
  [[nodiscard]] std::int32_t queue_of(std::int32_t write_queues) const;

 private:
  std::optional<std::int32_t> level_;  // never negative: that is none
  bool has_order_ = false;
};

}  // namespace tern::broker
