#pragma once
// Big-endian integers at unaligned addresses: the byte order of RocketMQ's wire and disk.

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace tern {

template <std::integral T>
[[nodiscard]] constexpr T swap_to_big_endian(T value) noexcept {
  if constexpr (std::endian::native == std::endian::big || sizeof(T) == 1) {
    return value;
  } else if constexpr (sizeof(T) == 2) {
    return static_cast<T>(__builtin_bswap16(static_cast<std::uint16_t>(value)));
  } else if constexpr (sizeof(T) == 4) {
    return static_cast<T>(__builtin_bswap32(static_cast<std::uint32_t>(value)));
  } else {
    return static_cast<T>(__builtin_bswap64(static_cast<std::uint64_t>(value)));
  }
}

/// The integer stored at `from`, which needs sizeof(T) readable bytes.
template <std::integral T>
[[nodiscard]] T load_be(const void* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return swap_to_big_endian(value);
}

/// Stores `value` at `to`, which needs sizeof(T) writable bytes.
template <std::integral T>
void store_be(void* to, T value) noexcept {
  value = swap_to_big_endian(value);
  std::memcpy(to, &value, sizeof(T));
}

/// Appends `value` to any container of chars or bytes that has insert/append semantics of std::string.
template <std::integral T, class String>
void append_be(String& to, T value) {
  value = swap_to_big_endian(value);
  to.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

}  // namespace tern
