#include "tern/message/batch.hpp"

#include "tern/base/byte_order.hpp"

namespace tern::message {

std::optional<Result<BatchItem>> BatchReader::next() {
  if (rest_.empty()) return std::nullopt;
  const std::span<const std::byte> bytes = rest_;
  rest_ = {};  // until the item proves whole
  if (bytes.size() < kBatchItemSizeMin) return error(Errc::kTruncated, static_cast<std::int64_t>(bytes.size()));

  const auto total = load_be<std::int32_t>(bytes.data() + batch_offset_of::kTotalSize);
  if (total < kBatchItemSizeMin) return error(Errc::kBadLength, total);
  if (static_cast<std::size_t>(total) > bytes.size()) return error(Errc::kTruncated, total);
  const auto body_length = load_be<std::int32_t>(bytes.data() + batch_offset_of::kBodyLength);
  if (body_length < 0 || body_length > total - kBatchItemSizeMin) return error(Errc::kBadLength, total);
  const std::size_t properties_at = batch_offset_of::kBody + static_cast<std::size_t>(body_length);
  const auto properties_length = load_be<std::int16_t>(bytes.data() + properties_at);
  if (properties_length != total - kBatchItemSizeMin - body_length) return error(Errc::kBadLength, total);

  BatchItem item;
  item.flag = load_be<std::int32_t>(bytes.data() + batch_offset_of::kFlag);
  item.body = bytes.subspan(batch_offset_of::kBody, static_cast<std::size_t>(body_length));
  item.properties = {reinterpret_cast<const char*>(bytes.data() + properties_at + sizeof(std::int16_t)),
                     static_cast<std::size_t>(properties_length)};
  rest_ = bytes.subspan(static_cast<std::size_t>(total));
  return item;
}

}  // namespace tern::message
