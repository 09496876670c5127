#pragma once
#include "tern/remoting/request.hpp"

#include "broker/filter/consumer_filters.hpp"

namespace tern::broker {

protocol::Response check_client_config(const remoting::Request& request, ConsumerFilters& filters);

}  // namespace tern::broker
