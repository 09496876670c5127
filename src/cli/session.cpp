#include "cli/session.hpp"

#include <cstdio>
#include <future>
#include <limits>
#include <unistd.h>

#include "tern/base/check.hpp"

namespace tern::cli {
namespace {

constexpr int kPermRead = 4, kPermWrite = 2;

remoting::NetworkOptions one_thread() {
  remoting::NetworkOptions options;
  OptionSet defaults;
  defaults.add("Network", remoting::network_option_rows(), options);
  options.io_threads = 1;
  return options;
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < list.size();) {
    const auto end = std::min(list.find(';', at), list.size());
    if (end > at) parts.push_back(list.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

}  // namespace

void throw_exception_from_error(const Failure& failure, const boost::source_location& where) {
  check_failed(where.file_name(), static_cast<int>(where.line()), "outcome", failure.text);
}

Session::Session(std::string nameservers)
    : options_(one_thread()),
      network_(options_, clock_),
      nameservers_(split(nameservers)),
      thread_([this] { network_.run(0); }) {}

Session::~Session() {
  clients_.clear();
  network_.stop(0);
  thread_.join();
}

remoting::Client& Session::client(const std::string& address) {
  auto& slot = clients_[address];
  if (!slot) slot = std::make_unique<remoting::Client>(network_, address);
  return *slot;
}

Outcome<remoting::Answer> Session::call(const std::string& address, protocol::Outgoing request,
                                        std::int64_t timeout_ms) {
  auto done = std::make_shared<std::promise<Result<remoting::Answer>>>();
  auto answer = done->get_future();
  client(address).call(std::move(request), timeout_ms,
                       [done](Result<remoting::Answer> result) { done->set_value(std::move(result)); });
  auto result = answer.get();
  if (!result) return Failure{fmt::format("{}: {}", address, result.error().text())};
  return std::move(*result);
}

Outcome<remoting::Answer> Session::ask_nameserver(const std::function<protocol::Outgoing()>& make) {
  Failure failure{"no nameserver is given; use -n host:port"};
  for (const auto& address : nameservers_) {
    auto answer = call(address, make());
    if (answer) return answer;
    failure = answer.error();
  }
  return failure;
}

Outcome<Route> Session::route(const std::string& topic, bool for_sending) {
  const auto ask = [&](std::string_view name) {
    return ask_nameserver([&] {
      return protocol::request(protocol::RequestCode::kGetRouteInfoByTopic)
          .field("topic", name)
          .field("acceptStandardJsonOnly", true);
    });
  };
  auto answer = ask(topic);
  constexpr int kTopicNotExist = static_cast<int>(protocol::ResponseCode::kTopicNotExist);
  std::int64_t queues_max = std::numeric_limits<std::int64_t>::max();
  if (answer && answer->code == kTopicNotExist && for_sending) {
    answer = ask("TBW102");  // the topic will be made after it
    queues_max = kNewTopicQueues;
  }
  if (!answer) return answer.error();
  if (!answer->ok()) return Failure{fmt::format("topic {}: code {}, {}", topic, answer->code, answer->remark)};
  const auto body = protocol::parse_json(answer->body);
  if (!body) return Failure{"the nameserver's route is no JSON"};
  std::map<std::string, std::string> masters;
  if (const auto* brokers = protocol::array_member(*body, "brokerDatas")) {
    for (const auto& broker : *brokers) {
      const auto* addresses = protocol::object_member(broker, "brokerAddrs");
      if (addresses != nullptr && addresses->contains("0"))
        masters[protocol::string_member(broker, "brokerName")] = (*addresses)["0"];
    }
  }
  Route route;
  if (const auto* queues = protocol::array_member(*body, "queueDatas")) {
    for (const auto& data : *queues) {
      const auto master = masters.find(protocol::string_member(data, "brokerName"));
      if (master == masters.end()) continue;
      const auto perm = protocol::int_member(data, "perm");
      const auto add = [&](std::vector<RouteQueue>& to, std::string_view count) {
        for (int id = 0; id < std::min(protocol::int_member(data, count), queues_max); ++id)
          to.push_back({master->first, master->second, id});
      };
      if ((perm & kPermRead) != 0) add(route.readable, "readQueueNums");
      if ((perm & kPermWrite) != 0) add(route.writable, "writeQueueNums");
    }
  }
  return route;
}

Progress::Progress(const Clock& clock, std::string what, std::int64_t total, std::int64_t started_ms)
    : clock_(clock),
      what_(std::move(what)),
      total_(total),
      started_ms_(started_ms),
      is_terminal_(::isatty(STDERR_FILENO) == 1) {}

void Progress::update(std::int64_t done) {
  const std::int64_t now = clock_.steady_ms();
  if (now < next_ms_) return;
  next_ms_ = now + (is_terminal_ ? 100 : 1000);
  print(done, now);
}

void Progress::finish(std::int64_t done) {
  print(done, clock_.steady_ms());
  if (is_terminal_) std::fputc('\n', stderr);
}

void Progress::print(std::int64_t done, std::int64_t now) {
  const double seconds = static_cast<double>(std::max<std::int64_t>(1, now - started_ms_)) / 1000;
  const auto line = fmt::format("{} {} of {} ({} %), {:.0f}/s", what_, done, total_,
                                total_ > 0 ? 100 * done / total_ : 100, static_cast<double>(done) / seconds);
  std::fprintf(stderr, is_terminal_ ? "\r\x1b[K%s" : "%s\n", line.c_str());
  std::fflush(stderr);
}

}  // namespace tern::cli
