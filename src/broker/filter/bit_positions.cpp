#include "broker/filter/bit_positions.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>
#include <string>

namespace tern::broker {
namespace {

constexpr std::uint64_t kFirst = 0x87C3'7B91'1142'53D5U, kSecond = 0x4CF5'AD43'2745'937FU;

std::uint64_t mixed_first(std::uint64_t word) {
  return std::rotl(word * kFirst, 31) * kSecond;
}
std::uint64_t mixed_second(std::uint64_t word) {
  return std::rotl(word * kSecond, 33) * kFirst;
}
std::uint64_t finished(std::uint64_t hash) {
  hash = (hash ^ hash >> 33U) * 0xFF51'AFD7'ED55'8CCDU;
  hash = (hash ^ hash >> 33U) * 0xC4CE'B9FE'1A85'EC53U;
  return hash ^ hash >> 33U;
}
// The bytes that are there, the first one lowest.
std::uint64_t word_of(std::string_view bytes) {
  std::uint64_t word = 0;
  const std::size_t size = std::min(bytes.size(), sizeof(word));
  for (std::size_t i = 0; i < size; ++i) word |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << 8U * i;
  return word;
}

}  // namespace

std::uint64_t murmur3(std::string_view text) {
  constexpr std::size_t kBlock = 16, kHalf = 8;
  const std::uint64_t length = text.size();
  std::uint64_t first = 0, second = 0;
  for (; text.size() >= kBlock; text.remove_prefix(kBlock)) {
    first = (std::rotl(first ^ mixed_first(word_of(text)), 27) + second) * 5 + 0x52DC'E729U;
    second = (std::rotl(second ^ mixed_second(word_of(text.substr(kHalf))), 31) + first) * 5 + 0x3849'5AB5U;
  }
  if (text.size() > kHalf) second ^= mixed_second(word_of(text.substr(kHalf)));
  if (!text.empty()) first ^= mixed_first(word_of(text));
  first ^= length;
  second ^= length;
  first += second;
  second += first;
  return finished(first) + finished(second);
}

BitMapSize bit_map_size(int consumers, int error_rate_percent) {
  const double error_rate = error_rate_percent / 100.0;
  const auto log = [](double base, double value) { return std::log(value) / std::log(base); };
  const double bits = std::ceil(consumers * log(2, 1 / error_rate) * log(2, std::numbers::e));
  return {static_cast<int>(8 * std::ceil(bits / 8)), static_cast<int>(std::ceil(log(0.5, error_rate)))};
}

std::vector<int> bit_positions(std::string_view group, std::string_view topic, const BitMapSize& size) {
  std::string name(group);
  name.append("#").append(topic);
  const std::uint64_t hash = murmur3(name);
  const auto start = static_cast<std::uint32_t>(hash);
  const auto step = static_cast<std::uint32_t>(hash >> 32U);
  std::vector<int> positions;
  for (std::uint32_t i = 1; i <= static_cast<std::uint32_t>(size.bits_of_consumer); ++i) {
    auto at = static_cast<std::int32_t>(start + i * step);
    if (at < 0) at = ~at;
    positions.push_back(at % size.bits);
  }
  return positions;
}

}  // namespace tern::broker
