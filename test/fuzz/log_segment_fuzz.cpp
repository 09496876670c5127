#include <algorithm>
#include <string>

#include "tern/base/check.hpp"

#include "fuzz/fuzz.hpp"
#include "store/log_scan.hpp"
#include "support/simulated_disk.hpp"

// Two small segments filled with anything: the scan ends inside them, visits records that lie one behind the other
// where they say they are, and without the CRC it gets at least as far as with it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  constexpr std::int64_t kSegmentSize = 512;
  test::SimulatedDiskOptions options;
  options.file_reservation_bytes = kSegmentSize * 8;
  test::SimulatedDisk disk(options);
  TERN_CHECK(disk.make_directories("/log"), "directory");
  const auto bytes = fuzz::bytes_of(data, size).first(std::min<std::size_t>(size, 2 * kSegmentSize));
  for (const std::int64_t start : {std::int64_t{0}, kSegmentSize}) {
    const auto file = disk.open("/log/" + store::segment_name({start}), file::OpenMode::kCreate);
    const auto from = std::min(bytes.size(), static_cast<std::size_t>(start));
    const auto part = bytes.subspan(from, std::min<std::size_t>(bytes.size() - from, kSegmentSize));
    TERN_CHECK((*file)->resize(kSegmentSize) && (*file)->write(0, part), "segment");
  }
  store::SegmentList segments(disk, "/log", kSegmentSize);
  std::string problem;
  TERN_CHECK(segments.load(problem), "{}", problem);

  const auto scan = [&](message::BodyCheck check) {
    store::LogPosition next;
    const auto end = scan_log(segments, {0}, check, [&](const auto& record, store::LogPosition position) {
      TERN_CHECK(position >= next && record.physical_offset == position.value, "{} after {}", position, next);
      TERN_CHECK(position == next || position.value == kSegmentSize, "{} after {}", position, next);
      fuzz::touch(record.body);
      fuzz::touch(record.topic);
      fuzz::touch(record.properties);
      next = position + record.total_size;
      return true;
    });
    TERN_CHECK(end.has_value(), "{}", end.error().text());
    TERN_CHECK(*end >= next && end->value <= 2 * kSegmentSize, "{} after {}", *end, next);
    return *end;
  };
  TERN_CHECK(scan(message::BodyCheck::kVerifyCrc) <= scan(message::BodyCheck::kSkip), "the CRC adds records");
  return 0;
}
