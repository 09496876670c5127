// UPDATE_NAMESRV_CONFIG (318) and GET_NAMESRV_CONFIG (319): the nameserver's own settings, as a properties text.

#include "nameserver/processors/processors.hpp"

namespace tern::nameserver {

using protocol::ResponseCode;

Response update_server_config(const Request& request, RuntimeConfig& config) {
  const auto refused = config.update(request.body_text());
  if (!refused) return protocol::ok();
  return refuse(refused->is_black_listed ? ResponseCode::kNoPermission : ResponseCode::kSystemError, "{}",
                refused->why);
}

Response get_server_config(const Request& /*request*/, const RuntimeConfig& config) {
  return protocol::ok().with_body(config.text());
}

}  // namespace tern::nameserver
