// GET_BROKER_CONFIG (26): all settings as a properties text.
#include "broker/admin/requests.hpp"

namespace tern::broker {

protocol::Response get_broker_config(const remoting::Request&, RuntimeConfig& settings, TopicTable& topics) {
  return protocol::ok().field("version", protocol::write_json(to_json(topics.version()))).with_body(settings.text());
}

}  // namespace tern::broker
