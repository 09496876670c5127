#pragma once
#include "broker/services.hpp"

namespace tern::broker {

std::span<const remoting::ProcessorRow<Services>> consumer_control_processors();

}  // namespace tern::broker
