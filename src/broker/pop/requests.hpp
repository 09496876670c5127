#pragma once
#include "tern/remoting/request.hpp"

#include "broker/pop/pop.hpp"

namespace tern::broker {

void ack_message(const remoting::Request& request, remoting::Reply reply, SendStage& stage, Pop& pop);
void batch_ack_message(const remoting::Request& request, remoting::Reply reply, SendStage& stage, Pop& pop);
void change_invisible_time(const remoting::Request& request, remoting::Reply reply, SendStage& stage, Pop& pop);
void notification(const remoting::Request& request, remoting::Reply reply, Pop& pop);
protocol::Response polling_info(const remoting::Request& request, Pop& pop);
void peek_message(const remoting::Request& request, remoting::Reply reply, Pop& pop);

}  // namespace tern::broker
