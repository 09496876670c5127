#pragma once
#include "broker/send/send_stage.hpp"
#include "broker/timer/timers.hpp"
#include "broker/topics/topic_table.hpp"

namespace tern::broker {

/// What a recall looks at. Constant after construction.
struct RecallServices {
  const BrokerOptions& options;
  const TimerOptions& timer_options;
  const BrokerIdentity& identity;
  const Clock& clock;
  TopicTable& topics;
  Timers& timers;
};

}  // namespace tern::broker
