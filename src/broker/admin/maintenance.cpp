// DELETE_EXPIRED_COMMITLOG (329), CLEAN_EXPIRED_CONSUMEQUEUE (306), CLEAN_UNUSED_TOPIC (316): what goes by itself some
// time, now. The first two are answered when the work is ordered: the upkeep thread does it.
#include <set>

#include "tern/base/log.hpp"
#include "tern/message/topic_name.hpp"

#include "broker/admin/requests.hpp"
#include "broker/blocking_answer.hpp"

namespace tern::broker {

protocol::Response delete_expired_log(const remoting::Request&, store::Store& store) {
  store.remove_expired_now();
  return protocol::ok();
}

protocol::Response clean_expired_queues(const remoting::Request&, store::Store& store) {
  store.tidy_queues_now();
  return protocol::ok();
}

// Queues of topics that nobody knows: their records stay in the log until they expire.
void clean_unused_topics(const remoting::Request&, remoting::Reply reply, TopicTable& topics, store::Store& store,
                         WorkQueue& blocking) {
  answer_blocking(blocking, std::move(reply), [&topics, &store](remoting::Reply to) {
    std::set<std::string> names;
    for (const auto& queue : store.queues().all()) names.insert(queue->topic());
    std::string failures;
    for (const auto& name : names) {
      if (topics.is_system(name) || topics.find(name)) continue;
      log_info("the queues of {} are removed: there is no such topic", name);
      const auto removed = store.remove_topic(name);
      if (!removed) failures += fmt::format(" {}: {}.", name, removed.error().text());
    }
    if (failures.empty()) return to(protocol::ok());
    to(protocol::refuse(protocol::ResponseCode::kSystemError, "queues could not be removed:{}", failures));
  });
}

}  // namespace tern::broker
