#include "tern/base/crc32.hpp"

#include <libdeflate.h>

namespace tern {

std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t seed) noexcept {
  return libdeflate_crc32(seed, bytes.data(), bytes.size());
}

}  // namespace tern
