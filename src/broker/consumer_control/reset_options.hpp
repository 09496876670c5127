#pragma once
// The setting of offset resets.

#include <span>

#include "tern/base/options.hpp"

namespace tern::broker {

struct ResetOptions {
  Live<bool> server_side = true;  // useServerSideResetOffset
};
std::span<const OptionRow<ResetOptions>> reset_option_rows();

}  // namespace tern::broker
