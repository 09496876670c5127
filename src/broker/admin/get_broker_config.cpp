// GET_BROKER_CONFIG (26): all settings as a properties text.
#include "broker/admin/requests.hpp"
#include "broker/blocking_answer.hpp"

namespace tern::broker {

// On the blocking thread: the settings are locked while a change of them is written to their file.
void get_broker_config(const remoting::Request&, remoting::Reply reply, RuntimeConfig& settings, TopicTable& topics,
                       WorkQueue& blocking) {
  answer_blocking(blocking, std::move(reply), [&settings, &topics](remoting::Reply to) {
    to(protocol::ok().field("version", protocol::write_json(to_json(topics.version()))).with_body(settings.text()));
  });
}

}  // namespace tern::broker
