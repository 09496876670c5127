// A 1 KB send costs one memcpy of 1.4 KB and four stores: about 50 ns, where encoding it takes 600.
#include "cli/bench_frames.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "tern/base/byte_order.hpp"
#include "tern/base/check.hpp"
#include "tern/message/properties.hpp"

namespace tern::cli {
namespace {

constexpr std::size_t kBinaryOpaqueAt = protocol::kFramePrefixSize + 2 + 1 + 2;  // code, language, version
constexpr std::string_view kJsonOpaque = R"("opaque":)";
constexpr int kOpaqueDigits = 10;
constexpr int kRunDigits = 17;
constexpr int kSuspend = 0x2, kSubscription = 0x4;

void put_decimal(char* to, std::int64_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
}
void put_hex(char* to, std::uint64_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value >>= 4U) to[i] = "0123456789ABCDEF"[value & 0xFU];
}

std::vector<std::size_t> all_of(std::string_view text, std::string_view hole) {
  std::vector<std::size_t> places;
  for (auto at = text.find(hole); at != std::string_view::npos; at = text.find(hole, at + hole.size()))
    places.push_back(at);
  return places;
}

std::string properties_of(const MessageShape& shape, std::string_view run) {
  std::string properties;
  message::PropertyWriter writer(properties);
  writer.add(message::property::kUniqueKey, std::string(run) + std::string(kNumberHole));
  writer.add(message::property::kWait, "true");
  writer.add(message::property::kTags, shape.tag);
  writer.add("bench", std::string(static_cast<std::size_t>(shape.properties_size), 'p'));
  return properties;
}

std::string batch_body(const MessageShape& shape, std::string_view properties) {
  std::string items;
  for (int i = 0; i < shape.batch; ++i) {
    const auto begin = items.size();
    for (int field = 0; field < 4; ++field) append_be(items, std::int32_t{0});  // size, magic, crc, flag
    append_be(items, static_cast<std::int32_t>(shape.body_size));
    items.append(static_cast<std::size_t>(shape.body_size), 'b');
    append_be(items, static_cast<std::int16_t>(properties.size()));
    items += properties;
    store_be(items.data() + begin, static_cast<std::int32_t>(items.size() - begin));
  }
  return items;
}

}  // namespace

void BornTime::set(std::int64_t wall_ms) {
  if (wall_ms == now_ms_) return;
  now_ms_ = wall_ms;
  put_decimal(text_, wall_ms, static_cast<int>(sizeof(text_)));
}

FrameTemplate::FrameTemplate(const Command& command)
    : frame_(protocol::encode_frame(command.codec, static_cast<std::int32_t>(command.code), command.flag, kOpaqueFirst,
                                    command.fields, std::as_bytes(std::span(command.body)))),
      is_json_(command.codec == protocol::HeaderType::kJson),
      opaque_at_(kBinaryOpaqueAt),
      born_at_(all_of(frame_, kBornTimeHole)),
      number_at_(all_of(frame_, kNumberHole)),
      offset_at_(all_of(frame_, kOffsetHole)) {
  if (is_json_) {
    // The last one of the header: a field's value that looks like it stands before it.
    const std::string_view header = std::string_view(frame_).substr(0, frame_.size() - command.body.size());
    const auto found = header.rfind(kJsonOpaque);
    TERN_CHECK(found != std::string_view::npos, "a header without opaque");
    opaque_at_ = found + kJsonOpaque.size();
  }
}

void FrameTemplate::append(std::string& to, const Values& values) const {
  const std::size_t begin = to.size();
  to.append(frame_);
  char* const frame = to.data() + begin;
  if (is_json_) {
    put_decimal(frame + opaque_at_, values.opaque, kOpaqueDigits);
  } else {
    store_be(frame + opaque_at_, values.opaque);
  }
  for (const auto at : born_at_) std::memcpy(frame + at, values.born_time.data(), kBornTimeHole.size());
  std::uint64_t number = values.number;
  for (const auto at : number_at_) put_hex(frame + at, number++, kNumberDigits);
  for (const auto at : offset_at_) put_decimal(frame + at, values.queue_offset, static_cast<int>(kOffsetHole.size()));
}

std::string run_id(std::uint64_t seed) {
  return fmt::format("{:0{}X}", seed, kRunDigits);
}

std::optional<std::uint64_t> number_of(std::string_view unique_key, std::string_view run) {
  if (unique_key.size() != run.size() + kNumberDigits || !unique_key.starts_with(run)) return {};
  std::uint64_t number = 0;
  for (const char c : unique_key.substr(run.size())) {
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_digit && (c < 'A' || c > 'F')) return {};
    number = number << 4U | static_cast<std::uint64_t>(is_digit ? c - '0' : c - 'A' + 10);
  }
  return number;
}

FrameTemplate send_template(const MessageShape& shape, std::string_view run, int queue_id) {
  const bool is_batch = shape.batch > 1;
  const std::string properties = properties_of(shape, run);
  FrameTemplate::Command command;
  command.codec = shape.codec;
  command.code = is_batch ? protocol::RequestCode::kSendBatchMessage : protocol::RequestCode::kSendMessageV2;
  command.flag = shape.is_one_way ? protocol::kFlagOneWay : 0;
  command.fields = {{"a", shape.group},
                    {"b", shape.topic},
                    {"c", "TBW102"},
                    {"d", "4"},
                    {"e", std::to_string(queue_id)},
                    {"f", "0"},
                    {"g", std::string(kBornTimeHole)},
                    {"h", "0"},
                    {"i", is_batch ? std::string("WAIT\1true\2") : properties},
                    {"j", "0"},
                    {"k", "false"},
                    {"m", is_batch ? "true" : "false"}};
  command.body = is_batch ? batch_body(shape, properties) : std::string(static_cast<std::size_t>(shape.body_size), 'b');
  return FrameTemplate(command);
}

FrameTemplate pull_template(const PullShape& shape, int queue_id) {
  FrameTemplate::Command command;
  command.codec = shape.codec;
  command.code = protocol::RequestCode::kPullMessage;
  command.fields = {{"consumerGroup", shape.group},
                    {"topic", shape.topic},
                    {"queueId", std::to_string(queue_id)},
                    {"queueOffset", std::string(kOffsetHole)},
                    {"maxMsgNums", std::to_string(shape.count_max)},
                    {"sysFlag", std::to_string(kSubscription | (shape.suspend_ms > 0 ? kSuspend : 0))},
                    {"commitOffset", "0"},
                    {"suspendTimeoutMillis", std::to_string(shape.suspend_ms)},
                    {"subscription", shape.expression},
                    {"subVersion", "0"},
                    {"expressionType", "TAG"}};
  return FrameTemplate(command);
}

}  // namespace tern::cli
