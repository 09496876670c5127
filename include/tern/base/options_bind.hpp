#pragma once
// The template part of options.hpp: ties a row to the member it fills.

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "tern/base/options.hpp"

namespace tern {
namespace option_detail {

/// False, and `value` as it was, if `text` is not a value of that type.
bool parse_value(std::string_view text, bool& value);
bool parse_value(std::string_view text, int& value);
bool parse_value(std::string_view text, std::int64_t& value);
bool parse_value(std::string_view text, double& value);
bool parse_value(std::string_view text, std::string& value);

/// Text that parse_value reads back.
std::string format_value(bool value);
std::string format_value(int value);
std::string format_value(std::int64_t value);
std::string format_value(double value);
std::string format_value(const std::string& value);

/// "true, false", "-2147483648 to 2147483647", ...: what a row without a rule of its own accepts.
std::string allowed_by_type(bool);
std::string allowed_by_type(int);
std::string allowed_by_type(std::int64_t);
std::string allowed_by_type(double);
std::string allowed_by_type(const std::string&);

template <class T>
struct Slot {
  using Value = T;
  static constexpr OptionTime kTime = OptionTime::kAtStart;
  static void store(T& slot, T value) { slot = std::move(value); }
  static const T& load(const T& slot) { return slot; }
};
template <class T>
struct Slot<Live<T>> {
  using Value = T;
  static constexpr OptionTime kTime = OptionTime::kAtRuntime;
  static void store(Live<T>& slot, T value) { slot.set(std::move(value)); }
  static T load(const Live<T>& slot) { return slot.get(); }
};

/// Fills what depends on the member: its type's limits, when a change takes effect, and the two functions.
template <class Member>
void bind_member(BoundOption& option, const OptionRule& rule, Member& member) {
  using Kind = Slot<Member>;
  using Value = typename Kind::Value;
  option.allowed = rule.allowed.empty() ? allowed_by_type(Value{}) : rule.allowed;
  option.time = Kind::kTime;
  option.set = [&member, check = rule.check](std::string_view text) {
    Value value{};
    if (!parse_value(text, value) || (check && !check(text))) return false;
    Kind::store(member, std::move(value));
    return true;
  };
  option.get = [&member] { return format_value(Kind::load(member)); };
}

}  // namespace option_detail

template <class Struct>
void OptionSet::add(std::string_view section, std::type_identity_t<std::span<const OptionRow<Struct>>> rows,
                    Struct& instance) {
  for (const OptionRow<Struct>& row : rows) {
    BoundOption option;
    option.key = row.key;
    option.default_text = row.default_text;
    option.meaning = row.meaning;
    option.section = section;
    std::visit([&](auto member) { option_detail::bind_member(option, row.rule, instance.*member); }, row.member);
    add_bound(std::move(option));
  }
}

}  // namespace tern
