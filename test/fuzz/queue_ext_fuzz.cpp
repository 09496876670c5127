#include <algorithm>

#include "tern/base/check.hpp"

#include "fuzz/fuzz.hpp"
#include "store/queue_ext_file.hpp"
#include "support/bytes.hpp"
#include "support/simulated_disk.hpp"

// An extension file that begins with the input. Units that are accepted lie within the bytes; a lookup at any place
// says the same as the parser; and what is written behind any unit is found again, whatever stood there.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  constexpr std::int64_t kFileSize = 512;
  std::string content(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, kFileSize));
  content.resize(kFileSize, '\0');
  test::SimulatedDisk disk({.file_reservation_bytes = kFileSize});
  TERN_CHECK(disk.make_directories("ext/T/0"));
  TERN_CHECK(test::write_text(disk, "ext/T/0/00000000000000000000", content));
  store::QueueExtFiles files(disk, "ext", kFileSize, 4);
  const store::QueueName name{"T", 0, 1};

  const auto bytes = test::bytes_of(content);
  store::ExtReader reader(files, name, false);
  std::int64_t end = 0;
  for (std::int64_t at = 0; at < kFileSize; ++at) {
    const auto unit = store::parse_ext_unit(bytes.subspan(static_cast<std::size_t>(at)));
    const auto code = reader.tags_code(store::ext_address(at));
    if (!unit) continue;
    TERN_CHECK(unit->size >= store::kExtUnitSizeMin && at + unit->size <= kFileSize, "{} at {}", unit->size, at);
    fuzz::touch(unit->bit_map);
    TERN_CHECK(code && *code == unit->tags_code, "at {}", at);
    const auto behind = files.end_of_unit(name, at);
    TERN_CHECK(behind && *behind == at + unit->size, "at {}", at);
    end = *behind;
  }
  TERN_CHECK(!reader.tags_code(store::ext_address(kFileSize)) && !reader.tags_code(store::kExtAddressMax));

  std::array<store::QueueExtFiles::NewUnit, 40> units;
  for (std::size_t i = 0; i < units.size(); ++i) units[i] = {static_cast<std::int64_t>(i) - 20, 7};
  std::vector<store::QueueFileSet::Touched> touched;
  TERN_CHECK(files.append(name, end, units, touched).has_value());
  store::ExtReader again(files, name, false);
  for (std::size_t i = 0; i < units.size(); ++i) {
    const auto code = again.tags_code(units[i].tags_code);
    TERN_CHECK(code && *code == static_cast<std::int64_t>(i) - 20, "unit {}", i);
  }
  return 0;
}
