// GET_BROKER_RUNTIME_INFO (28) and GET_BROKER_CONFIG (26).
#include "broker/admin/requests.hpp"

namespace tern::broker {

void get_runtime_info(const remoting::Request&, remoting::Reply reply, BrokerStatus& status, WorkQueue& blocking) {
  auto job = std::make_shared<remoting::Reply>(std::move(reply));
  const bool posted = blocking.post([job, &status] {
    (*job)(protocol::ok().with_body(protocol::write_json({{"table", protocol::Json(status.table())}})));
  });
  if (!posted)
    (*job)(
        protocol::refuse(protocol::ResponseCode::kSystemBusy, "[OVERLOAD]system busy, start flow control for a while"));
}

protocol::Response get_broker_config(const remoting::Request&, OptionSet& settings, TopicTable& topics) {
  std::vector<PropertyLine> lines;
  for (const auto& option : settings.options()) lines.push_back({option.key, option.get(), 0});
  return protocol::ok()
      .field("version", protocol::write_json(to_json(topics.version())))
      .with_body(write_properties(lines));
}

}  // namespace tern::broker
