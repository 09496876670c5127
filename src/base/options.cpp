#include "tern/base/options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>

#include "tern/base/check.hpp"

namespace tern {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view trim(std::string_view text) {
  const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// The whole text as one number. Java's parsers take a leading plus sign, from_chars does not.
template <class Number>
std::optional<Number> number_in(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class Number>
bool parse_number(std::string_view text, Number& value) {
  const auto number = number_in<Number>(text);
  if (!number) return false;
  if constexpr (std::floating_point<Number>) {
    if (!std::isfinite(*number)) return false;
  }
  value = *number;
  return true;
}

template <class Number>
std::string limits_of() {
  return fmt::format("{} to {}", std::numeric_limits<Number>::min(), std::numeric_limits<Number>::max());
}

// A value as a message may show it: one line, and not a page of it.
std::string shown(std::string_view value) {
  constexpr std::size_t kLongest = 80;
  std::string text(value.substr(0, kLongest));
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; }, '?');
  if (value.size() > kLongest) text += "...";
  return text;
}

// "key=value" for a message; without the value if it is more than a word, for it may hold somebody's password.
std::string setting_shown(std::string_view key, std::string_view value) {
  constexpr std::size_t kLongest = 60;
  const auto is_plain = [](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("._-,;/ ").find(c) != std::string_view::npos;
  };
  if (value.size() > kLongest || !std::ranges::all_of(value, is_plain)) return shown(key);
  return fmt::format("{}={}", shown(key), value);
}

// How many letters must be inserted, removed, replaced or swapped with their neighbour to make one word of the other.
int edit_distance(std::string_view left, std::string_view right) {
  std::vector<int> before_last(right.size() + 1);
  std::vector<int> last(right.size() + 1);
  std::vector<int> current(right.size() + 1);
  for (std::size_t j = 0; j <= right.size(); ++j) last[j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= left.size(); ++i) {
    current[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const char a = lower(left[i - 1]);
      const char b = lower(right[j - 1]);
      current[j] = std::min({last[j] + 1, current[j - 1] + 1, last[j - 1] + (a == b ? 0 : 1)});
      if (i > 1 && j > 1 && a == lower(right[j - 2]) && lower(left[i - 2]) == b) {
        current[j] = std::min(current[j], before_last[j - 2] + 1);
      }
    }
    before_last.swap(last);
    last.swap(current);
  }
  return last[right.size()];
}

// One slip in a short key, up to four in a long one: more than that is a different word.
int slips_allowed(std::size_t length) {
  return std::min(4, 1 + static_cast<int>(length / 6));
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// A `|` would end the cell.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace

namespace option_detail {

bool parse_value(std::string_view text, bool& value) {
  const bool is_true = equal_ignoring_case(text, "true");
  if (!is_true && !equal_ignoring_case(text, "false")) return false;
  value = is_true;
  return true;
}
bool parse_value(std::string_view text, int& value) {
  return parse_number(text, value);
}
bool parse_value(std::string_view text, std::int64_t& value) {
  return parse_number(text, value);
}
bool parse_value(std::string_view text, double& value) {
  return parse_number(text, value);
}
bool parse_value(std::string_view text, std::string& value) {
  value = text;
  return true;
}

std::string format_value(bool value) {
  return value ? "true" : "false";
}
std::string format_value(int value) {
  return fmt::format("{}", value);
}
std::string format_value(std::int64_t value) {
  return fmt::format("{}", value);
}
std::string format_value(double value) {
  return fmt::format("{}", value);
}
std::string format_value(const std::string& value) {
  return value;
}

std::string allowed_by_type(bool) {
  return "true, false";
}
std::string allowed_by_type(int) {
  return limits_of<int>();
}
std::string allowed_by_type(std::int64_t) {
  return limits_of<std::int64_t>();
}
std::string allowed_by_type(double) {
  return "any number";
}
std::string allowed_by_type(const std::string&) {
  return "any text";
}

}  // namespace option_detail

OptionRule range(std::int64_t lowest, std::int64_t highest) {
  TERN_CHECK(lowest <= highest, "{} to {}", lowest, highest);
  return {fmt::format("{} to {}", lowest, highest), [lowest, highest](std::string_view text) {
            if (const auto whole = number_in<std::int64_t>(text)) return *whole >= lowest && *whole <= highest;
            const auto real = number_in<double>(text);
            return real && *real >= static_cast<double>(lowest) && *real <= static_cast<double>(highest);
          }};
}

OptionRule one_of(std::initializer_list<std::string_view> names) {
  std::vector<std::string> list(names.begin(), names.end());
  std::string allowed = join(list);
  return {std::move(allowed),
          [list = std::move(list)](std::string_view text) { return std::ranges::find(list, text) != list.end(); }};
}

OptionRule anything() {
  return {};
}

bool value_is_true(std::string_view value) {
  return equal_ignoring_case(value, "true");
}
bool value_is_not_true(std::string_view value) {
  return !value_is_true(value);
}
bool value_is_set(std::string_view value) {
  return !value.empty();
}

void OptionSet::add_bound(BoundOption option) {
  TERN_CHECK(by_key_.emplace(option.key, options_.size()).second, "two rows of the key {}", option.key);
  TERN_CHECK(option.set(option.default_text), "{}: the default \"{}\" is not allowed; allowed: {}", option.key,
             option.default_text, option.allowed);
  std::erase_if(foreign_, [&](const ForeignKey& foreign) { return foreign.key == option.key; });
  options_.push_back(std::move(option));
}

void OptionSet::add_foreign(std::span<const ForeignKey> keys) {
  for (const ForeignKey& key : keys) {
    if (find(key.key) == nullptr && find_foreign(key.key) == nullptr) foreign_.push_back(key);
  }
}

const BoundOption* OptionSet::find(std::string_view key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &options_[found->second];
}

const ForeignKey* OptionSet::find_foreign(std::string_view key) const {
  const auto found = std::ranges::find(foreign_, key, &ForeignKey::key);
  return found == foreign_.end() ? nullptr : &*found;
}

bool OptionSet::was_set(std::string_view key) const {
  return set_by_file_.contains(key);
}

OptionSet::Outcome OptionSet::apply(const PropertiesFile& file, bool allow_unknown_keys) {
  Outcome outcome;
  std::vector<std::string> without_effect;
  std::unordered_map<std::string_view, int> last_line;
  for (const PropertyLine& line : file.lines) last_line[line.key] = line.line;

  for (const PropertyLine& line : file.lines) {
    const std::string place = fmt::format("{}:{}: ", file.name, line.line);
    const std::string key = shown(line.key);
    const std::string_view value = trim(line.value);
    const auto problem = [&](std::string text) { outcome.problems.push_back({place + std::move(text)}); };

    if (const int last = last_line[line.key]; last != line.line) {
      outcome.notices.push_back(fmt::format("{}{} is set again on line {}, which wins", place, key, last));
      continue;
    }
    if (const BoundOption* option = find(line.key)) {
      set_by_file_.insert(line.key);
      if (!option->set(value)) {
        problem(fmt::format("{}: \"{}\" is not allowed; allowed: {}", key, shown(value), option->allowed));
      }
    } else if (const ForeignKey* foreign = find_foreign(line.key)) {
      set_by_file_.insert(line.key);
      if (foreign->promises != nullptr && foreign->promises(value)) {
        problem(fmt::format("{} promises {}, which this {} does not have yet", setting_shown(line.key, value),
                            foreign->lacking, program_));
      } else {
        without_effect.push_back(key);
      }
    } else if (line.key.empty()) {
      problem("a value without a key");
    } else {
      const std::string near = nearest_key(line.key);
      const std::string hint = near.empty() ? "" : fmt::format("; did you mean {}?", near);
      if (allow_unknown_keys) {
        outcome.notices.push_back(fmt::format("{}{}: unknown key, ignored{}", place, key, hint));
      } else {
        problem(fmt::format("{}: unknown key{} (--allow-unknown-keys accepts it)", key, hint));
      }
    }
  }
  if (!without_effect.empty()) {
    outcome.notices.push_back(fmt::format("{}: keys of Apache RocketMQ that have no effect on this {}: {}", file.name,
                                          program_, join(without_effect)));
  }
  return outcome;
}

std::variant<std::monostate, OptionSet::Refusal> OptionSet::change(std::string_view key, std::string_view value) {
  const std::string name = shown(key);
  const BoundOption* option = find(key);
  if (option == nullptr) {
    if (find_foreign(key) != nullptr) return Refusal{fmt::format("{}: has no effect on this {}", name, program_)};
    const std::string near = nearest_key(key);
    return Refusal{fmt::format("{}: unknown key{}", name, near.empty() ? "" : fmt::format("; did you mean {}?", near))};
  }
  if (option->time != OptionTime::kAtRuntime) {
    return Refusal{fmt::format("{}: is read at start; change the file and restart", name)};
  }
  value = trim(value);
  if (!option->set(value)) {
    return Refusal{fmt::format("{}: \"{}\" is not allowed; allowed: {}", name, shown(value), option->allowed)};
  }
  return {};
}

std::string OptionSet::nearest_key(std::string_view unknown) const {
  std::string_view nearest;
  int least = slips_allowed(unknown.size()) + 1;
  const auto consider = [&](std::string_view key) {
    const std::size_t difference = std::max(key.size(), unknown.size()) - std::min(key.size(), unknown.size());
    if (difference >= static_cast<std::size_t>(least)) return;  // also spares the table of a key that is a page long
    const int distance = edit_distance(unknown, key);
    if (distance >= least || static_cast<std::size_t>(distance) >= key.size()) return;
    least = distance;
    nearest = key;
  };
  for (const BoundOption& option : options_) consider(option.key);
  for (const ForeignKey& foreign : foreign_) consider(foreign.key);
  return std::string(nearest);
}

std::string OptionSet::to_markdown() const {
  std::vector<std::string_view> sections;
  for (const BoundOption& option : options_) {
    if (std::ranges::find(sections, option.section) == sections.end()) sections.push_back(option.section);
  }
  std::string text;
  for (const std::string_view section : sections) {
    text += fmt::format("{}## {}\n\n| Key | Default | Allowed | When | Meaning |\n| --- | --- | --- | --- | --- |\n",
                        text.empty() ? "" : "\n", section);
    for (const BoundOption& option : options_) {
      if (option.section != section) continue;
      const std::string value =
          option.default_text.empty() ? "(empty)" : fmt::format("`{}`", cell(option.default_text));
      text += fmt::format("| `{}` | {} | {} | {} | {} |\n", option.key, value, cell(option.allowed),
                          option.time == OptionTime::kAtRuntime ? "at run time" : "at start", cell(option.meaning));
    }
  }
  return text;
}

}  // namespace tern
