#pragma once
// Texts as Java's Integer, Long, Double and Boolean.valueOf read them: Apache's filters compare properties, which are
// texts, with numbers by these rules, so what is a number and what fails must be the same here. Pure; nothing
// allocates.

#include <cstdint>
#include <optional>
#include <string_view>

namespace tern::broker {

/// Decimal digits with an optional sign, no blanks. Any script's digits count, as in Java. nullopt: not a number, or
/// out of range.
[[nodiscard]] std::optional<std::int32_t> java_int(std::string_view text) noexcept;
[[nodiscard]] std::optional<std::int64_t> java_long(std::string_view text) noexcept;
/// Decimal or hexadecimal floating point, NaN, Infinity, a trailing f or d, blanks around it. What is too large becomes
/// infinity, what is too small zero. nullopt: not a number.
[[nodiscard]] std::optional<double> java_double(std::string_view text) noexcept;
/// "true" in any letter case.
[[nodiscard]] bool java_bool(std::string_view text) noexcept;
/// Below 0, 0 or above it, as Double.compareTo: -0.0 is below 0.0, NaN above everything and equal to itself.
[[nodiscard]] int java_compare(double left, double right) noexcept;

}  // namespace tern::broker
