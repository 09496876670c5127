// Frames on their way out. A send response has about six fields of plain ASCII: each costs one growth of the buffer and
// one copy; only text that needs escaping takes the slow way.

#include <cstring>
#include <limits>

#include "tern/base/byte_order.hpp"
#include "tern/base/check.hpp"
#include "tern/protocol/command.hpp"

#include "json_text.hpp"

namespace tern::protocol {
namespace {

constexpr std::string_view kLanguageName = "CPP";
constexpr std::int8_t kLanguageNumber = 1;

void append_number(std::string& to, std::int64_t value) {
  const fmt::format_int digits(value);
  to.append(digits.data(), digits.size());
}

// The header alone. Members in alphabetical order, as Apache's servers write them.
void append_json_header(const Outgoing& command, std::int32_t flag, std::int32_t opaque, std::string& to) {
  to += R"({"code":)";
  append_number(to, command.code);
  if (command.fields.present()) {
    to += R"(,"extFields":{)";
    to += command.fields.json();
    to += '}';
  }
  to += R"(,"flag":)";
  append_number(to, flag);
  to += R"(,"language":")";
  to += kLanguageName;
  to += R"(","opaque":)";
  append_number(to, opaque);
  if (!command.remark.empty()) {
    to += R"(,"remark":)";
    append_json_string(to, std::string_view(command.remark).substr(0, kRemarkSizeMax));
  }
  to += R"(,"serializeTypeCurrentRPC":"JSON","version":)";
  append_number(to, command.version);
  to += '}';
}

// Space for the 8 bytes before a header, filled in once its size is known.
std::size_t begin_frame(std::string& to) {
  const std::size_t begin = to.size();
  to.append(kFramePrefixSize, '\0');
  return begin;
}

void finish_frame(HeaderType type, std::size_t begin, std::size_t body_size, std::string& to) {
  const std::size_t header_size = to.size() - begin - kFramePrefixSize;
  TERN_CHECK(header_size <= kHeaderLengthMax, "header of {} bytes", header_size);
  const std::size_t length = sizeof(std::int32_t) + header_size + body_size;
  TERN_CHECK(length <= std::numeric_limits<std::int32_t>::max(), "frame of {} bytes", length);
  store_be(to.data() + begin, static_cast<std::uint32_t>(length));
  const auto word = static_cast<std::uint32_t>(type) << 24U | static_cast<std::uint32_t>(header_size);
  store_be(to.data() + begin + sizeof(std::int32_t), word);
}

void append_binary_header(std::int32_t code, std::int32_t flag, std::int32_t opaque, std::span<const NamedField> fields,
                          std::int32_t version, std::string_view remark, std::string& to) {
  append_be(to, static_cast<std::int16_t>(code));
  append_be(to, kLanguageNumber);
  append_be(to, static_cast<std::int16_t>(version));
  append_be(to, opaque);
  append_be(to, flag);
  append_be(to, static_cast<std::int32_t>(remark.size()));
  to += remark;
  const std::size_t length_at = to.size();
  append_be(to, std::int32_t{0});
  for (const NamedField& field : fields) {
    if (field.key.empty() || field.value.empty()) continue;
    TERN_CHECK(field.key.size() <= static_cast<std::size_t>(std::numeric_limits<std::int16_t>::max()),
               "key of {} bytes", field.key.size());
    append_be(to, static_cast<std::int16_t>(field.key.size()));
    to += field.key;
    append_be(to, static_cast<std::int32_t>(field.value.size()));
    to += field.value;
  }
  store_be(to.data() + length_at, static_cast<std::int32_t>(to.size() - length_at - sizeof(std::int32_t)));
}

}  // namespace

void OutgoingFields::add(std::string_view key, std::string_view value) {
  present_ = true;
  if (!text_.empty()) text_.push_back(',');
  if (!is_plain(key) || !is_plain(value)) {
    append_json_string(text_, key);
    text_.push_back(':');
    append_json_string(text_, value);
    return;
  }
  constexpr std::string_view kBetween = R"(":")";
  const std::size_t begin = text_.size();
  text_.resize(begin + 1 + key.size() + kBetween.size() + value.size() + 1, boost::container::default_init);
  char* to = text_.data() + begin;
  const auto put = [&to](std::string_view text) {
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    to += text.size();
  };
  *to++ = '"';
  put(key);
  put(kBetween);
  put(value);
  *to = '"';
}

void OutgoingFields::add(std::string_view key, std::int64_t value) {
  const fmt::format_int digits(value);
  add(key, std::string_view(digits.data(), digits.size()));
}

void encode_header(const Outgoing& command, std::int32_t flag, std::int32_t opaque, std::string& to) {
  const std::size_t begin = begin_frame(to);
  append_json_header(command, flag, opaque, to);
  if (to.size() - begin - kFramePrefixSize > kHeaderLengthMax) {
    to.resize(begin + kFramePrefixSize);
    append_json_header(refuse(ResponseCode::kSystemError, "the header of the answer is too large"), flag, opaque, to);
  }
  finish_frame(HeaderType::kJson, begin, command.body.size(), to);
}

std::string encode_frame(HeaderType type, std::int32_t code, std::int32_t flag, std::int32_t opaque,
                         std::span<const NamedField> fields, std::span<const std::byte> body, std::int32_t version,
                         std::string_view remark) {
  std::string to;
  if (type == HeaderType::kRocketmq) {
    const std::size_t begin = begin_frame(to);
    append_binary_header(code, flag, opaque, fields, version, remark, to);
    finish_frame(type, begin, body.size(), to);
  } else {
    Outgoing command;
    command.code = code;
    command.remark = remark;
    command.version = version;
    for (const NamedField& field : fields) command.fields.add(field.key, field.value);
    command.body.append(nullptr, body);  // lives until the frame is made, which is all that is asked
    encode_header(command, flag, opaque, to);
  }
  to.append(reinterpret_cast<const char*>(body.data()), body.size());
  return to;
}

}  // namespace tern::protocol
