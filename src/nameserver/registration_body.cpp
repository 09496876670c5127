#include "nameserver/registration_body.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <string>

#include <libdeflate.h>

#include "nameserver/errors.hpp"

namespace tern::nameserver {
namespace {

using protocol::Json;

Result<Json> json_object(std::string_view text) {
  auto json = protocol::parse_json(text);
  if (!json) return error(Errc::kBodyNotJson, json.error().detail);
  if (!json->is_object()) return error(Errc::kBodyIncomplete);
  return json;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void take_mapping(std::string_view topic, const Json& info, RegisteredTopics& to) {
  if (!info.is_object()) return;
  auto broker = protocol::string_member(info, "bname");
  if (!topic.empty() && !broker.empty()) to.mappings.push_back({std::string(topic), std::move(broker), info});
}

// A TopicConfigSerializeWrapper, or the one with mappings: their members have the same names.
Status take_wrapper(const Json& wrapper, RegisteredTopics& to) {
  if (const auto* version = protocol::object_member(wrapper, "dataVersion")) {
    to.version = data_version_from_json(*version);
  }
  const auto* topics = protocol::object_member(wrapper, "topicConfigTable");
  if (topics == nullptr || !topics->is_object()) return error(Errc::kBodyIncomplete);
  to.queues.reserve(topics->size());
  for (const auto& [key, config] : topics->items()) {
    if (!config.is_object()) return error(Errc::kBodyIncomplete);
    to.queues.emplace_back(protocol::string_member(config, "topicName", key), queue_data_from_json(config));
  }
  if (const auto* mappings = protocol::object_member(wrapper, "topicQueueMappingInfoMap");
      mappings != nullptr && mappings->is_object()) {
    for (const auto& [topic, info] : mappings->items()) take_mapping(topic, info, to);
  }
  return {};
}

// The inflated form: i32 lengths and counts, big-endian, before each text.
class BinaryReader {
 public:
  explicit BinaryReader(std::string_view bytes) : bytes_(bytes) {}

  Result<std::int32_t> number() {
    if (bytes_.size() - at_ < 4) return error(Errc::kBodyEndsEarly, position());
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes_[at_++]);
    return static_cast<std::int32_t>(value);
  }
  Result<std::string_view> text() {
    const auto start = position();
    const auto size = number();
    if (!size) return size.error();
    if (*size < 0 || static_cast<std::size_t>(*size) > bytes_.size() - at_) return error(Errc::kBodyEndsEarly, start);
    const auto text = bytes_.substr(at_, static_cast<std::size_t>(*size));
    at_ += text.size();
    return text;
  }
  [[nodiscard]] bool at_end() const { return at_ == bytes_.size(); }

 private:
  [[nodiscard]] std::int64_t position() const { return static_cast<std::int64_t>(at_); }

  std::string_view bytes_;
  std::size_t at_ = 0;
};

// "name readQueues writeQueues perm FILTERTYPE {attributes}", single blanks between. What follows perm is not in
// routes.
std::optional<std::pair<std::string, QueueData>> parse_topic_line(std::string_view line) {
  const auto next = [&line] {
    const auto word = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(word.size() + 1, line.size()));
    return word;
  };
  const auto next_number = [&next](std::int32_t& to) {
    const auto word = next();
    const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), to);
    return problem == std::errc{} && end == word.data() + word.size();
  };
  const auto name = next();
  QueueData data;
  if (name.empty()) return std::nullopt;
  if (!next_number(data.read_queues) || !next_number(data.write_queues) || !next_number(data.perm)) return std::nullopt;
  return std::pair(std::string(name), data);
}

Result<RegisteredTopics> decode_binary(std::string_view bytes, bool has_mappings) {
  BinaryReader reader(bytes);
  RegisteredTopics out;
  const auto version_text = reader.text();
  if (!version_text) return version_text.error();
  const auto version = json_object(*version_text);
  if (!version) return version.error();
  out.version = data_version_from_json(*version);

  const auto topics = reader.number();
  if (!topics) return topics.error();
  for (std::int32_t i = 0; i < *topics; ++i) {
    const auto line = reader.text();
    if (!line) return line.error();
    auto topic = parse_topic_line(*line);
    if (!topic) return error(Errc::kBadTopicLine, i);
    out.queues.push_back(std::move(*topic));
  }
  if (const auto filter_servers = reader.text(); !filter_servers) return filter_servers.error();
  if (!has_mappings || reader.at_end()) return out;

  const auto mappings = reader.number();
  if (!mappings) return mappings.error();
  for (std::int32_t i = 0; i < *mappings; ++i) {
    const auto text = reader.text();
    if (!text) return text.error();
    const auto info = json_object(*text);
    if (!info) return info.error();
    take_mapping(protocol::string_member(*info, "topic"), *info, out);
  }
  return out;
}

// The size of what comes out is not written anywhere: the buffer doubles until it fits or the limit is reached.
Result<std::string> inflate(std::span<const std::byte> body) {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> inflater(
      libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
  if (!inflater) return error(Errc::kBadCompression);
  std::string out;
  for (std::size_t size = std::min(kInflatedBytesMax, std::max<std::size_t>(body.size() * 8, 4096));; size *= 2) {
    size = std::min(size, kInflatedBytesMax);
    out.resize(size);
    std::size_t inflated = 0;
    const auto result =
        libdeflate_zlib_decompress(inflater.get(), body.data(), body.size(), out.data(), out.size(), &inflated);
    if (result == LIBDEFLATE_SUCCESS) {
      out.resize(inflated);
      return out;
    }
    if (result != LIBDEFLATE_INSUFFICIENT_SPACE) return error(Errc::kBadCompression);
    if (size == kInflatedBytesMax) return error(Errc::kInflatedTooLarge, static_cast<std::int64_t>(kInflatedBytesMax));
  }
}

}  // namespace

DataVersion data_version_from_json(const Json& json) {
  return {protocol::int_member(json, "stateVersion"), protocol::int_member(json, "timestamp"),
          protocol::int_member(json, "counter")};
}

QueueData queue_data_from_json(const Json& json) {
  const auto number = [&json](std::string_view name, std::int64_t fallback) {
    return static_cast<std::int32_t>(protocol::int_member(json, name, fallback));
  };
  // A TopicConfig that leaves these out has what its constructor gives it.
  return {number("readQueueNums", 16), number("writeQueueNums", 16), number("perm", kPermRead | kPermWrite),
          number("topicSysFlag", 0)};
}

Result<RegisteredTopics> decode_registration(std::span<const std::byte> body, BodyForm form, bool has_mappings) {
  RegisteredTopics out;
  if (body.empty()) return out;
  if (form == BodyForm::kCompressed) {
    const auto inflated = inflate(body);
    if (!inflated) return inflated.error();
    return decode_binary(*inflated, has_mappings);
  }
  const auto json = json_object(text_of(body));
  if (!json) return json.error();
  const auto* wrapper =
      form == BodyForm::kBare ? &*json : protocol::object_member(*json, "topicConfigSerializeWrapper");
  if (wrapper == nullptr || !wrapper->is_object()) return error(Errc::kBodyIncomplete);
  if (auto taken = take_wrapper(*wrapper, out); !taken) return taken.error();
  return out;
}

}  // namespace tern::nameserver
