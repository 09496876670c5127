#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace tern {

/// CRC-32 (zlib's polynomial) of `bytes`, continuing from `seed` (0 to start). By libdeflate.
[[nodiscard]] std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t seed = 0) noexcept;

/// The form RocketMQ stores and sends: only the lower 31 bits.
[[nodiscard]] inline std::int32_t crc32_31(std::span<const std::byte> bytes) noexcept {
  return static_cast<std::int32_t>(crc32(bytes) & 0x7FFF'FFFFU);
}

}  // namespace tern
