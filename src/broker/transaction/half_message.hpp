#pragma once
// Half messages: what a transactional send becomes, and what becomes of it. They are ordinary records of
// RMQ_SYS_TRANS_HALF_TOPIC, queue 0; where they belong stands in their properties. Pure.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tern/message/properties.hpp"
#include "tern/message/record.hpp"
#include "tern/protocol/command.hpp"

namespace tern::broker {

/// Bytes of properties that a half message must leave free: what its copies have more.
inline constexpr std::size_t kHalfPropertiesRoom = 128;

/// The properties that make a half message of a send: whoever copies the others leaves these three out.
void add_half_properties(message::PropertyWriter& to, std::string_view topic, std::int32_t queue_id,
                         std::string_view unique_key);

/// A half message as it stands in the log, viewed.
struct HalfMessage {
  message::RecordView record;
  std::string_view topic;      // where it belongs; empty: it does not say
  std::int32_t queue_id = -1;  // likewise; -1
  std::string_view group;      // its producers
  std::string_view unique_key;
  std::string_view transaction_id;
  std::int64_t checks = 0;                   // how often its producers were asked
  std::string_view immunity_seconds;         // empty: none
  std::optional<std::int64_t> first_offset;  // of a copy made under immunity: where the first one stood
  /// Written by a check in the place of an earlier one.
  [[nodiscard]] bool is_copy() const { return checks > 0 || first_offset.has_value(); }
  /// nullopt: the property is missing, or no number.
  [[nodiscard]] std::optional<std::int64_t> immunity_ms() const;
  /// It names a legal topic and a queue.
  [[nodiscard]] bool can_be_committed() const;
};
/// nullopt if the bytes are no record of the half topic, or of the topic for those that were given up.
enum class HalfPlace : std::uint8_t { kHalfTopic, kDiscardTopic };
std::optional<HalfMessage> parse_half_message(std::span<const std::byte> bytes,
                                              HalfPlace place = HalfPlace::kHalfTopic);

/// The same transaction's: a later half message is the copy of an earlier one.
bool is_copy_of(const HalfMessage& later, const HalfMessage& earlier);
/// `record` is what a commit of this half message, or of the one that it is a copy of, or of a copy of it, has stored.
bool is_commit_of(const message::RecordView& record, const HalfMessage& half);

/// Each builds its properties in `properties`, which, as the half message's bytes, must live until the parts are
/// encoded.
message::RecordParts committed_parts(const HalfMessage& half, std::string& properties);
/// The half message again, asked about once more.
message::RecordParts checked_parts(const HalfMessage& half, std::string& properties);
/// The half message again, because it is too young to ask and must not hold up those behind it.
message::RecordParts immune_parts(const HalfMessage& half, std::string& properties);
/// A half message, or what was given up of one, as a new half message that nobody was asked about.
message::RecordParts resumed_parts(const HalfMessage& half, std::string& properties);
message::RecordParts discarded_parts(const HalfMessage& half);

/// CHECK_TRANSACTION_STATE (39) about a half message whose checked copy stands at these two places.
protocol::Outgoing check_request(const HalfMessage& half, std::int64_t copy_offset, std::int64_t copy_position,
                                 std::string_view broker_name);

}  // namespace tern::broker
