#pragma once
// Messages that are delivered at a time of their own: what a send asks for, how such a message stands in
// rmq_sys_wheel_timer (queue 0) until then, and what it becomes. Pure.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tern/message/properties.hpp"
#include "tern/message/record.hpp"
#include "tern/protocol/command.hpp"

#include "broker/timer/timer_options.hpp"

namespace tern::broker {

inline constexpr std::string_view kTimerTopic = "rmq_sys_wheel_timer";
inline constexpr std::int32_t kTimerQueueId = 0;
/// Bytes of properties that a timer message must leave free: what its copies and its delivered form have more.
inline constexpr std::size_t kTimerPropertiesRoom = 160;

namespace timer_property {
inline constexpr std::string_view kTimerEnqueueMs = "TIMER_ENQUEUE_MS", kTimerDequeueMs = "TIMER_DEQUEUE_MS",
                                  kTimerRollTimes = "TIMER_ROLL_TIMES", kTimerDeleteKey = "TIMER_DEL_UNIQKEY";
}  // namespace timer_property

/// What a send's properties say about when; views of them.
struct TimerWish {
  std::string_view delay_seconds;  // each empty: it does not say
  std::string_view delay_ms;
  std::string_view deliver_ms;
  bool is_timed = false;    // one of the three is there
  bool is_cancel = false;   // TIMER_DEL_UNIQKEY
  bool has_out_ms = false;  // TIMER_OUT_MS: it has waited already
  void look_at(std::string_view name, std::string_view value);
};
/// What becomes of the send.
struct TimerPlan {
  std::optional<protocol::Response> refusal;
  std::int64_t out_ms = -1;  // -1: it is due and an ordinary message; else what TIMER_OUT_MS becomes
};
/// `count_at` says how many messages are due at a TIMER_OUT_MS; asked only if timerCongestNumEachSlot limits them.
TimerPlan plan_timer(const TimerWish& wish, std::int64_t now_ms, const TimerOptions& options,
                     const std::function<std::int64_t(std::int64_t out_ms)>& count_at);
/// The slot of a message that is wanted at a time: once the slot's `precision_ms` are over, the time has come.
[[nodiscard]] constexpr std::int64_t timer_slot(std::int64_t deliver_ms, std::int64_t precision_ms) {
  return deliver_ms % precision_ms == 0 ? deliver_ms - precision_ms : deliver_ms / precision_ms * precision_ms;
}
/// When a message with this TIMER_OUT_MS may be delivered. If that is no slot of this precision, it is one of a finer.
[[nodiscard]] std::int64_t timer_due_ms(std::int64_t out_ms, std::int64_t precision_ms);
/// The latest that a message with a delay may be due.
[[nodiscard]] std::int64_t timer_delay_max_ms(const TimerOptions& options);

/// The properties that make a timer message of a send: whoever copies the others leaves these three out.
void add_timer_properties(message::PropertyWriter& to, std::string_view topic, std::int32_t queue_id,
                          std::int64_t out_ms);

/// A record of the timer topic, viewed. Nothing here is to be trusted: clients may send to that topic.
struct TimerMessage {
  message::RecordView record;
  std::optional<std::int64_t> out_ms;
  std::string_view topic;      // where it belongs
  std::int32_t queue_id = -1;  // likewise
  std::string_view unique_key;
  std::string_view cancels;  // TIMER_DEL_UNIQKEY: the key of the message that it cancels
  std::int64_t roll_times = 0;
  /// It says when, and not only that it is a timer message.
  [[nodiscard]] bool has_time() const { return out_ms && *out_ms >= 0 && *out_ms <= INT64_MAX / 2; }
  /// It names a time, a legal topic that messages may be delivered to, and a queue.
  [[nodiscard]] bool can_be_delivered() const;
  /// What TIMER_DEL_UNIQKEY of a message that cancels this one is.
  [[nodiscard]] std::string cancel_key() const;
};
/// nullopt if the bytes are no record of the timer topic.
std::optional<TimerMessage> parse_timer_message(std::span<const std::byte> bytes);

/// Each builds its properties in `properties`, which, as the message's bytes, must live until the parts are encoded.
/// `enqueued_ms`: when it was entered into the wheel; INT64_MAX if it never was. Without `stamps` the properties stay
/// as they are, for one that has no room for more.
message::RecordParts delivered_parts(const TimerMessage& timed, std::int64_t enqueued_ms, std::int64_t now_ms,
                                     bool stamps, std::string& properties);
/// The timer message again, with another TIMER_OUT_MS if `out_ms` says one.
message::RecordParts rolled_parts(const TimerMessage& timed, std::int64_t enqueued_ms, std::int64_t now_ms,
                                  std::optional<std::int64_t> out_ms, bool stamps, std::string& properties);

}  // namespace tern::broker
