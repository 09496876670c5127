#pragma once
#include "broker/services.hpp"

namespace tern::broker {

/// Every request that the broker answers. Who answers request 310? broker/send/processors.cpp, one row.
const remoting::ProcessorTable<Services>& processor_table();

}  // namespace tern::broker
