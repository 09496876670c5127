#include <array>

#include "tern/base/check.hpp"
#include "tern/store/queue.hpp"

#include "fuzz/fuzz.hpp"
#include "support/bytes.hpp"
#include "support/simulated_disk.hpp"

// The only file of a batch queue holds the input. Loading finds bounds, whatever stands there, reads stay within them
// and end, and the queue goes on behind its end.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  store::QueueOptions options{"cq", 16 * store::kQueueEntrySize, 64 << 10, 8};
  options.batch_directory = "bcq";
  options.batch_file_size_bytes = 16 * store::kBatchEntrySize;
  std::string content(reinterpret_cast<const char*>(data), size);
  content.resize(static_cast<std::size_t>(options.batch_file_size_bytes), '\0');
  test::SimulatedDisk disk({.file_reservation_bytes = 4096});
  TERN_CHECK(disk.make_directories("bcq/T/0"));
  TERN_CHECK(test::write_text(disk, "bcq/T/0/00000000000000000000", content));
  std::string problem;
  const auto table = store::QueueTable::open(disk, options, problem);
  TERN_CHECK(table.has_value(), "{}", problem);
  if (!(*table)->load_from_files(&problem)) return 0;
  const auto queue = (*table)->find("T", 0);
  if (!queue) return 0;
  const auto [min, max] = queue->bounds();
  TERN_CHECK(min.value >= 0 && min <= max);
  std::array<store::QueueEntry, 8> entries;
  // Offsets may be far apart: from each that is found to the next, and some in between.
  std::array<store::QueueOffset, 4> looked_at{min, max - 1, min + (max - min) / 2, min + (max - min) / 3};
  for (auto at : looked_at) {
    for (int steps = 0; steps < 20 && at < max; ++steps) {
      const auto count = queue->read(at, entries, false);
      if (!count || *count == 0) break;
      TERN_CHECK(*count <= entries.size() && entries[0].base == at.value && entries[0].count > 0);
      at += entries[0].count;
    }
  }
  TERN_CHECK((*table)->truncate_to({1 << 20}));
  TERN_CHECK((*table)->forget_before({1 << 10}));
  const auto end = queue->bounds().max;
  if (end.value > INT64_MAX - 10) return 0;
  TERN_CHECK(queue->append(end, {{std::int64_t{1} << 40}, 100, 0, 3}));
  TERN_CHECK((*table)->flush_all());
  const auto after = queue->bounds();
  TERN_CHECK(after.min <= after.max && after.max.value == end.value + 3);
  // Bases that go up and down in between may hide it, but nothing else is taken for it.
  const auto count = queue->read(end + 1, std::span(entries).first(1), false);
  if (count && *count == 1) TERN_CHECK(entries[0].base == end.value + 1);
  return 0;
}
