#include "broker/transaction/past_ends.hpp"

#include <cstdint>

#include "tern/message/topic_name.hpp"

namespace tern::broker {
namespace {

constexpr int kFoundMax = 64;

template <class Visit>
void for_each_with_key(store::Store& store, std::string_view topic, std::string_view key, Visit visit) {
  const auto found = store.query(topic, key, kFoundMax, 0, INT64_MAX);
  if (!found) return;
  for (const auto position : found->positions) {
    if (const auto bytes = store.record_at(position)) visit(std::as_bytes(std::span(*bytes)));
  }
}

}  // namespace

PastEnd find_past_end(store::Store& store, const HalfMessage& half) {
  PastEnd past;
  if (half.unique_key.empty() || half.topic.empty()) return past;
  for_each_with_key(store, half.topic, half.unique_key, [&](std::span<const std::byte> bytes) {
    const auto record = message::parse_record(bytes, message::BodyCheck::kSkip);
    past.is_committed |= record && is_commit_of(*record, half);
  });
  for_each_with_key(store, message::kTransactionHalfTopic, half.unique_key, [&](std::span<const std::byte> bytes) {
    const auto other = parse_half_message(bytes);
    if (other && is_copy_of(*other, half)) past.copies.push_back(other->record.queue_offset);
  });
  return past;
}

}  // namespace tern::broker
