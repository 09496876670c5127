// UPDATE_BROKER_CONFIG (25): new values for settings that may change at run time, as a properties text. All of them, or
// none; kept in the file that the broker was started with. On the blocking thread, because of that file.
#include "tern/message/topic_name.hpp"

#include "broker/admin/requests.hpp"
#include "broker/blocking_answer.hpp"
#include "broker/registration/nameserver_registration.hpp"

namespace tern::broker {
namespace {

using protocol::ResponseCode;

// Whether TBW102 passes its existence on is a permission of that topic, which the nameservers know.
void open_or_close_template(TopicTable& topics, const BrokerOptions& options) {
  const auto existing = topics.find(message::kAutoCreateTopic);
  TopicConfig topic;
  topic.name = message::kAutoCreateTopic;
  topic.read_queues = topic.write_queues = options.default_topic_queues;
  if (existing) topic = *existing;
  topic.perm = kPermRead | kPermWrite | (options.auto_create_topics ? kPermInherit : 0);
  topics.put(std::move(topic));
}

}  // namespace

void update_broker_config(const remoting::Request& request, remoting::Reply reply, RuntimeConfig& settings,
                          BrokerOptions& options, TopicTable& topics, NameserverRegistration& registration,
                          store::Store& store, WorkQueue& blocking) {
  answer_blocking(
      blocking, std::move(reply),
      [text = std::string(request.body_text()), &settings, &options, &topics, &registration,
       &store](remoting::Reply to) {
        const int permission = options.permission;
        const bool creates_topics = options.auto_create_topics;
        const auto refused = settings.update(text);
        if (options.auto_create_topics != creates_topics) open_or_close_template(topics, options);
        if (options.permission != permission) {
          // What the broker as a whole may not do, none of its topics may: the nameservers hear of all.
          topics.bump();
          registration.register_all();
        }
        store.log().apply_put_strategy();
        if (!refused) return to(protocol::ok());
        to(protocol::refuse(refused->is_black_listed ? ResponseCode::kNoPermission : ResponseCode::kSystemError, "{}",
                            refused->why));
      });
}

}  // namespace tern::broker
