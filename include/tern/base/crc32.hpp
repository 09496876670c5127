#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace tern {

/// CRC-32 (zlib's polynomial) of `bytes`, continuing from `seed` (0 to start). By libdeflate.
[[nodiscard]] std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t seed = 0) noexcept;

/// The CRC of bytes of which the front is known late: what stands behind it is summed up before, and joined with the
/// front's CRC for about 30 ns, however long it is.
class Crc32Behind {
 public:
  /// `crc` is that of the `size` bytes behind.
  Crc32Behind(std::uint32_t crc, std::uint64_t size) noexcept;
  [[nodiscard]] std::uint32_t joined_to(std::uint32_t front) const noexcept;

 private:
  std::uint32_t crc_;
  std::uint32_t shift_;  // what `size` bytes do to a CRC that stands before them, as a factor
};

/// The form RocketMQ stores and sends: only the lower 31 bits.
[[nodiscard]] inline std::int32_t crc32_31(std::span<const std::byte> bytes) noexcept {
  return static_cast<std::int32_t>(crc32(bytes) & 0x7FFF'FFFFU);
}

}  // namespace tern
