#pragma once
// Registrations in the binary form, as brokers with compressedRegister would send them.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <libdeflate.h>

namespace tern::test {

class BinaryRegistration {
 public:
  explicit BinaryRegistration(std::string_view data_version) { text(data_version); }
  BinaryRegistration& number(std::int32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes_ += static_cast<char>(static_cast<std::uint32_t>(value) >> shift);
    return *this;
  }
  BinaryRegistration& text(std::string_view value) {
    number(static_cast<std::int32_t>(value.size()));
    bytes_ += value;
    return *this;
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

inline std::string compress(std::string_view bytes) {
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
      libdeflate_alloc_compressor(1), &libdeflate_free_compressor);
  std::string out(libdeflate_zlib_compress_bound(compressor.get(), bytes.size()), '\0');
  out.resize(libdeflate_zlib_compress(compressor.get(), bytes.data(), bytes.size(), out.data(), out.size()));
  return out;
}

}  // namespace tern::test
