#include "tern/base/check.hpp"
#include "tern/store/side_file.hpp"

#include "fuzz/fuzz.hpp"
#include "support/bytes.hpp"
#include "support/simulated_disk.hpp"

// Any file is either too short to say anything, or six numbers, which come back as the same bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern;
  const std::string content(reinterpret_cast<const char*>(data), size);
  test::SimulatedDisk disk;
  TERN_CHECK(test::write_text(disk, "checkpoint", content));
  const auto loaded = store::load_checkpoint(disk, "checkpoint");
  TERN_CHECK(loaded.has_value() && loaded->has_value() == (size >= 48), "{} bytes", size);
  if (!*loaded) return 0;
  TERN_CHECK(store::save_checkpoint(disk, "checkpoint", **loaded));
  const auto saved = test::read_text(disk, "checkpoint");
  TERN_CHECK(saved.size() == 4096 && saved.substr(0, 48) == content.substr(0, 48), "{} bytes", saved.size());
  return 0;
}
