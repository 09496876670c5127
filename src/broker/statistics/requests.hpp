#pragma once
#include "tern/remoting/request.hpp"

#include "broker/statistics/statistics.hpp"

namespace tern::broker {

protocol::Response view_statistics(const remoting::Request& request, Statistics& statistics);

}  // namespace tern::broker
