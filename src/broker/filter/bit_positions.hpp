#pragma once
// Where a consumer's bits stand in the filter bit maps that Apache's brokers put into extension files
// (docs/format/consume_queue_ext.md). Ours writes no bit maps; but consumerFilter.json holds the positions, and
// Apache's broker forgets every filter in a file without them. Pure.

#include <cstdint>
#include <string_view>
#include <vector>

namespace tern::broker {

/// A Bloom filter's measures, for so many consumers and so many per cent of false hits.
struct BitMapSize {
  int bits = 0;              // a multiple of 8
  int bits_of_consumer = 0;  // at least 1
  friend bool operator==(const BitMapSize&, const BitMapSize&) = default;
};
/// `consumers` at least 1, `error_rate_percent` from 1 to 99.
[[nodiscard]] BitMapSize bit_map_size(int consumers, int error_rate_percent);

/// bits_of_consumer numbers below bits, perhaps some of them twice.
[[nodiscard]] std::vector<int> bit_positions(std::string_view group, std::string_view topic, const BitMapSize& size);

/// The first 64 bits of MurmurHash3_x64_128 with seed 0.
[[nodiscard]] std::uint64_t murmur3(std::string_view text);

}  // namespace tern::broker
