#pragma once
#include "tern/remoting/request.hpp"

#include "broker/send/send_stage.hpp"
#include "broker/timer/recall_message.hpp"
#include "broker/timer/timers.hpp"

namespace tern::broker {

void recall_message(const remoting::Request& request, remoting::Reply reply, SendStage& stage,
                    RecallServices& services);
void get_timer_metrics(const remoting::Request& request, remoting::Reply reply, Timers& timers);

}  // namespace tern::broker
