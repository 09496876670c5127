#include "tern/base/check.hpp"
#include "tern/protocol/frame.hpp"

#include "fuzz/fuzz.hpp"

// A frame's parts fill it exactly; and a verdict over the whole input is the one over the bytes that were wanted.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = tern::fuzz::bytes_of(data, size);
  std::size_t wanted = 0;
  const auto frame = tern::protocol::scan_frame(bytes, &wanted);
  if (!frame) return 0;
  if (!*frame) {
    TERN_CHECK(wanted > size && wanted >= 4, "wanted {} of {}", wanted, size);
    return 0;
  }
  TERN_CHECK((*frame)->size == wanted && wanted <= size, "frame of {}, wanted {}", (*frame)->size, wanted);
  TERN_CHECK(8 + (*frame)->header.size() + (*frame)->body.size() == wanted, "header {}", (*frame)->header.size());
  tern::fuzz::touch((*frame)->header);
  tern::fuzz::touch((*frame)->body);
  for (std::size_t part = 0; part < wanted && part < 16; ++part) {
    const auto early = tern::protocol::scan_frame(bytes.first(part));
    TERN_CHECK(early && !*early, "verdict at {} of {}", part, wanted);
  }
  return 0;
}
