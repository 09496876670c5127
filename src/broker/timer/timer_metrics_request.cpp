// GET_TIMER_METRICS (61): how many messages of each topic wait, as config/timermetrics has it.
#include "broker/timer/requests.hpp"

namespace tern::broker {

void get_timer_metrics(const remoting::Request& /*request*/, remoting::Reply reply, Timers& timers) {
  reply(protocol::ok().with_body(protocol::write_json(timers.metrics())));
}

}  // namespace tern::broker
