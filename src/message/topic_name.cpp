#include "tern/message/topic_name.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace tern::message {
namespace {

constexpr std::string_view kLegalCharacters = "^[%|a-zA-Z0-9_-]+$";

// Every topic that the broker keeps for itself, and whether clients may send to it.
struct SystemTopic {
  std::string_view name;
  bool is_send_forbidden;
};
constexpr std::array kSystemTopics{
    SystemTopic{kAutoCreateTopic, false},
    SystemTopic{kScheduleTopic, true},
    SystemTopic{"BenchmarkTest", false},
    SystemTopic{kTransactionHalfTopic, true},
    SystemTopic{"RMQ_SYS_TRACE_TOPIC", false},
    SystemTopic{kTransactionOpTopic, true},
    SystemTopic{kTransactionDiscardTopic, true},
    SystemTopic{"SELF_TEST_TOPIC", true},
    SystemTopic{"OFFSET_MOVED_EVENT", true},
    SystemTopic{"CHECKPOINT_TOPIC", false},
    SystemTopic{"RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC", true},
    SystemTopic{"RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC", true},
};

const SystemTopic* find_system_topic(std::string_view topic) {
  const auto* const found = std::find_if(kSystemTopics.begin(), kSystemTopics.end(),
                                         [&](const SystemTopic& row) { return row.name == topic; });
  return found != kSystemTopics.end() ? found : nullptr;
}

bool is_legal(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '%' || c == '|';
}
bool is_legal(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return is_legal(c); });
}

// Java's Character.isWhitespace, as far as ASCII goes.
bool is_blank(std::string_view name) {
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1C && c <= 0x1F); });
}

}  // namespace

std::optional<std::string> topic_problem(std::string_view topic) {
  if (is_blank(topic)) return "The specified topic is blank.";
  if (!is_legal(topic)) {
    return fmt::format("The specified topic: {}, contains illegal characters, allowing only {}", topic,
                       kLegalCharacters);
  }
  if (is_retry_topic(topic) || is_dead_letter_topic(topic)) {
    if (topic.size() <= kRetryTopicLengthMax) return std::nullopt;
    return fmt::format("The specified topic is DLQ or Retry topic: {}, and it's longer than topic max length: {}",
                       topic, kRetryTopicLengthMax);
  }
  if (topic.size() <= kTopicLengthMax) return std::nullopt;
  return fmt::format("The specified topic: {}, is longer than topic max length: {}", topic, kTopicLengthMax);
}

std::optional<std::string> group_problem(std::string_view group) {
  if (is_blank(group)) return "The specified group is blank.";
  if (!is_legal(group)) {
    return fmt::format("The specified group: {}, contains illegal characters, allowing only {}", group,
                       kLegalCharacters);
  }
  if (group.size() <= kGroupLengthMax) return std::nullopt;
  return fmt::format("The specified group: {}, is longer than group max length: {}", group, kGroupLengthMax);
}

std::string retry_topic(std::string_view group) {
  return std::string(kRetryPrefix).append(group);
}
std::string dead_letter_topic(std::string_view group) {
  return std::string(kDeadLetterPrefix).append(group);
}

std::string_view group_of_retry_topic(std::string_view topic) {
  if (!is_retry_topic(topic)) return {};
  topic.remove_prefix(kRetryPrefix.size());
  return topic.substr(0, topic.find('+'));
}

bool is_system_topic(std::string_view topic) {
  return find_system_topic(topic) != nullptr || topic.starts_with(kSystemTopicPrefix);
}

bool is_send_forbidden(std::string_view topic) {
  const SystemTopic* const row = find_system_topic(topic);
  return row != nullptr && row->is_send_forbidden;
}

bool is_system_group(std::string_view group) {
  return group.starts_with(kSystemGroupPrefix);
}

}  // namespace tern::message
