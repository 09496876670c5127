#include "broker/registration/nameserver_registration.hpp"

#include <algorithm>
#include <condition_variable>

#include "tern/base/crc32.hpp"
#include "tern/base/log.hpp"
#include "tern/protocol/json.hpp"

namespace tern::broker {
namespace {

using protocol::Json;

constexpr std::int64_t kPeriodMsMin = 10'000;
constexpr std::int64_t kPeriodMsMax = 60'000;

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    auto part = list.substr(0, list.find(';'));
    list.remove_prefix(std::min(list.size(), part.size() + 1));
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    if (!part.empty()) parts.emplace_back(part);
  }
  return parts;
}

}  // namespace

struct NameserverRegistration::Nameserver {
  Nameserver(remoting::Network& network, const std::string& address) : client(network, address) {}
  remoting::Client client;
  std::atomic<bool> is_reachable{true};  // so that its loss, and its return, are each logged once
};

NameserverRegistration::NameserverRegistration(remoting::Network& network, const BrokerOptions& options,
                                               const BrokerIdentity& identity, TopicTable& topics, const Clock& clock)
    : network_(network), options_(options), identity_(identity), topics_(topics), clock_(clock) {
  for (const auto& address : split(options.nameserver_addresses))
    nameservers_.push_back(std::make_unique<Nameserver>(network_, address));
}

NameserverRegistration::~NameserverRegistration() = default;

std::vector<std::string> NameserverRegistration::addresses() const {
  std::vector<std::string> all;
  for (const auto& nameserver : nameservers_) all.push_back(nameserver->client.address());
  return all;
}

protocol::Outgoing NameserverRegistration::registration(const Json& topics) const {
  const auto version = topics_.version();
  const Json wrapper = {{"dataVersion", to_json(version)},
                        {"mappingDataVersion", to_json(DataVersion{})},
                        {"topicConfigTable", topics},
                        {"topicQueueMappingDetailMap", Json::object()},
                        {"topicQueueMappingInfoMap", Json::object()}};
  auto body = protocol::write_json({{"filterServerList", Json::array()}, {"topicConfigSerializeWrapper", wrapper}});
  const auto crc = crc32_31(std::as_bytes(std::span(body)));
  return protocol::request(protocol::RequestCode::kRegisterBroker)
      .field("brokerName", identity_.name)
      .field("brokerAddr", identity_.address)
      .field("clusterName", identity_.cluster)
      .field("haServerAddr", identity_.ha_address)
      .field("brokerId", identity_.id)
      .field("enableActingMaster", false)
      .field("compressed", false)
      .field("bodyCrc32", crc)
      .with_body(std::move(body));
}

void NameserverRegistration::send_to_all(const char* what, const std::function<protocol::Outgoing()>& make,
                                         std::function<void(int)> done) {
  if (nameservers_.empty()) {
    if (done) done(0);
    return;
  }
  struct Round {
    std::atomic<int> waiting;
    std::atomic<int> accepted{0};  // relaxed: waiting orders it
    std::function<void(int)> done;
  };
  auto round = std::make_shared<Round>();
  round->waiting.store(static_cast<int>(nameservers_.size()), std::memory_order_relaxed);  // nobody else has it yet
  round->done = std::move(done);
  for (auto& nameserver : nameservers_) {
    nameserver->client.call(
        make(), options_.register_timeout_ms,
        [this, what, round, target = nameserver.get()](Result<remoting::Answer> answer) {
          const bool is_accepted = answer && answer->ok();
          if (is_accepted) round->accepted.fetch_add(1, std::memory_order_relaxed);
          // Logged when it changes, not every period.
          if (target->is_reachable.exchange(is_accepted, std::memory_order_relaxed) != is_accepted) {
            if (is_accepted)
              log_info("nameserver {} accepts registrations again", target->client.address());
            else
              log_warning("nameserver {} did not take the {}: {}", target->client.address(), what,
                          answer ? fmt::format("code {}, {}", answer->code, answer->remark) : answer.error().text());
          }
          if (is_accepted && !answer->body.empty()) {
            if (const auto body = protocol::parse_json(answer->body)) {
              if (const auto* table = protocol::object_member(*body, "table")) {
                std::vector<std::string> order_topics;
                for (const auto& [topic, queues] : table->items()) order_topics.push_back(topic);
                topics_.set_order_topics(order_topics);
              }
            }
          }
          // Acquire-release: the last one sees every accepted of the others.
          if (round->waiting.fetch_sub(1, std::memory_order_acq_rel) == 1 && round->done)
            round->done(round->accepted.load(std::memory_order_relaxed));
        });
  }
}

void NameserverRegistration::register_all(std::function<void(int)> done) {
  const std::int64_t period = std::clamp(options_.register_period_ms.get(), kPeriodMsMin, kPeriodMsMax);
  next_ms_.store(clock_.steady_ms() + period, std::memory_order_relaxed);
  auto topics = Json::object();
  for (const auto& topic : topics_.all()) {
    auto json = to_json(*topic);
    // What the broker as a whole may not do, its topics may not either.
    json["perm"] = topic->perm & (options_.permission.get() | kPermInherit | kPermPriority);
    topics[topic->name] = std::move(json);
  }
  send_to_all("registration", [&] { return registration(topics); }, std::move(done));
}

void NameserverRegistration::register_topic(const TopicConfig& topic, std::function<void(int)> done) {
  auto json = to_json(topic);
  json["perm"] = topic.perm & (options_.permission.get() | kPermInherit | kPermPriority);
  const Json topics = {{topic.name, std::move(json)}};
  send_to_all("registration", [&] { return registration(topics); }, std::move(done));
}

void NameserverRegistration::ask(std::function<protocol::Outgoing()> make, std::int64_t timeout_ms,
                                 remoting::AnswerHandler done) {
  if (nameservers_.empty()) return done(remoting::error(remoting::Errc::kUnresolved));
  ask_from(0, std::move(make), timeout_ms, std::move(done));
}

void NameserverRegistration::ask_from(std::size_t first, std::function<protocol::Outgoing()> make,
                                      std::int64_t timeout_ms, remoting::AnswerHandler done) {
  auto request = make();
  nameservers_[first]->client.call(
      std::move(request), timeout_ms,
      [this, first, make = std::move(make), timeout_ms, done = std::move(done)](Result<remoting::Answer> answer) {
        if (answer || first + 1 == nameservers_.size()) return done(std::move(answer));
        ask_from(first + 1, make, timeout_ms, done);
      });
}

void NameserverRegistration::unregister_all(std::int64_t patience_ms) {
  struct Finished {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_done = false;
  };
  auto finished = std::make_shared<Finished>();
  send_to_all(
      "unregistration",
      [&] {
        return protocol::request(protocol::RequestCode::kUnregisterBroker)
            .field("brokerName", identity_.name)
            .field("brokerAddr", identity_.address)
            .field("clusterName", identity_.cluster)
            .field("brokerId", identity_.id);
      },
      [finished](int) {
        const std::lock_guard lock(finished->mutex);
        finished->is_done = true;
        finished->changed.notify_all();
      });
  std::unique_lock lock(finished->mutex);
  finished->changed.wait_for(lock, std::chrono::milliseconds(patience_ms), [&] { return finished->is_done; });
}

StepResult NameserverRegistration::step() {
  const std::int64_t now = clock_.steady_ms();
  const std::int64_t next = next_ms_.load(std::memory_order_relaxed);
  if (nameservers_.empty()) return {0, kPeriodMsMax};
  if (now < next) return {0, next - now};
  register_all();
  return {1, kPeriodMsMin};
}

}  // namespace tern::broker
