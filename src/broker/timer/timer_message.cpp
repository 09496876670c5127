#include "broker/timer/timer_message.hpp"

#include <charconv>
#include <random>

#include "tern/message/topic_name.hpp"

namespace tern::broker {
namespace {

using protocol::ResponseCode;
namespace names = message::property;

constexpr std::int64_t kHundredYearsMs = std::int64_t{100} * 366 * 86'400'000;
constexpr std::int32_t kQueuesMax = 65'536;  // of a topic

template <class T>
std::optional<T> number(std::string_view text) {
  T value = 0;
  if (text.starts_with('+')) text.remove_prefix(1);  // as Java's parser
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// When the message is wanted; nullopt: what it says is no time.
std::optional<std::int64_t> deliver_at(const TimerWish& wish, std::int64_t now_ms) {
  const bool is_delay = !wish.delay_seconds.empty() || !wish.delay_ms.empty();
  if (!is_delay) return number<std::int64_t>(wish.deliver_ms);
  auto delay = number<std::int64_t>(wish.delay_seconds.empty() ? wish.delay_ms : wish.delay_seconds);
  std::int64_t at = 0;
  if (!delay || (!wish.delay_seconds.empty() && __builtin_mul_overflow(*delay, std::int64_t{1000}, &*delay)) ||
      __builtin_add_overflow(now_ms, *delay, &at))
    return std::nullopt;
  return at;
}

// Apache's text, and behind it what is wrong.
protocol::Response illegal(const TimerOptions& options, std::string_view what) {
  return protocol::refuse(ResponseCode::kMessageIllegal,
                          "timer message illegal, the delay time should not be bigger than the max delay {}ms; or if "
                          "set del msg, the delay time should be bigger than the current time. {}",
                          timer_delay_max_ms(options), what);
}

bool is_congested(std::int64_t count, std::int64_t limit) {
  if (count <= limit) return false;
  if (count >= 2 * limit) return true;
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::uniform_int_distribution<std::int64_t>(0, limit - 1)(random) < count - limit;
}

}  // namespace

void TimerWish::look_at(std::string_view name, std::string_view value) {
  if (name == names::kTimerDelaySeconds) {
    delay_seconds = value, is_timed = true;
  } else if (name == names::kTimerDelayMs) {
    delay_ms = value, is_timed = true;
  } else if (name == names::kTimerDeliverMs) {
    deliver_ms = value, is_timed = true;
  } else if (name == timer_property::kTimerDeleteKey) {
    is_cancel = true;
  } else if (name == names::kTimerOutMs) {
    has_out_ms = true;
  }
}

std::int64_t timer_delay_max_ms(const TimerOptions& options) {
  return options.max_delay_seconds > 0 ? options.max_delay_seconds * 1000 : kHundredYearsMs;
}

std::int64_t timer_due_ms(std::int64_t out_ms, std::int64_t precision_ms) {
  if (out_ms % precision_ms == 0) return out_ms + precision_ms;
  for (const std::int64_t finer : {500, 200, 100}) {
    if (finer < precision_ms && out_ms % finer == 0) return out_ms + finer;
  }
  return out_ms + precision_ms;
}

TimerPlan plan_timer(const TimerWish& wish, std::int64_t now_ms, const TimerOptions& options,
                     const std::function<std::int64_t(std::int64_t out_ms)>& count_at) {
  TimerPlan plan;
  if (!options.is_enabled) {
    plan.refusal = protocol::refuse(ResponseCode::kSystemError,
                                    "accurate timer message is not enabled, timerWheelEnable is false");
    return plan;
  }
  const auto at = deliver_at(wish, now_ms);
  if (!at) {
    const auto text = !wish.delay_seconds.empty() ? wish.delay_seconds
                      : !wish.delay_ms.empty()    ? wish.delay_ms
                                                  : wish.deliver_ms;
    plan.refusal = illegal(options, fmt::format("\"{}\" is no time", text.substr(0, 64)));
    return plan;
  }
  if (*at <= now_ms) {
    if (wish.is_cancel)
      plan.refusal = illegal(options, "It cancels a message whose time is over: TIMER_DEL_UNIQKEY without delay");
    return plan;
  }
  if (*at - now_ms > timer_delay_max_ms(options)) {
    plan.refusal = illegal(
        options, fmt::format("The delay is {} ms, the limit timerMaxDelaySec={}{}", *at - now_ms,
                             options.max_delay_seconds, options.max_delay_seconds == 0 ? ", a hundred years" : ""));
    return plan;
  }
  plan.out_ms = timer_slot(*at, options.precision_ms);
  const std::int64_t limit = options.slot_count_max.get();
  if (limit < INT32_MAX && is_congested(count_at(plan.out_ms), limit)) {
    plan.refusal = protocol::refuse(ResponseCode::kSystemError,
                                    "timer message is under flow control, max num limit is {} or the current value is "
                                    "greater than {} and less than {}, trigger random flow control",
                                    2 * limit, limit, 2 * limit);
  }
  return plan;
}

void add_timer_properties(message::PropertyWriter& to, std::string_view topic, std::int32_t queue_id,
                          std::int64_t out_ms) {
  to.add(names::kTimerOutMs, out_ms);
  to.add(names::kRealTopic, topic);
  to.add(names::kRealQueueId, static_cast<std::int64_t>(queue_id));
}

bool TimerMessage::can_be_delivered() const {
  return has_time() && queue_id >= 0 && queue_id < kQueuesMax && topic != kTimerTopic &&
         topic != message::kTransactionHalfTopic && !message::topic_problem(topic) &&
         !message::is_send_forbidden(topic);
}

std::string TimerMessage::cancel_key() const {
  return fmt::format("{}+{}", topic, unique_key);
}

std::optional<TimerMessage> parse_timer_message(std::span<const std::byte> bytes) {
  const auto record = message::parse_record(bytes, message::BodyCheck::kSkip);
  if (!record || record->is_blank() || record->topic != kTimerTopic) return std::nullopt;
  TimerMessage timed;
  timed.record = *record;
  message::for_each_property(record->properties, [&](std::string_view name, std::string_view value) {
    if (name == names::kTimerOutMs)
      timed.out_ms = number<std::int64_t>(value);
    else if (name == names::kRealTopic)
      timed.topic = value;
    else if (name == names::kRealQueueId)
      timed.queue_id = number<std::int32_t>(value).value_or(-1);
    else if (name == names::kUniqueKey)
      timed.unique_key = value;
    else if (name == timer_property::kTimerDeleteKey)
      timed.cancels = value;
    else if (name == timer_property::kTimerRollTimes)
      timed.roll_times = number<std::int64_t>(value).value_or(0);
  });
  return timed;
}

message::RecordParts delivered_parts(const TimerMessage& timed, std::int64_t enqueued_ms, std::int64_t now_ms,
                                     bool stamps, std::string& properties) {
  auto parts = message::parts_of(timed.record);
  parts.topic = timed.topic;
  parts.queue_id = timed.queue_id;
  if (!stamps) return parts;
  properties.clear();
  message::PropertyWriter writer(properties);
  writer.copy(message::without_appended_crc(timed.record.properties), timer_property::kTimerEnqueueMs,
              timer_property::kTimerDequeueMs);
  writer.add(timer_property::kTimerEnqueueMs, enqueued_ms);
  writer.add(timer_property::kTimerDequeueMs, now_ms);
  parts.properties = properties;
  return parts;
}

message::RecordParts rolled_parts(const TimerMessage& timed, std::int64_t enqueued_ms, std::int64_t now_ms,
                                  std::optional<std::int64_t> out_ms, bool stamps, std::string& properties) {
  auto parts = message::parts_of(timed.record);
  if (!stamps && !out_ms) return parts;
  properties.clear();
  message::PropertyWriter writer(properties);
  writer.copy(message::without_appended_crc(timed.record.properties), timer_property::kTimerEnqueueMs,
              timer_property::kTimerDequeueMs, timer_property::kTimerRollTimes, names::kTimerOutMs);
  writer.add(names::kTimerOutMs, out_ms.value_or(timed.out_ms.value_or(0)));
  parts.properties = properties;
  if (!stamps) return parts;
  writer.add(timer_property::kTimerEnqueueMs, enqueued_ms);
  writer.add(timer_property::kTimerDequeueMs, now_ms);
  writer.add(timer_property::kTimerRollTimes, timed.roll_times < INT64_MAX ? timed.roll_times + 1 : timed.roll_times);
  parts.properties = properties;
  return parts;
}

}  // namespace tern::broker
