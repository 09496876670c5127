#pragma once
// One frame: i32 length, i32 header word (type in the high byte, header length in the low 24 bits), header, body.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "tern/base/result.hpp"
#include "tern/protocol/codes.hpp"

namespace tern::protocol {

inline constexpr std::size_t kFramePrefixSize = 8;              // length and header word
inline constexpr std::uint32_t kHeaderLengthMax = 0x00FF'FFFF;  // 24 bits of the header word

enum class HeaderType : std::uint8_t { kJson = 0, kRocketmq = 1 };

struct Frame {
  HeaderType type = HeaderType::kJson;
  std::span<const std::byte> header;
  std::span<const std::byte> body;
  std::size_t size = 0;  // of the whole frame in bytes, length field included
};

/// Looks at the bytes that have arrived. A Frame if a whole one stands at the front; nullopt if more bytes are needed
/// (then
/// `*wanted`, if given, is the size of the whole frame as far as known, at least 4); an Error (kBadFrame,
/// kFrameTooLarge) as soon as the first 4 or 8 bytes lie, without waiting for the rest. Pure; the views point into
/// `bytes`.
Result<std::optional<Frame>> scan_frame(std::span<const std::byte> bytes, std::size_t* wanted = nullptr,
                                        std::int64_t frame_size_max = kFrameSizeMax);

}  // namespace tern::protocol
