#include "tern/base/crc32.hpp"

#include <libdeflate.h>

namespace tern {

std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t seed) noexcept {
  return libdeflate_crc32(seed, bytes.data(), bytes.size());
}

namespace {

// CRCs are polynomials over two elements, the highest power in the lowest bit, modulo this one.
constexpr std::uint32_t kPolynomial = 0xEDB8'8320U;
constexpr std::uint32_t kOne = 0x8000'0000U;
constexpr std::uint32_t kEightZeros = kOne >> 8;  // x^8: what one more byte multiplies with

std::uint32_t product(std::uint32_t a, std::uint32_t b) noexcept {
  std::uint32_t sum = 0;
  for (std::uint32_t bit = kOne; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) sum ^= b;
    b = (b & 1) != 0 ? (b >> 1) ^ kPolynomial : b >> 1;
  }
  return sum;
}

}  // namespace

Crc32Behind::Crc32Behind(std::uint32_t crc, std::uint64_t size) noexcept : crc_(crc), shift_(kOne) {
  for (std::uint32_t power = kEightZeros; size != 0; size >>= 1) {
    if ((size & 1) != 0) shift_ = product(shift_, power);
    power = product(power, power);
  }
}

std::uint32_t Crc32Behind::joined_to(std::uint32_t front) const noexcept {
  return product(shift_, front) ^ crc_;
}

}  // namespace tern
