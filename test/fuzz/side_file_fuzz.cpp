#include "tern/base/byte_order.hpp"
#include "tern/base/check.hpp"
#include "tern/base/crc32.hpp"
#include "tern/store/side_file.hpp"

#include "fuzz/fuzz.hpp"
#include "support/bytes.hpp"
#include "support/simulated_disk.hpp"

// The input is a state file without its checksum, which would refuse nearly all of them. What is accepted is saved as
// the same bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  std::string content(reinterpret_cast<const char*>(data), size);
  append_be(content, crc32(test::bytes_of(content)));
  test::SimulatedDisk disk;
  TERN_CHECK(disk.make_directories("tern") && test::write_text(disk, "tern/state", content));
  store::SideFile file(disk, "tern");
  std::string why;
  const auto state = file.load(why);
  if (!state) {
    TERN_CHECK(!why.empty());
    return 0;
  }
  TERN_CHECK(state->indexed <= state->dispatched && state->dispatched <= state->durable);
  for (const auto& queue : state->queues) {
    TERN_CHECK(queue.bounds.min <= queue.bounds.max && queue.bounds.max.value <= queue.next_offset);
  }
  TERN_CHECK(file.save(*state));
  auto flags_aside = test::read_text(disk, "tern/state");
  content.replace(12, 4, flags_aside, 12, 4);  // bits that nobody knows are not kept
  TERN_CHECK(flags_aside.substr(0, size) == content.substr(0, size));
  return 0;
}
