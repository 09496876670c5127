#pragma once
// The settings of any-time delay.

#include <cstdint>
#include <span>

#include "tern/base/options.hpp"

namespace tern::broker {

struct TimerOptions {
  bool is_enabled = true;                        // timerWheelEnable
  int precision_ms = 1000;                       // timerPrecisionMs
  int roll_window_slots = 172'800;               // timerRollWindowSlot
  std::int64_t max_delay_seconds = 0;            // timerMaxDelaySec; 0: no limit
  Live<std::int64_t> save_interval_ms = 1000;    // timerFlushIntervalMs
  Live<bool> stops_enqueue = false;              // timerStopEnqueue
  Live<int> slot_count_max = INT32_MAX;          // timerCongestNumEachSlot
  std::int64_t log_file_size_bytes = 100 << 20;  // mappedFileSizeTimerLog
  Live<bool> recall_enabled = false;             // recallMessageEnable
  /// Half as many slots as the wheel's file has. Apache's format fixes it; tests make it smaller.
  std::int64_t slots_total = 7 * 86'400;
};
std::span<const OptionRow<TimerOptions>> timer_option_rows();

}  // namespace tern::broker
