#pragma once
// The settings of server-side assignment.

#include <cstdint>
#include <span>
#include <string>

#include "tern/base/options.hpp"

namespace tern::broker {

struct AssignmentOptions {
  Live<bool> balances = true;                           // serverLoadBalancerEnable
  Live<std::string> default_mode{std::string("PULL")};  // defaultMessageRequestMode
  Live<int> default_shares = -1;                        // defaultPopShareQueueNum
};
std::span<const OptionRow<AssignmentOptions>> assignment_option_rows();

}  // namespace tern::broker
