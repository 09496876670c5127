#pragma once
// Names and texts of POP: retry topics, receipts, and what a response says of the messages in it. Pure.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tern::broker {

/// Which topic a message stands in, as receipts and responses say it.
enum class RetryFlag : std::uint8_t { kNormal = 0, kV1 = 1, kV2 = 2 };
[[nodiscard]] RetryFlag retry_flag(std::string_view topic);
[[nodiscard]] std::string pop_retry_topic_v1(std::string_view group, std::string_view topic);
[[nodiscard]] std::string pop_retry_topic_v2(std::string_view group, std::string_view topic);
[[nodiscard]] std::string revive_topic(std::string_view cluster);

/// Stands in the place of a revive queue in receipts of orderly pops.
inline constexpr std::int32_t kOrderReviveQueue = 999;
inline constexpr std::int64_t kInvisibleMsMax = std::int64_t{3} * 86'400'000;

/// What a client shows to acknowledge a message: the property POP_CK, or the request's extraInfo.
struct Receipt {
  std::int64_t start_offset = 0;  // of the checkpoint
  std::int64_t pop_time = 0;
  std::int64_t invisible_ms = 0;
  std::int32_t revive_queue = 0;
  RetryFlag flag = RetryFlag::kNormal;
  std::string_view broker;
  std::int32_t queue_id = 0;
  std::int64_t offset = 0;  // of the message in its queue
};
/// nullopt unless it has eight parts, numbers where numbers belong.
[[nodiscard]] std::optional<Receipt> parse_receipt(std::string_view text);
void append_receipt(const Receipt& receipt, std::string& to);

/// One entry of startOffsetInfo ("0 3 120") and of msgOffsetInfo ("0 3 120,121").
void append_start_offset(RetryFlag flag, std::int32_t queue_id, std::int64_t offset, std::string& to);
void append_message_offsets(RetryFlag flag, std::int32_t queue_id, std::span<const std::int64_t> offsets,
                            std::string& to);

/// Of an orderly pop, in orderCountInfo: how often a message ("0 qo3%120 1") or, at least, all messages of a queue ("0
/// 3 0") were handed out before.
void append_attempts(RetryFlag flag, std::int32_t queue_id, std::optional<std::int64_t> offset, int attempts,
                     std::string& to);

}  // namespace tern::broker
