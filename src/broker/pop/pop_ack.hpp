#pragma once
// How messages of a checkpoint become done.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/pop/pop.hpp"

namespace tern::broker {

/// Messages that a client names by a receipt.
struct PopAckName {
  std::string group;
  std::string topic;  // that they stand in
  std::int32_t queue_id = 0;
  std::int64_t start_offset = 0;
  std::int64_t pop_time = 0;
  [[nodiscard]] PopLedger::Named named() const { return {{group, topic, queue_id}, start_offset, pop_time}; }
};
/// Those of the offsets that are open messages of the checkpoint are written down as done. `done` runs on the stage's
/// thread, perhaps at once: with nothing if they are done now, or were none (a receipt that is stale, or forged); else
/// with what the log refused them for: then they are open as before.
void acknowledge(Pop& pop, SendStage& stage, const PopAckName& name, const std::vector<std::int64_t>& offsets,
                 std::function<void(std::optional<store::Errc>)> done);
/// The same for offsets that PopLedger::begin_ack() has taken.
void write_acknowledgement(Pop& pop, SendStage& stage, const PopAckName& name, std::vector<std::int64_t> taken,
                           std::function<void(std::optional<store::Errc>)> done);

/// What ACK_MESSAGE and CHANGE_MESSAGE_INVISIBLETIME have in common.
struct PopReceiptFields {
  std::string_view group;
  std::string_view topic;
  std::int32_t queue_id = 0;
  std::string_view receipt;
  std::int64_t offset = 0;
};
struct PopReceiptChecked {
  std::optional<protocol::Response> refusal;
  Receipt receipt;
};
/// `offset_end` is one above the highest offset that passes, relative to the queue's end.
PopReceiptChecked check_receipt(const Pop& pop, const PopReceiptFields& fields, std::int64_t beyond_end);

}  // namespace tern::broker
