// GET_BROKER_RUNTIME_INFO (28) and GET_BROKER_CONFIG (26).
#include "broker/admin/requests.hpp"
#include "broker/blocking_answer.hpp"

namespace tern::broker {

void get_runtime_info(const remoting::Request&, remoting::Reply reply, BrokerStatus& status, WorkQueue& blocking) {
  answer_blocking(blocking, std::move(reply), [&status](remoting::Reply to) {
    to(protocol::ok().with_body(protocol::write_json({{"table", protocol::Json(status.table())}})));
  });
}

protocol::Response get_broker_config(const remoting::Request&, OptionSet& settings, TopicTable& topics) {
  std::vector<PropertyLine> lines;
  for (const auto& option : settings.options()) lines.push_back({option.key, option.get(), 0});
  return protocol::ok()
      .field("version", protocol::write_json(to_json(topics.version())))
      .with_body(write_properties(lines));
}

}  // namespace tern::broker
