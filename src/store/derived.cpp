#include "store/derived.hpp"

#include <charconv>
#include <limits>
#include <optional>

#include "tern/message/properties.hpp"

namespace tern::store {
namespace {

std::optional<std::int64_t> number_in(std::string_view properties, std::string_view name) {
  const auto text = message::find_property(properties, name);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (failure != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return number;
}

}  // namespace

OffsetRange offsets_of(const message::RecordView& record, QueueKind kind) {
  constexpr std::int64_t kCountMax = std::numeric_limits<std::int16_t>::max();
  const OffsetRange one{record.queue_offset, 1};
  if (kind == QueueKind::kSimple) return one;
  const auto count = number_in(record.properties, message::property::kInnerNum);
  const auto base = number_in(record.properties, message::property::kInnerBase);
  // Numbers that no broker writes: the record is at least itself.
  if (!count || !base || *count < 1 || *count > kCountMax || *base < 0 || *base > INT64_MAX - kCountMax) return one;
  return {*base, static_cast<std::int32_t>(*count)};
}

}  // namespace tern::store
