#include "tern/protocol/frame.hpp"

#include "tern/base/byte_order.hpp"
#include "tern/protocol/errors.hpp"

namespace tern::protocol {

Result<std::optional<Frame>> scan_frame(std::span<const std::byte> bytes, std::size_t* wanted,
                                        std::int64_t frame_size_max) {
  constexpr std::size_t kLengthSize = sizeof(std::int32_t);
  std::size_t unused = 0;
  std::size_t& size = wanted != nullptr ? *wanted : unused;
  size = kLengthSize;
  if (bytes.size() < kLengthSize) return std::nullopt;

  const auto length = load_be<std::int32_t>(bytes.data());
  if (length < static_cast<std::int32_t>(kFramePrefixSize - kLengthSize)) return error(Errc::kBadFrame, length);
  if (static_cast<std::int64_t>(kLengthSize) + length > frame_size_max) return error(Errc::kFrameTooLarge, length);
  size = kLengthSize + static_cast<std::size_t>(length);
  if (bytes.size() < kFramePrefixSize) return std::nullopt;

  const auto word = load_be<std::uint32_t>(bytes.data() + kLengthSize);
  const std::uint32_t type = word >> 24U;
  const std::size_t header_size = word & kHeaderLengthMax;
  if (type > static_cast<std::uint32_t>(HeaderType::kRocketmq)) return error(Errc::kUnknownHeaderType, type);
  if (header_size == 0 || header_size > size - kFramePrefixSize) {
    return error(Errc::kBadFrame, static_cast<std::int64_t>(header_size));
  }
  if (bytes.size() < size) return std::nullopt;

  Frame frame;
  frame.type = static_cast<HeaderType>(type);
  frame.header = bytes.subspan(kFramePrefixSize, header_size);
  frame.body = bytes.first(size).subspan(kFramePrefixSize + header_size);
  frame.size = size;
  return frame;
}

}  // namespace tern::protocol
