#pragma once
// The setting of replies.

#include <span>

#include "tern/base/options.hpp"

namespace tern::broker {

struct ReplyOptions {
  Live<bool> are_stored = true;  // storeReplyMessageEnable
};
std::span<const OptionRow<ReplyOptions>> reply_option_rows();

}  // namespace tern::broker
