#include "broker/assignment/nameserver_routes.hpp"

namespace tern::broker {
namespace {

constexpr std::int64_t kTimeoutMs = 3'000;

}  // namespace

FindQueues nameserver_routes(NameserverRegistration& nameservers, TopicTable& topics, const BrokerIdentity& identity) {
  return [&](const std::string& topic, std::function<void(std::optional<AssignedQueues>)> done) {
    if (nameservers.addresses().empty()) {
      const auto own = topics.find(topic);
      if (!own) return done(std::nullopt);
      AssignedQueues queues;
      for (std::int32_t id = 0; (own->perm & kPermRead) != 0 && id < own->read_queues; ++id)
        queues.push_back({topic, identity.name, id});
      return done(std::move(queues));
    }
    const auto make = [topic] {
      return protocol::request(protocol::RequestCode::kGetRouteInfoByTopic).field("topic", std::string_view(topic));
    };
    nameservers.ask(make, kTimeoutMs, [topic, done = std::move(done)](Result<remoting::Answer> answer) {
      done(answer && answer->ok() ? queues_in_route(topic, answer->body) : std::nullopt);
    });
  };
}

}  // namespace tern::broker
