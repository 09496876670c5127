#pragma once
#include "tern/remoting/request.hpp"

#include "broker/assignment/assignments.hpp"

namespace tern::broker {

void query_assignment(const remoting::Request& request, remoting::Reply reply, Assignments& assignments);
void set_request_mode(const remoting::Request& request, remoting::Reply reply, Assignments& assignments);
protocol::Response get_request_modes(const remoting::Request& request, Assignments& assignments);

}  // namespace tern::broker
