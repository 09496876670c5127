// ternctl route, cluster, wait: what the nameserver knows.
#include "cli/verbs.hpp"

namespace tern::cli {
namespace {

struct Options {
  std::string nameservers;
  std::string topic;
  std::string broker;
  std::int64_t patience_s = 30;
};

Outcome<protocol::Json> cluster_info(Session& session) {
  const auto answer =
      session.ask_nameserver([] { return protocol::request(protocol::RequestCode::kGetBrokerClusterInfo); });
  if (!answer) return answer.error();
  auto body = protocol::parse_json(answer->body);
  if (!answer->ok() || !body)
    return Failure{fmt::format("the nameserver's answer: code {}, {}", answer->code, answer->remark)};
  return Outcome<protocol::Json>(boost::system::in_place_value, std::move(*body));
}

Outcome<int> show_route(const Options& options) {
  Session session(options.nameservers);
  const auto route = session.route(options.topic, false);
  if (!route) return route.error();
  std::map<std::string, std::pair<int, int>> brokers;
  for (const auto& queue : route->readable) ++brokers[queue.broker_name + " at " + queue.address].first;
  for (const auto& queue : route->writable) ++brokers[queue.broker_name + " at " + queue.address].second;
  for (const auto& [broker, queues] : brokers)
    fmt::print("{}: {} read queues, {} write queues\n", broker, queues.first, queues.second);
  return 0;
}

Outcome<int> show_cluster(const Options& options) {
  Session session(options.nameservers);
  const auto info = cluster_info(session);
  if (!info) return info.error();
  const auto* clusters = protocol::object_member(*info, "clusterAddrTable");
  const auto* brokers = protocol::object_member(*info, "brokerAddrTable");
  if (clusters == nullptr || brokers == nullptr) return Failure{"the nameserver's answer names no clusters"};
  for (const auto& [cluster, names] : clusters->items()) {
    for (const auto& name : names) {
      const auto broker = brokers->find(name.get<std::string>());
      const auto* addresses = broker != brokers->end() ? protocol::object_member(*broker, "brokerAddrs") : nullptr;
      if (addresses == nullptr) continue;
      for (const auto& [id, address] : addresses->items()) {
        fmt::print("{} {} {} {}\n", cluster, name.get<std::string>(), id, address.get<std::string>());
      }
    }
  }
  return 0;
}

Outcome<int> wait_for(const Options& options) {
  const SystemClock clock;
  const std::int64_t deadline = clock.steady_ms() + options.patience_s * 1000;
  std::string last = "no answer yet";
  while (clock.steady_ms() < deadline) {
    {
      Session session(options.nameservers);
      const auto info = cluster_info(session);
      if (!info) {
        last = info.error().text;
      } else if (const auto* brokers = protocol::object_member(*info, "brokerAddrTable");
                 brokers != nullptr &&
                 (options.broker.empty() ? !brokers->empty() : brokers->contains(options.broker))) {
        return 0;
      } else {
        last = "the broker is not registered";
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return Failure{fmt::format("given up after {} s: {}", options.patience_s, last)};
}

std::shared_ptr<Options> declare_nameserver(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("-n,--nameserver", options->nameservers, "nameservers as host:port, ';' between")->required();
  return options;
}

}  // namespace

Run declare_route(CLI::App& app) {
  auto options = declare_nameserver(app);
  app.add_option("-t,--topic", options->topic, "topic")->required();
  return [options] { return show_route(*options); };
}

Run declare_cluster(CLI::App& app) {
  auto options = declare_nameserver(app);
  return [options] { return show_cluster(*options); };
}

Run declare_wait(CLI::App& app) {
  auto options = declare_nameserver(app);
  app.add_option("-b,--broker", options->broker, "name of the broker; any, if not given");
  app.add_option("--patience", options->patience_s, "seconds after which it gives up")->capture_default_str();
  return [options] { return wait_for(*options); };
}

}  // namespace tern::cli
