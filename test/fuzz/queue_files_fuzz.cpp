#include <array>

#include "tern/base/check.hpp"
#include "tern/store/queue.hpp"

#include "fuzz/fuzz.hpp"
#include "support/bytes.hpp"
#include "support/simulated_disk.hpp"

// A queue's only file holds the input. Loading finds bounds within it, whatever stands there, reads stay within them,
// and the queue goes on behind its end.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  const store::QueueOptions options{"cq", 16 * store::kQueueEntrySize, 64 << 10, 8};
  std::string content(reinterpret_cast<const char*>(data), size);
  content.resize(static_cast<std::size_t>(options.file_size_bytes), '\0');
  test::SimulatedDisk disk({.file_reservation_bytes = 4096});
  TERN_CHECK(disk.make_directories("cq/T/0"));
  TERN_CHECK(test::write_text(disk, "cq/T/0/00000000000000000000", content));
  std::string problem;
  const auto table = store::QueueTable::open(disk, options, problem);
  TERN_CHECK(table.has_value(), "{}", problem);
  if (!(*table)->load_from_files(&problem)) return 0;
  const auto queue = (*table)->find("T", 0);
  if (!queue) return 0;
  const auto [min, max] = queue->bounds();
  TERN_CHECK(min.value >= 0 && min <= max && max.value <= options.file_size_bytes / store::kQueueEntrySize);
  std::array<store::QueueEntry, 8> entries;
  for (auto at = min; at < max; at += 1) {
    const auto count = queue->read(at, entries, false);
    if (count) TERN_CHECK(*count <= static_cast<std::size_t>(max - at));
  }
  TERN_CHECK((*table)->truncate_to({1 << 20}));
  TERN_CHECK((*table)->forget_before({1 << 10}));
  const auto end = queue->bounds().max;
  TERN_CHECK(queue->append(end, {{std::int64_t{1} << 40}, 100, 0}));
  TERN_CHECK((*table)->flush_all());
  TERN_CHECK(queue->read(end, std::span(entries).first(1), false).value() == 1);
  TERN_CHECK(entries[0].position.value == std::int64_t{1} << 40);
  return 0;
}
