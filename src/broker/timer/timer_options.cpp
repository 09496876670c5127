#include "broker/timer/timer_options.hpp"

namespace tern::broker {

std::span<const OptionRow<TimerOptions>> timer_option_rows() {
  using O = TimerOptions;
  constexpr std::int64_t kHundredYearsSeconds = std::int64_t{100} * 366 * 86'400;
  static const OptionRow<O> kRows[] = {
      {"timerWheelEnable", &O::is_enabled, "true", anything(),
       "Whether messages with TIMER_DELIVER_MS, TIMER_DELAY_MS or TIMER_DELAY_SEC are taken. Those that were taken "
       "before wait until it is true again."},
      {"timerPrecisionMs", &O::precision_ms, "1000", one_of({"100", "200", "500", "1000"}),
       "Milliseconds that such a message may be late; it is never early."},
      {"timerRollWindowSlot", &O::roll_window_slots, "172800", range(0, INT32_MAX),
       "How far ahead, in units of timerPrecisionMs, a message waits in the wheel; one that is due later is stored "
       "again every time that this is over. Below 2 or above 604740: 604740."},
      {"timerMaxDelaySec", &O::max_delay_seconds, "0", range(0, kHundredYearsSeconds),
       "The longest delay in seconds that is taken, for recalls too. 0: none but a hundred years. Apache's brokers "
       "have "
       "259200, three days, if it is not set."},
      {"timerFlushIntervalMs", &O::save_interval_ms, "1000", range(10, 3'600'000),
       "Milliseconds between saves of the wheel, if it has changed."},
      {"timerStopEnqueue", &O::stops_enqueue, "false", anything(),
       "Whether messages of the timer topic are left there instead of being entered into the wheel."},
      {"timerCongestNumEachSlot", &O::slot_count_max, "2147483647", range(1, INT32_MAX),
       "Messages due in one unit of timerPrecisionMs from which on sends are refused by chance; from twice as many on "
       "all are."},
      {"mappedFileSizeTimerLog", &O::log_file_size_bytes, "104857600", range(4096, 1 << 30),
       "Size of the timer log's files in bytes. It cannot be changed for a directory that has some."},
      {"recallMessageEnable", &O::recall_enabled, "false", anything(),
       "Whether producers may recall a message that has not been due yet."},
  };
  return kRows;
}

}  // namespace tern::broker
