#pragma once
// What the fuzz targets share. A target feeds one decoder with anything and checks what must hold of whatever it
// accepts.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace tern::fuzz {

inline std::span<const std::byte> bytes_of(const std::uint8_t* data, std::size_t size) {
  return std::as_bytes(std::span(data, size));
}
inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Reads every byte of `part`, so that the address sanitizer sees a view that leaves its memory.
inline void touch(std::string_view part) {
  volatile char sink = 0;
  for (const char c : part) sink = c;
  (void)sink;
}
inline void touch(std::span<const std::byte> part) {
  touch({reinterpret_cast<const char*>(part.data()), part.size()});
}

}  // namespace tern::fuzz
