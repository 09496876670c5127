#include "tern/base/check.hpp"

#include "fuzz/fuzz.hpp"
#include "store/index_file.hpp"
#include "support/bytes.hpp"
#include "support/simulated_disk.hpp"

// An index file of 3 slots and 12 entries that begins with the input. Searches end and stay within bounds, entries
// can be added behind whatever stands there, also after a repair, and what is past an end can be forgotten.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  const store::IndexShape shape{3, 12};
  std::string content(reinterpret_cast<const char*>(data), size);
  content.resize(static_cast<std::size_t>(shape.file_size()), '\0');
  test::SimulatedDisk disk({.file_reservation_bytes = 4096});
  TERN_CHECK(test::write_text(disk, "index", content));
  const auto opened = store::IndexFile::open(disk, "index", shape);
  TERN_CHECK(opened.has_value());
  auto& file = **opened;
  const auto search = [&] {
    for (std::int32_t hash = 0; hash < 4; ++hash) {
      std::vector<store::LogPosition> found;
      TERN_CHECK(file.find(hash, INT64_MIN + 2000, INT64_MAX, 5, found) && found.size() <= 5);
      for (const auto position : found) TERN_CHECK(position.value >= 0);
    }
  };
  if (file.is_damaged()) return 0;
  search();
  TERN_CHECK(file.prepare());
  if (!file.is_full()) TERN_CHECK(file.add({2, {1 << 20}, 5000}));
  search();
  TERN_CHECK(file.repair({400}).has_value());
  search();
  while (!file.is_full()) TERN_CHECK(file.add({1, {1 << 21}, 6000}));
  search();
  TERN_CHECK(file.is_whole().has_value());
  // The larger ends find what was added alone, the smaller ones also what the input says.
  for (const std::int64_t end : {1 << 21, 1 << 20, 300, 0}) {
    const auto is_left = file.truncate_to({end});
    TERN_CHECK(is_left.has_value() && *is_left == (file.header().next_entry > 1));
    TERN_CHECK(!*is_left || file.header().end_position < end);
    TERN_CHECK(file.is_whole().has_value());
    search();
  }
  return 0;
}
