// ternctl bench connections: opens connections one after the other, keeps them, and says what each costs the server:
// time to accept, memory, and processor time while nothing happens.
#include <algorithm>
#include <sys/resource.h>

#include "tern/base/check.hpp"

#include "cli/bench_common.hpp"
#include "cli/bench_pull_load.hpp"

namespace tern::cli {
namespace {

constexpr std::int64_t kConnectTimeoutMs = 10'000;
constexpr std::int64_t kStepMaxNs = 100'000'000;
constexpr rlim_t kDescriptorsBeside = 100;

struct Options {
  BenchTarget target;
  int count = 1000;
  double heartbeat_s = 0;
};

/// As many descriptors as the system lets us have.
Outcome<void> make_room_for(int connections) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t wanted = static_cast<rlim_t>(connections) + kDescriptorsBeside;
  if (limit.rlim_cur >= wanted) return {};
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (limit.rlim_cur < wanted || ::setrlimit(RLIMIT_NOFILE, &limit) != 0)
    return Failure{fmt::format("{} connections need more descriptors than ulimit -Hn allows", connections)};
  return {};
}

class Holder final : public remoting::BulkClient::Receiver {
 public:
  void received(std::size_t, const protocol::CommandHeader& header, std::span<const std::byte>, std::int64_t) override {
    answers_ += header.is_response() ? 1 : 0;
    refusals_ += header.is_response() && header.code != 0 ? 1 : 0;
  }
  void ended(std::size_t, const Error& why) override {
    ++ended_;
    if (first_end_.empty()) first_end_ = why.text();
  }
  std::int64_t answers_ = 0;
  std::int64_t refusals_ = 0;
  std::int64_t ended_ = 0;
  std::string first_end_;
};

/// A heartbeat of a producer, as clients send every 30 s.
FrameTemplate heartbeat(int number, protocol::HeaderType codec) {
  FrameTemplate::Command command;
  command.codec = codec;
  command.code = protocol::RequestCode::kHeartBeat;
  command.body = fmt::format(
      R"({{"clientID":"ternctl-bench@{}","consumerDataSet":[],"producerDataSet":[{{"groupName":"ternctl_bench"}}]}})",
      number);
  return FrameTemplate(command);
}

Outcome<int> run_connections(const Options& options) {
  if (auto known = check_server(options.target); !known) return known.error();
  if (auto room = make_room_for(options.count); !room) return room.error();
  const SystemClock clock;
  Holder holder;
  remoting::BulkClient client(clock, holder);
  std::optional<ProcessSample> before;
  if (options.target.server_pid != 0) {
    const auto sampled = sample_process(options.target.server_pid);
    if (!sampled) return sampled.error();
    before = *sampled;
  }

  std::atomic<std::int64_t> open{0};  // relaxed, a number for the live line
  Histogram connecting;
  Window window(clock, options.target);
  double connecting_s = 0;
  {
    const LiveLine line(
        [&open] { return fmt::format("{} connections", with_commas(open.load(std::memory_order_relaxed))); });
    const std::int64_t begin_ns = clock.steady_ns();
    for (int i = 0; i < options.count; ++i) {
      const std::int64_t from_ns = clock.steady_ns();
      const auto connected = client.connect(options.target.address, kConnectTimeoutMs);
      if (!connected) return Failure{fmt::format("connection {}: {}", i + 1, connected.error().text())};
      connecting.record(clock.steady_ns() - from_ns);
      open.store(i + 1, std::memory_order_relaxed);
    }
    connecting_s = static_cast<double>(clock.steady_ns() - begin_ns) / 1e9;

    // A first heartbeat of each, or nothing at all: then what is kept is as idle as can be.
    std::vector<FrameTemplate> heartbeats;
    const std::int64_t period_ns =
        options.heartbeat_s > 0 ? static_cast<std::int64_t>(options.heartbeat_s * 1e9 / options.count) : INT64_MAX;
    if (options.heartbeat_s > 0) {
      for (int i = 0; i < options.count; ++i) heartbeats.push_back(heartbeat(i, options.target.codec()));
    }
    std::int64_t sent = 0;
    window.open();
    const std::int64_t start_ns = clock.steady_ns();
    const std::int64_t close_ns = start_ns + static_cast<std::int64_t>(options.target.seconds * 1e9);
    for (std::int64_t now_ns = start_ns; now_ns < close_ns; now_ns = clock.steady_ns()) {
      for (; !heartbeats.empty() && start_ns + sent * period_ns <= now_ns; ++sent) {
        const auto index = static_cast<std::size_t>(sent) % heartbeats.size();
        heartbeats[index].append(client.out(index), {});
      }
      const std::int64_t next_ns = heartbeats.empty() ? close_ns : start_ns + sent * period_ns;
      client.step(std::min({next_ns - now_ns, close_ns - now_ns, kStepMaxNs}));
      open.store(static_cast<std::int64_t>(client.open_connections()), std::memory_order_relaxed);
    }
    window.close();
  }

  Report report("connections", options.target);
  auto& json = report.values();
  json["connections"] = options.count;
  json["heartbeat_s"] = options.heartbeat_s;
  json["connecting_s"] = connecting_s;
  json["ended"] = holder.ended_;
  json["answers"] = holder.answers_;
  json["refusals"] = holder.refusals_;
  report.line("load",
              fmt::format("{} connections to {}, {}", with_commas(options.count), options.target.address,
                          options.heartbeat_s > 0 ? fmt::format("a heartbeat of each every {} s", options.heartbeat_s)
                                                  : std::string("idle")));
  report.line("connected", fmt::format("{:.2f} s, {} a second", connecting_s,
                                       with_commas(static_cast<std::int64_t>(options.count / connecting_s))));
  report.latency("connect", connecting);
  report.line("kept", fmt::format("{} for {:.1f} s, {} ended, {} answers, {} of them refusals",
                                  with_commas(static_cast<std::int64_t>(client.open_connections())), window.seconds(),
                                  holder.ended_, with_commas(holder.answers_), with_commas(holder.refusals_)));
  if (before && window.after()) {
    const auto each = static_cast<double>(window.after()->anonymous_bytes - before->anonymous_bytes) / options.count;
    json["server_bytes_per_connection"] = each;
    report.line("memory", fmt::format("{:.0f} anonymous bytes a connection", each));
  }
  report.cost(window, static_cast<std::int64_t>(options.count * window.seconds()), "connection and second");
  report.print();
  if (holder.ended_ > 0)
    return Failure{fmt::format("{} connections ended, the first: {}", holder.ended_, holder.first_end_)};
  if (holder.refusals_ > 0) return Failure{fmt::format("{} heartbeats were refused", holder.refusals_)};
  return 0;
}

}  // namespace

Run declare_bench_connections(CLI::App& app) {
  auto options = std::make_shared<Options>();
  declare_address(app, options->target);
  app.add_option("-n,--count", options->count, "how many")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  app.add_option("--heartbeat", options->heartbeat_s, "seconds between heartbeats of each connection; 0: none")
      ->check(CLI::Range(0.0, 3'600.0))
      ->capture_default_str();
  return [options] { return run_connections(*options); };
}

}  // namespace tern::cli
