#pragma once
#include "tern/remoting/request.hpp"

#include "broker/reply/replies.hpp"

namespace tern::broker {

void send_reply(const remoting::Request& request, remoting::Reply reply, SendStage& stage, Replies& replies);

}  // namespace tern::broker
