#pragma once
// Names of topics and groups: what is legal, what is derived from what, which belong to the system.

#include <optional>
#include <string>
#include <string_view>

namespace tern::message {

inline constexpr std::string_view kRetryPrefix = "%RETRY%";
inline constexpr std::string_view kDeadLetterPrefix = "%DLQ%";
inline constexpr std::string_view kScheduleTopic = "SCHEDULE_TOPIC_XXXX";
inline constexpr std::string_view kAutoCreateTopic = "TBW102";
inline constexpr std::string_view kTransactionHalfTopic = "RMQ_SYS_TRANS_HALF_TOPIC";
inline constexpr std::string_view kTransactionOpTopic = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
inline constexpr std::string_view kTransactionDiscardTopic = "TRANS_CHECK_MAX_TIME_TOPIC";
inline constexpr std::string_view kTransactionGroup = "CID_RMQ_SYS_TRANS";  // its offsets are the checks' progress
inline constexpr std::string_view kSystemTopicPrefix = "rmq_sys_";
inline constexpr std::string_view kSystemGroupPrefix = "CID_RMQ_SYS_";
inline constexpr int kTopicLengthMax = 127;
inline constexpr int kRetryTopicLengthMax = 255;
inline constexpr int kGroupLengthMax = 120;

/// nullopt if `topic` is a legal name; otherwise the remark that Apache's broker gives (docs/format/remoting.md, "name
/// rules").
[[nodiscard]] std::optional<std::string> topic_problem(std::string_view topic);
/// The same for groups: blank, illegal characters, longer than kGroupLengthMax.
[[nodiscard]] std::optional<std::string> group_problem(std::string_view group);

[[nodiscard]] inline bool is_retry_topic(std::string_view topic) {
  return topic.starts_with(kRetryPrefix);
}
/// A light queue: its entries name records of other topics. We serve those that Apache's broker has left.
[[nodiscard]] inline bool is_light(std::string_view topic) {
  return topic.starts_with("%LMQ%");
}
[[nodiscard]] inline bool is_dead_letter_topic(std::string_view topic) {
  return topic.starts_with(kDeadLetterPrefix);
}
[[nodiscard]] std::string retry_topic(std::string_view group);
[[nodiscard]] std::string dead_letter_topic(std::string_view group);
/// The group of a retry topic: the text behind the prefix, up to a '+'.
[[nodiscard]] std::string_view group_of_retry_topic(std::string_view topic);
/// In the fixed set of system topics, or beginning with rmq_sys_. (Those named after cluster and broker are the
/// broker's to know.)
[[nodiscard]] bool is_system_topic(std::string_view topic);
/// Sends to these are answered NO_PERMISSION.
[[nodiscard]] bool is_send_forbidden(std::string_view topic);
[[nodiscard]] bool is_system_group(std::string_view group);  // CID_RMQ_SYS_...

}  // namespace tern::message
