// The dialect: one pass turns it into plain JSON and checks it on the way, so that the parser behind it meets only what
// it accepts. The writer makes the dialect directly.

#include "tern/protocol/json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>

#include <fmt/format.h>

#include "tern/protocol/command.hpp"
#include "tern/protocol/errors.hpp"

#include "json_text.hpp"

namespace tern::protocol {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Copies one JSON text of the dialect as plain JSON. Functions return false on what is no JSON, with the reason in
/// `problem_`.
class Normaliser {
 public:
  explicit Normaliser(std::string_view text) : text_(text) {}

  Status run(std::string& to) {
    to.reserve(text_.size() + text_.size() / 8);
    if (!copy_value(to, 0, /*is_key=*/false)) return problem_;
    skip_blanks();
    if (at_ != text_.size()) return error(Errc::kBadJson, static_cast<std::int64_t>(at_));
    return {};
  }

 private:
  // A whole value, without recursion: `objects` has one bit per open container, the innermost lowest. `outside` counts
  // the containers around the value. An object that is itself a key (`is_key`) may not have object keys: each level of
  // them would double the escapes of its text.
  bool copy_value(std::string& to, int outside, bool is_key) {
    static_assert(kJsonDepthMax <= 64);
    std::uint64_t objects = 0;
    int open = 0;
    for (;;) {
      skip_blanks();
      const char first = peek();
      if (first == '{' || first == '[') {
        if (outside + ++open > kJsonDepthMax) return fail(Errc::kHeaderTooDeep);
        objects = objects << 1U | static_cast<unsigned>(first == '{');
        copy_char(to);
        skip_blanks();
        if (peek() != close_of(objects)) {
          if ((objects & 1U) != 0 && !copy_member_name(to, outside + open, is_key)) return false;
          continue;
        }
      } else if (!copy_scalar(to)) {
        return false;
      }
      for (;;) {  // behind a value, or at the end of an empty container
        if (open == 0) return true;
        skip_blanks();
        if (peek() != close_of(objects)) break;
        copy_char(to);
        objects >>= 1U;
        --open;
      }
      if (peek() != ',') return fail();
      copy_char(to);
      if ((objects & 1U) != 0 && !copy_member_name(to, outside + open, is_key)) return false;
    }
  }

  static char close_of(std::uint64_t objects) { return (objects & 1U) != 0 ? '}' : ']'; }

  // The name, always as a string, and the colon.
  bool copy_member_name(std::string& to, int outside, bool is_key) {
    skip_blanks();
    const char first = peek();
    if (first == '"' || first == '\'') {
      if (!copy_string(to)) return false;
    } else if (first == '{' && !is_key) {
      std::string key;
      if (!copy_value(key, outside, /*is_key=*/true)) return false;
      append_json_string(to, key);
    } else {
      to += '"';
      if (!copy_number(to)) return false;
      to += '"';
    }
    skip_blanks();
    if (peek() != ':') return fail();
    copy_char(to);
    return true;
  }

  bool copy_scalar(std::string& to) {
    switch (peek()) {
      case '"':
      case '\'':
        return copy_string(to);
      case 't':
        return copy_word("true", to);
      case 'f':
        return copy_word("false", to);
      case 'n':
        return copy_word("null", to);
      default:
        return copy_number(to);
    }
  }

  bool copy_word(std::string_view word, std::string& to) {
    if (text_.substr(at_, word.size()) != word) return fail();
    at_ += word.size();
    to += word;
    return true;
  }

  // Strict JSON, because the parser behind is: no leading zeros, digits on both sides of the point.
  bool copy_number(std::string& to) {
    const std::size_t begin = at_;
    if (peek() == '-') ++at_;
    if (peek() == '0') {
      ++at_;
    } else if (!skip_digits()) {
      return fail();
    }
    if (peek() == '.') {
      ++at_;
      if (!skip_digits()) return fail();
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!skip_digits()) return fail();
    }
    to += text_.substr(begin, at_ - begin);
    return true;
  }

  bool skip_digits() {
    const std::size_t begin = at_;
    while (is_digit(peek())) ++at_;
    return at_ > begin;
  }

  bool copy_string(std::string& to) {
    const char quote = text_[at_];
    const std::size_t begin = ++at_;
    bool has_escapes = false;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\') {
        has_escapes = true;
        ++at_;  // whatever stands behind it is no end
      }
      ++at_;
    }
    if (at_ >= text_.size()) return fail_at(begin - 1);
    const std::string_view raw = text_.substr(begin, at_ - begin);
    ++at_;
    if (!has_escapes) {
      append_json_string(to, raw);
      return true;
    }
    unescaped_.resize(raw.size());
    std::size_t bad_at = 0;
    const std::size_t size = unescape_json(raw, unescaped_.data(), bad_at);
    if (size == npos) return fail_at(begin + bad_at);
    append_json_string(to, std::string_view(unescaped_).substr(0, size));
    return true;
  }

  void copy_char(std::string& to) { to += text_[at_++]; }
  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
  }
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool fail(Errc code = Errc::kBadJson) { return fail_at(at_, code); }
  bool fail_at(std::size_t at, Errc code = Errc::kBadJson) {
    problem_ = error(code, static_cast<std::int64_t>(at));
    return false;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::string unescaped_;
  Error problem_;
};

bool is_whole_number(std::string_view key) {
  if (key.starts_with('-')) key.remove_prefix(1);
  return !key.empty() && std::all_of(key.begin(), key.end(), is_digit);
}

// Looks twice at a key that seems to be an object, because it may be a name that a client chose.
bool is_bare_key(const std::string& key) {
  return is_whole_number(key) || (key.starts_with('{') && key.ends_with('}') && Json::accept(key));
}

/// Writes a Json in the dialect.
class Writer {
 public:
  Writer(std::string& to, bool is_pretty, std::span<const std::string_view> maps)
      : to_(to), is_pretty_(is_pretty), maps_(maps) {}

  void write(const Json& value) { write(value, Keys::kNames, 0); }

 private:
  // What the keys of an object are: names of members (quoted); or data, of a listed map or of a map within one.
  enum class Keys : std::uint8_t { kNames, kData, kInnerData };

  void write(const Json& value, Keys keys, int depth) {
    if (value.is_object()) {
      write_object(value, keys, depth);
    } else if (value.is_array()) {
      write_array(value, depth);
    } else if (value.is_string()) {
      append_json_string(to_, value.get_ref<const std::string&>());
    } else {
      to_ += value.dump();  // numbers, booleans and null: nothing in them can fail
    }
  }

  void write_object(const Json& object, Keys keys, int depth) {
    to_ += '{';
    bool is_first = true;
    for (const auto& [key, value] : object.items()) {
      if (value.is_null()) continue;
      separate(is_first, depth + 1);
      const bool is_bare = keys != Keys::kNames && is_bare_key(key);
      if (is_bare) {
        to_ += key;
      } else {
        append_json_string(to_, key);
      }
      to_ += ':';
      write(value, keys_below(key, keys, is_bare), depth + 1);
    }
    if (!is_first) new_line(depth);
    to_ += '}';
  }

  [[nodiscard]] Keys keys_below(std::string_view key, Keys keys, bool is_bare) const {
    if (keys == Keys::kData && !is_bare) return Keys::kInnerData;
    const bool is_listed = keys == Keys::kNames && std::find(maps_.begin(), maps_.end(), key) != maps_.end();
    return is_listed ? Keys::kData : Keys::kNames;
  }

  void write_array(const Json& array, int depth) {
    const bool is_one_line =
        std::all_of(array.begin(), array.end(), [](const Json& value) { return value.is_number(); });
    to_ += '[';
    bool is_first = true;
    for (const Json& value : array) {
      if (is_one_line) {
        if (!is_first) to_ += ',';
        is_first = false;
      } else {
        separate(is_first, depth + 1);
      }
      write(value, Keys::kNames, depth + 1);
    }
    if (!is_one_line) new_line(depth);
    to_ += ']';
  }

  void separate(bool& is_first, int depth) {
    if (!is_first) to_ += ',';
    is_first = false;
    new_line(depth);
  }
  void new_line(int depth) {
    if (!is_pretty_) return;
    to_ += '\n';
    to_.append(static_cast<std::size_t>(depth), '\t');
  }

  std::string& to_;
  const bool is_pretty_;
  const std::span<const std::string_view> maps_;
};

const Json* find_member(const Json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto member = object.find(name);
  return member != object.end() ? &*member : nullptr;
}

std::int64_t to_int(double value, std::int64_t fallback) {
  constexpr double kLimit = 9'223'372'036'854'775'808.0;  // 2^63
  return value >= -kLimit && value < kLimit ? static_cast<std::int64_t>(value) : fallback;
}

std::int64_t to_int(std::string_view text, std::int64_t fallback) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc{} && end == text.data() + text.size() ? value : fallback;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

}  // namespace

Result<Json> parse_json(std::string_view text) {
  std::string plain;
  if (const Status status = Normaliser(text).run(plain); !status) return status.error();
  Json value = Json::parse(plain, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return error(Errc::kBadJson, static_cast<std::int64_t>(text.size()));
  return value;
}

std::string write_json(const Json& value, KeyStyle style, std::initializer_list<std::string_view> maps) {
  std::string text;
  const std::span<const std::string_view> listed(maps.begin(), style == KeyStyle::kUnquoted ? maps.size() : 0);
  Writer(text, /*is_pretty=*/false, listed).write(value);
  return text;
}

std::string write_pretty_json(const Json& value, std::initializer_list<std::string_view> maps) {
  std::string text;
  Writer(text, /*is_pretty=*/true, std::span(maps.begin(), maps.size())).write(value);
  return text;
}

std::int64_t int_member(const Json& object, std::string_view name, std::int64_t fallback) {
  const Json* const member = find_member(object, name);
  if (member == nullptr) return fallback;
  if (member->is_number_float()) return to_int(member->get<double>(), fallback);
  if (member->is_number_unsigned()) {
    const auto value = member->get<std::uint64_t>();
    return value <= static_cast<std::uint64_t>(INT64_MAX) ? static_cast<std::int64_t>(value) : fallback;
  }
  if (member->is_number()) return member->get<std::int64_t>();
  if (member->is_string()) return to_int(member->get_ref<const std::string&>(), fallback);
  return fallback;
}

bool bool_member(const Json& object, std::string_view name, bool fallback) {
  const Json* const member = find_member(object, name);
  if (member == nullptr) return fallback;
  if (member->is_boolean()) return member->get<bool>();
  if (member->is_number()) return member->get<double>() != 0;
  if (!member->is_string()) return fallback;
  const auto& text = member->get_ref<const std::string&>();
  if (equals_ignoring_case(text, "true")) return true;
  return equals_ignoring_case(text, "false") ? false : fallback;
}

std::string string_member(const Json& object, std::string_view name, std::string_view fallback) {
  const Json* const member = find_member(object, name);
  if (member != nullptr && member->is_string()) return member->get<std::string>();
  if (member != nullptr && (member->is_number() || member->is_boolean())) return member->dump();
  return std::string(fallback);
}

const Json* object_member(const Json& object, std::string_view name) {
  const Json* const member = find_member(object, name);
  return member != nullptr && member->is_object() ? member : nullptr;
}

const Json* array_member(const Json& object, std::string_view name) {
  const Json* const member = find_member(object, name);
  return member != nullptr && member->is_array() ? member : nullptr;
}

}  // namespace tern::protocol
