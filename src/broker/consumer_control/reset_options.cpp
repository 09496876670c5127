#include "broker/consumer_control/reset_options.hpp"

namespace tern::broker {

std::span<const OptionRow<ResetOptions>> reset_option_rows() {
  using O = ResetOptions;
  static const OptionRow<O> kRows[] = {
      {"useServerSideResetOffset", &O::server_side, "true", anything(),
       "Whether an administrator's reset of a group's offsets is noted by the broker and told with the next pulls; "
       "false: the group's members, who must be online, are told to move."},
  };
  return kRows;
}

}  // namespace tern::broker
