#pragma once
// Typed ext fields: a processor declares a struct and the names; the decoder fills it or names the field that is wrong.

#include <charconv>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string_view>
#include <system_error>
#include <tuple>

#include "tern/protocol/command.hpp"
#include "tern/protocol/errors.hpp"

namespace tern::protocol {

/// Why a request's fields do not fit. `text()` is the remark of the SYSTEM_ERROR that names the field; a long value is
/// cut.
struct FieldProblem {
  Errc code = Errc::kMissingField;
  std::string_view key;
  std::string_view value;
  [[nodiscard]] std::string text() const;
};

namespace detail {

inline bool parse_field(std::string_view text, std::string_view& to) {
  to = text;
  return true;
}
inline bool parse_field(std::string_view text, bool& to) {
  constexpr std::string_view kTrue = "true";
  to = text.size() == kTrue.size();
  for (std::size_t i = 0; to && i < kTrue.size(); ++i) to = (text[i] | 0x20) == kTrue[i];
  return true;
}
template <std::integral T>
bool parse_field(std::string_view text, T& to) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  return error == std::errc{} && end == text.data() + text.size();
}
template <class T>
bool parse_field(std::string_view text, std::optional<T>& to) {
  return parse_field(text, to.emplace());
}

template <class Struct, class T>
struct FieldRule {
  std::string_view key;
  T Struct::* member;
  bool is_required;
};

}  // namespace detail

/// The field must be there. A string_view must also be non-null, but may be empty.
template <class Struct, class T>
constexpr detail::FieldRule<Struct, T> required(std::string_view key, T Struct::* member) {
  return {key, member, true};
}
/// The member keeps its initial value if the field is absent.
template <class Struct, class T>
constexpr detail::FieldRule<Struct, T> optional(std::string_view key, T Struct::* member) {
  return {key, member, false};
}

template <class Struct, class... T>
class Fields {
 public:
  constexpr explicit Fields(detail::FieldRule<Struct, T>... rules) : rules_(rules...) {}

  /// Fills a Struct, or names the first field that is missing or is no value of its type. Does not allocate.
  [[nodiscard]] boost::system::result<Struct, FieldProblem> decode(const CommandHeader& header) const {
    Struct out{};
    std::optional<FieldProblem> problem;
    std::apply([&](const auto&... rule) { (... && fill(rule, header, out, problem)); }, rules_);
    if (problem) return *problem;
    return out;
  }

 private:
  template <class M>
  static bool fill(const detail::FieldRule<Struct, M>& rule, const CommandHeader& header, Struct& out,
                   std::optional<FieldProblem>& problem) {
    const auto text = header.find(rule.key);
    if (!text) {
      if (rule.is_required) problem = FieldProblem{Errc::kMissingField, rule.key, {}};
    } else if (!detail::parse_field(*text, out.*rule.member)) {
      problem = FieldProblem{Errc::kBadField, rule.key, *text};
    }
    return !problem;
  }

  std::tuple<detail::FieldRule<Struct, T>...> rules_;
};

/// constexpr auto kFields = fields<Fields>(required("topic", &Fields::topic), optional("queueId", &Fields::queue));
template <class Struct, class... T>
constexpr Fields<Struct, T...> fields(detail::FieldRule<Struct, T>... rules) {
  return Fields<Struct, T...>(rules...);
}

/// boost::system::result needs it: asking for a value that is not there is our own mistake.
[[noreturn]] void throw_exception_from_error(const FieldProblem& problem, const boost::source_location& where);

/// SYSTEM_ERROR that names the field and its value.
[[nodiscard]] Response refuse(const FieldProblem& problem);

}  // namespace tern::protocol
