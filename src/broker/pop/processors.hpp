#pragma once
#include "broker/services.hpp"

namespace tern::broker {

std::span<const remoting::ProcessorRow<Services>> pop_processors();

}  // namespace tern::broker
