#include "broker/reply/reply_options.hpp"

namespace tern::broker {

std::span<const OptionRow<ReplyOptions>> reply_option_rows() {
  using O = ReplyOptions;
  static const OptionRow<O> kRows[] = {
      {"storeReplyMessageEnable", &O::are_stored, "true", anything(),
       "Whether a reply that is passed on to whoever asked is also stored in its topic, <cluster>_REPLY_TOPIC."},
  };
  return kRows;
}

}  // namespace tern::broker
