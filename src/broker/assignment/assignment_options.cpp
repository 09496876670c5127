#include "broker/assignment/assignment_options.hpp"

#include <climits>

namespace tern::broker {

std::span<const OptionRow<AssignmentOptions>> assignment_option_rows() {
  using O = AssignmentOptions;
  static const OptionRow<O> kRows[] = {
      {"serverLoadBalancerEnable", &O::balances, "true", anything(),
       "Whether consumers that leave the assignment of queues to the broker get a share; false: each gets all."},
      {"defaultMessageRequestMode", &O::default_mode, "PULL", one_of({"PULL", "POP"}),
       "How such consumers get messages, where nothing is set for their group and topic (mqadmin setConsumeMode)."},
      {"defaultPopShareQueueNum", &O::default_shares, "-1", range(INT_MIN, INT_MAX),
       "With POP, of how many other consumers' queues each one gets messages too; 0 or less: of all."},
  };
  return kRows;
}

}  // namespace tern::broker
