#pragma once
#include "broker/services.hpp"

namespace tern::broker {

std::span<const remoting::ProcessorRow<Services>> send_processors();

}  // namespace tern::broker
