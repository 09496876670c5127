#pragma once
// What POP writes into its revive topic, in Apache's form: which messages were handed out together (a checkpoint), and
// which of them were acknowledged. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tern/message/record.hpp"

namespace tern::broker {

inline constexpr std::string_view kReviveGroup = "CID_RMQ_SYS_REVIVE_GROUP";  // its offsets are the progress
inline constexpr std::size_t kCheckpointMessagesMax = 32;

/// Messages of one queue that one pop gave to a group. Named by queue, group, start_offset and pop_time.
struct Checkpoint {
  std::string topic;  // that they stand in: perhaps a retry topic
  std::string group;
  std::string broker;
  std::int32_t queue_id = 0;
  std::int64_t start_offset = 0;
  std::vector<std::int32_t> deltas;  // of their offsets to start_offset; at most kCheckpointMessagesMax, rising
  std::uint32_t acknowledged = 0;    // bit i: the message of deltas[i] is done
  std::int64_t pop_time = 0;
  std::int64_t invisible_ms = 0;
};
/// Messages of a checkpoint that are done.
struct Acknowledgement {
  std::string topic;
  std::string group;
  std::string broker;
  std::int32_t queue_id = 0;
  std::int64_t start_offset = 0;
  std::int64_t pop_time = 0;
  std::vector<std::int64_t> offsets;
};

/// Exactly one of the two, or neither: the record is none that we understand.
struct ReviveRecord {
  std::optional<Checkpoint> checkpoint;
  std::optional<Acknowledgement> acknowledgement;
  bool was_timed = false;  // it came through Apache's timer, when its time was up
};
[[nodiscard]] ReviveRecord parse_revive_record(const message::RecordView& record);

/// The texts of a record to be written. `now_ms` becomes its TIMER_DELIVER_MS, the time at which it came to the topic:
/// Apache's broker takes the latest of these for the time that has passed, and must not see one that is still to come.
struct ReviveText {
  std::string body;
  std::string properties;
};
[[nodiscard]] ReviveText checkpoint_text(const Checkpoint& checkpoint, std::int64_t now_ms);
[[nodiscard]] ReviveText acknowledgement_text(const Acknowledgement& acknowledgement, std::int64_t now_ms);

}  // namespace tern::broker
