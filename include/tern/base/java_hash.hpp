#pragma once
#include <cstdint>
#include <string_view>

namespace tern {

/// Java's String.hashCode of UTF-8 text: h = 31 * h + unit over its UTF-16 units, wrapping. Bytes that are no UTF-8
/// count as U+FFFD, as Java's decoder does. Tag filters, the key index and lock striping of RocketMQ are defined by it.
[[nodiscard]] std::int32_t java_hash(std::string_view utf8, std::int32_t seed = 0) noexcept;

}  // namespace tern
