#pragma once
// The body of a batch send: items of i32 size, i32 magic, i32 crc, i32 flag, i32 body length, body, i16 properties
// length, properties. Each becomes a record of its own.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tern/base/result.hpp"
#include "tern/message/record.hpp"

namespace tern::message {

struct BatchItem {
  std::int32_t flag = 0;
  std::span<const std::byte> body;
  std::string_view properties;
};

/// Walks a batch body. `while (auto item = reader.next()) { if (!*item) -> error; use **item; }`
/// The items view the body. Behind an error there is no next item: where it would begin is unknown.
class BatchReader {
 public:
  explicit BatchReader(std::span<const std::byte> body) : rest_(body) {}
  /// nullopt at the end. kTruncated if an item is longer than what is left, kBadLength if its inner lengths do not add
  /// up to its size; detail: the size.
  std::optional<Result<BatchItem>> next();

 private:
  std::span<const std::byte> rest_;
};

}  // namespace tern::message
