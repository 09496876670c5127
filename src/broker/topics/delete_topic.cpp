// DELETE_TOPIC_IN_BROKER (215): the topic, its queues and its offsets. Its records stay in the log until they expire.
#include "tern/base/log.hpp"

#include "broker/blocking_answer.hpp"
#include "broker/topics/requests.hpp"

namespace tern::broker {
namespace {

using protocol::ResponseCode;

struct Fields {
  std::string_view topic;
};
constexpr auto kFields = protocol::fields<Fields>(protocol::optional("topic", &Fields::topic));

}  // namespace

void delete_topic(const remoting::Request& request, remoting::Reply reply, TopicTable& topics, OffsetTable& offsets,
                  store::Store& store, PullHold& hold, Pop& pop, WorkQueue& blocking) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  if (fields->topic.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos)
    return reply(protocol::refuse(ResponseCode::kInvalidParameter, "The specified topic is blank."));
  if (topics.is_system(fields->topic)) {
    return reply(protocol::refuse(ResponseCode::kInvalidParameter, "The topic[{}] is conflict with system topic.",
                                  fields->topic));
  }
  const std::string topic(fields->topic);
  answer_blocking(blocking, std::move(reply), [topic, &topics, &offsets, &store, &hold, &pop](remoting::Reply to) {
    offsets.remove_topic(topic);
    const auto removed = store.remove_topic(topic);
    if (!removed) log_error("the queues of topic {} cannot be removed: {}", topic, removed.error().text());
    hold.wake_topic(topic);
    pop.orders.remove_topic(topic);
    pop.hold->wake_topic(topic);
    auto job = std::make_shared<remoting::Reply>(std::move(to));
    topics.remove(topic, [job, removed](Status saved) {
      const auto& failed = removed ? saved : removed;
      (*job)(failed ? protocol::ok()
                    : protocol::refuse(ResponseCode::kSystemError, "the topic cannot be removed whole: {}",
                                       failed.error().text()));
    });
  });
}

}  // namespace tern::broker
