#include "broker/pop/receipt.hpp"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "tern/message/topic_name.hpp"

namespace tern::broker {
namespace {

constexpr std::size_t kParts = 8;

template <class T>
bool parse(std::string_view text, T& to) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  return error == std::errc{} && end == text.data() + text.size();
}

void separate(std::string& to) {
  if (!to.empty()) to += ';';
}

}  // namespace

RetryFlag retry_flag(std::string_view topic) {
  if (!message::is_retry_topic(topic)) return RetryFlag::kNormal;
  return topic.find('+') == std::string_view::npos ? RetryFlag::kV1 : RetryFlag::kV2;
}

std::string pop_retry_topic_v1(std::string_view group, std::string_view topic) {
  return message::retry_topic(group).append("_").append(topic);
}
std::string pop_retry_topic_v2(std::string_view group, std::string_view topic) {
  return message::retry_topic(group).append("+").append(topic);
}
std::string revive_topic(std::string_view cluster) {
  return std::string(message::kSystemTopicPrefix).append("REVIVE_LOG_").append(cluster);
}

std::optional<Receipt> parse_receipt(std::string_view text) {
  std::array<std::string_view, kParts> parts;
  for (std::size_t i = 0; i < kParts; ++i) {
    const auto end = text.find(' ');
    parts[i] = text.substr(0, end);
    if (parts[i].empty() || (end == std::string_view::npos) != (i + 1 == kParts)) return std::nullopt;
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  Receipt receipt;
  int flag = -1;
  if (!parse(parts[0], receipt.start_offset) || !parse(parts[1], receipt.pop_time) ||
      !parse(parts[2], receipt.invisible_ms) || !parse(parts[3], receipt.revive_queue) || !parse(parts[4], flag) ||
      flag < 0 || flag > static_cast<int>(RetryFlag::kV2) || !parse(parts[6], receipt.queue_id) ||
      !parse(parts[7], receipt.offset)) {
    return std::nullopt;
  }
  receipt.flag = static_cast<RetryFlag>(flag);
  receipt.broker = parts[5];
  return receipt;
}

void append_receipt(const Receipt& receipt, std::string& to) {
  fmt::format_to(std::back_inserter(to), "{} {} {} {} {} {} {} {}", receipt.start_offset, receipt.pop_time,
                 receipt.invisible_ms, receipt.revive_queue, static_cast<int>(receipt.flag), receipt.broker,
                 receipt.queue_id, receipt.offset);
}

void append_start_offset(RetryFlag flag, std::int32_t queue_id, std::int64_t offset, std::string& to) {
  separate(to);
  fmt::format_to(std::back_inserter(to), "{} {} {}", static_cast<int>(flag), queue_id, offset);
}

void append_attempts(RetryFlag flag, std::int32_t queue_id, std::optional<std::int64_t> offset, int attempts,
                     std::string& to) {
  separate(to);
  const auto name = offset ? fmt::format("qo{}%{}", queue_id, *offset) : std::to_string(queue_id);
  fmt::format_to(std::back_inserter(to), "{} {} {}", static_cast<int>(flag), name, attempts);
}

void append_message_offsets(RetryFlag flag, std::int32_t queue_id, std::span<const std::int64_t> offsets,
                            std::string& to) {
  separate(to);
  fmt::format_to(std::back_inserter(to), "{} {} {}", static_cast<int>(flag), queue_id, fmt::join(offsets, ","));
}

}  // namespace tern::broker
