// Java's .properties syntax, as java.util.Properties.load defines it:
// a logical line is one or more lines, each but the last ending in an odd number of backslashes; the blanks a
// continuation begins with do not count. Comments and empty lines, also those of a single backslash, are recognised
// before lines are joined: a comment does not continue, and a continuation is no comment.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "tern/base/options.hpp"

namespace tern {
namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\f';
}
bool is_high_surrogate(std::uint32_t unit) {
  return unit >= 0xD800 && unit <= 0xDBFF;
}
bool is_low_surrogate(std::uint32_t unit) {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

void append_utf8(std::string& to, std::uint32_t point) {
  if (point < 0x80) {
    to += static_cast<char>(point);
  } else if (point < 0x800) {
    to += static_cast<char>(0xC0U | (point >> 6U));
    to += static_cast<char>(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    to += static_cast<char>(0xE0U | (point >> 12U));
    to += static_cast<char>(0x80U | ((point >> 6U) & 0x3FU));
    to += static_cast<char>(0x80U | (point & 0x3FU));
  } else {
    to += static_cast<char>(0xF0U | (point >> 18U));
    to += static_cast<char>(0x80U | ((point >> 12U) & 0x3FU));
    to += static_cast<char>(0x80U | ((point >> 6U) & 0x3FU));
    to += static_cast<char>(0x80U | (point & 0x3FU));
  }
}

// The code point at `at`, which moves past it; nothing, and `at` one byte further, if the bytes there are no UTF-8.
std::optional<std::uint32_t> next_code_point(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<std::uint8_t>(text[at++]);
  if (lead < 0x80) return lead;
  if (lead < 0xC2 || lead > 0xF4) return std::nullopt;
  const std::size_t more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
  if (text.size() - at < more) return std::nullopt;
  std::uint32_t point = lead & (0x3FU >> more);
  for (std::size_t i = 0; i < more; ++i) {
    const auto byte = static_cast<std::uint8_t>(text[at + i]);
    if ((byte & 0xC0U) != 0x80) return std::nullopt;
    point = (point << 6U) | (byte & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 4> kSmallest{0, 0x80, 0x800, 0x10000};
  if (point < kSmallest[more] || point > 0x10FFFF || is_high_surrogate(point) || is_low_surrogate(point)) {
    return std::nullopt;
  }
  at += more;
  return point;
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (!next_code_point(text, at)) return false;
  }
  return true;
}

std::string utf8_of_latin1(std::string_view text) {
  std::string utf8;
  for (const char c : text) append_utf8(utf8, static_cast<std::uint8_t>(c));
  return utf8;
}

// Whether the next line continues this one.
bool ends_in_escape(std::string_view line) {
  const std::size_t last_other = line.find_last_not_of('\\');
  const std::size_t backslashes = line.size() - (last_other == std::string_view::npos ? 0 : last_other + 1);
  return backslashes % 2 == 1;
}

// Lines that belong together, joined; escapes are still in it.
struct LogicalLine {
  std::string text;
  int first_line = 0;
  std::vector<std::size_t> continued_at;  // where in `text` each further line begins

  [[nodiscard]] int line_of(std::size_t position) const {
    return first_line + static_cast<int>(std::ranges::upper_bound(continued_at, position) - continued_at.begin());
  }
};

class LogicalLines {
 public:
  explicit LogicalLines(std::string_view text) : rest_(text) {}

  /// The next one that is no comment and not empty.
  std::optional<LogicalLine> next() {
    while (!rest_.empty()) {
      std::string_view line = next_line();
      if (line.empty() || line == "\\" || line.front() == '#' || line.front() == '!') continue;
      LogicalLine logical;
      logical.first_line = line_;
      while (ends_in_escape(line)) {
        logical.text += line.substr(0, line.size() - 1);
        if (rest_.empty()) {
          line = {};
          break;
        }
        logical.continued_at.push_back(logical.text.size());
        line = next_line();
      }
      logical.text += line;
      return logical;
    }
    return std::nullopt;
  }

 private:
  // Without its end and the blanks it begins with.
  std::string_view next_line() {
    ++line_;
    const std::size_t end = std::min(rest_.find_first_of("\r\n"), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end);
    if (rest_.starts_with("\r\n")) {
      rest_.remove_prefix(2);
    } else if (!rest_.empty()) {
      rest_.remove_prefix(1);
    }
    while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
    return line;
  }

  std::string_view rest_;
  int line_ = 0;
};

// Where the key ends and the value begins.
std::pair<std::size_t, std::size_t> split(std::string_view text) {
  std::size_t key_end = 0;
  while (key_end < text.size() && text[key_end] != '=' && text[key_end] != ':' && !is_blank(text[key_end])) {
    key_end += text[key_end] == '\\' ? 2 : 1;
  }
  key_end = std::min(key_end, text.size());
  std::size_t value = key_end;
  const auto skip_blanks = [&] {
    while (value < text.size() && is_blank(text[value])) ++value;
  };
  skip_blanks();
  if (value < text.size() && (text[value] == '=' || text[value] == ':')) ++value;
  skip_blanks();
  return {key_end, value};
}

std::optional<std::uint32_t> four_hex_digits(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  std::uint32_t unit = 0;
  for (const char c : text.substr(0, 4)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    unit = unit * 16 + static_cast<std::uint32_t>(digit);
  }
  return unit;
}

// Text without its escapes, or where it is malformed and how.
struct Malformed {
  std::size_t position;
  std::string text;
};
std::variant<std::string, Malformed> unescape(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      plain += text[at++];
      continue;
    }
    const std::size_t escape = at++;
    if (at == text.size()) break;
    const char kind = text[at++];
    switch (kind) {
      case 't':
        plain += '\t';
        break;
      case 'n':
        plain += '\n';
        break;
      case 'r':
        plain += '\r';
        break;
      case 'f':
        plain += '\f';
        break;
      case 'u': {
        const auto unit = four_hex_digits(text.substr(at));
        if (!unit) return Malformed{escape, "\\u needs four hexadecimal digits"};
        at += 4;
        std::uint32_t point = *unit;
        if (is_high_surrogate(point) && text.substr(at).starts_with("\\u")) {
          const auto low = four_hex_digits(text.substr(at + 2));
          if (!low) return Malformed{at, "\\u needs four hexadecimal digits"};
          if (is_low_surrogate(*low)) {
            point = 0x10000 + ((point - 0xD800) << 10U) + (*low - 0xDC00);
            at += 6;
          }
        }
        if (is_high_surrogate(point) || is_low_surrogate(point)) {
          return Malformed{escape, fmt::format("\\u{:04X} is half of a surrogate pair", point)};
        }
        append_utf8(plain, point);
        break;
      }
      default:
        plain += kind;
        break;
    }
  }
  return plain;
}

// As Java's String.trim: every control character counts as blank.
std::string trimmed(const std::string& text) {
  const auto is_text = [](char c) { return static_cast<unsigned char>(c) > ' '; };
  const auto first = std::ranges::find_if(text, is_text);
  const auto last = std::find_if(text.rbegin(), std::make_reverse_iterator(first), is_text).base();
  return {first, last};
}

void append_escaped(std::string& to, std::string_view text, bool is_key) {
  const auto append_unit = [&](std::uint32_t unit) { to += fmt::format("\\u{:04X}", unit); };
  for (std::size_t at = 0; at < text.size();) {
    const bool is_first = at == 0;
    const std::uint32_t point = next_code_point(text, at).value_or(kReplacement);
    switch (point) {
      case '\t':
        to += "\\t";
        break;
      case '\n':
        to += "\\n";
        break;
      case '\r':
        to += "\\r";
        break;
      case '\f':
        to += "\\f";
        break;
      case '\\':
        to += "\\\\";
        break;
      case ' ':
        to += is_key || is_first ? "\\ " : " ";
        break;
      case '=':
      case ':':
      case '#':
      case '!':
        if (is_key) to += '\\';
        to += static_cast<char>(point);
        break;
      default:
        if (point >= 0x10000) {
          append_unit(0xD800 + ((point - 0x10000) >> 10U));
          append_unit(0xDC00 + ((point - 0x10000) & 0x3FFU));
        } else if (point < ' ' || point > '~') {
          append_unit(point);
        } else {
          to += static_cast<char>(point);
        }
    }
  }
}

}  // namespace

std::variant<PropertiesFile, PropertiesError> parse_properties(std::string_view name, std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const std::string converted = is_utf8(text) ? std::string() : utf8_of_latin1(text);
  LogicalLines lines(converted.empty() ? text : converted);

  PropertiesFile file{std::string(name), {}};
  while (const auto logical = lines.next()) {
    const std::string_view all = logical->text;
    const auto [key_end, value_begin] = split(all);
    const auto key = unescape(all.substr(0, key_end));
    if (const auto* bad = std::get_if<Malformed>(&key))
      return PropertiesError{logical->line_of(bad->position), bad->text};
    const auto value = unescape(all.substr(value_begin));
    if (const auto* bad = std::get_if<Malformed>(&value)) {
      return PropertiesError{logical->line_of(value_begin + bad->position), bad->text};
    }
    file.lines.push_back({std::get<std::string>(key), trimmed(std::get<std::string>(value)), logical->first_line});
  }
  return file;
}

std::string write_properties(std::span<const PropertyLine> lines) {
  std::string text;
  for (const PropertyLine& line : lines) {
    append_escaped(text, line.key, true);
    text += '=';
    append_escaped(text, line.value, false);
    text += '\n';
  }
  return text;
}

std::variant<std::string, PropertiesError> with_settings(std::string_view text, std::span<const PropertyLine> changed) {
  const auto parsed = parse_properties({}, text);
  if (const auto* problem = std::get_if<PropertiesError>(&parsed)) return *problem;
  std::map<int, const PropertyLine*> replaced;  // by the line that the setting begins on
  std::vector<PropertyLine> appended;
  for (const auto& setting : changed) {
    int at = 0;
    for (const auto& line : std::get<PropertiesFile>(parsed).lines) {
      if (line.key == setting.key) at = line.line;
    }
    if (at == 0) {
      appended.push_back(setting);
    } else {
      replaced[at] = &setting;
    }
  }

  std::string result;
  bool is_dropped = false;  // a further line of a setting that is replaced
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t size = std::min(text.find_first_of("\r\n"), text.size());
    const std::size_t size_with_end =
        std::min(text.size(), size + (text.substr(size).starts_with("\r\n") ? std::size_t{2} : std::size_t{1}));
    const auto line = text.substr(0, size);
    const auto end = text.substr(size, size_with_end - size);
    if (const auto found = replaced.find(number); found != replaced.end()) {
      auto written = write_properties({found->second, 1});
      written.pop_back();  // its line ends as the old one did
      result += written;
      is_dropped = ends_in_escape(line);
      if (!is_dropped) result += end;
    } else if (is_dropped) {
      is_dropped = ends_in_escape(line);
      if (!is_dropped) result += end;
    } else {
      result += text.substr(0, size_with_end);
    }
    text.remove_prefix(size_with_end);
  }
  if (!appended.empty() && !result.empty() && result.back() != '\n' && result.back() != '\r') result += '\n';
  return result + write_properties(appended);
}

}  // namespace tern
