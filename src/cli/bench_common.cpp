#include "cli/bench_common.hpp"

#include <chrono>
#include <cstdio>
#include <sys/prctl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace tern::cli {
namespace {

constexpr int kPermReadWrite = 6;

struct Percentile {
  std::string_view name;
  std::int64_t parts_per_million;
};
constexpr Percentile kPercentiles[] = {
    {"p50", 500'000}, {"p90", 900'000}, {"p99", 990'000}, {"p99.9", 999'000}, {"p99.99", 999'900}};

double mib(std::int64_t bytes) {
  return static_cast<double>(bytes) / (1024 * 1024);
}

}  // namespace

void declare_address(CLI::App& app, BenchTarget& target) {
  app.add_option("-a,--address", target.address, "the server as host:port")->required();
  app.add_option("--seconds", target.seconds, "how long it measures")
      ->check(CLI::Range(0.1, 86'400.0))
      ->capture_default_str();
  app.add_option("--server-pid", target.server_pid, "the server's process on this machine: shows its CPU and memory");
  app.add_flag("--json", target.json, "one JSON object instead of text");
}

void declare_topic(CLI::App& app, BenchTarget& target) {
  app.add_option("-t,--topic", target.topic, "topic")->capture_default_str();
  app.add_option("-q,--queues", target.queues, "queues of the topic")
      ->check(CLI::Range(1, 65'536))
      ->capture_default_str();
  app.add_flag("--keep-topic", target.keep_topic, "the topic is there: neither create nor change it");
  app.add_option("--header", target.header, "codec of the request headers")
      ->check(CLI::IsMember({"json", "rocketmq"}))
      ->capture_default_str();
  app.add_option("--warmup", target.warmup_s, "seconds of load before it measures")
      ->check(CLI::Range(0.0, 3'600.0))
      ->capture_default_str();
}

Outcome<void> check_server(const BenchTarget& target) {
  if (target.server_pid == 0) return {};
  const auto sampled = sample_process(target.server_pid);
  if (!sampled) return sampled.error();
  return {};
}

Outcome<void> prepare_topic(Session& session, const BenchTarget& target) {
  if (target.keep_topic) return {};
  const auto answer = session.call(target.address, protocol::request(protocol::RequestCode::kUpdateAndCreateTopic)
                                                       .field("topic", target.topic)
                                                       .field("defaultTopic", "TBW102")
                                                       .field("readQueueNums", target.queues)
                                                       .field("writeQueueNums", target.queues)
                                                       .field("perm", kPermReadWrite)
                                                       .field("topicFilterType", "SINGLE_TAG")
                                                       .field("topicSysFlag", 0)
                                                       .field("order", false));
  if (!answer) return answer.error();
  if (!answer->ok())
    return Failure{fmt::format("creating topic {}: code {}, {}", target.topic, answer->code, answer->remark)};
  return {};
}

Outcome<std::vector<std::int64_t>> queue_bounds(Session& session, const BenchTarget& target,
                                                protocol::RequestCode code) {
  std::vector<std::int64_t> bounds;
  for (int queue = 0; queue < target.queues; ++queue) {
    const auto answer =
        session.call(target.address, protocol::request(code).field("topic", target.topic).field("queueId", queue));
    if (!answer) return answer.error();
    const auto offset = answer->find("offset");
    if (!answer->ok() || !offset) {
      return Failure{fmt::format("bounds of {}#{}: code {}, {}", target.topic, queue, answer->code, answer->remark)};
    }
    bounds.push_back(std::strtoll(std::string(*offset).c_str(), nullptr, 10));
  }
  return Outcome<std::vector<std::int64_t>>(std::move(bounds));
}

std::optional<ProcessSample> Window::sample() const {
  if (pid_ == 0) return {};
  auto sampled = sample_process(pid_);
  if (!sampled) return {};
  return *sampled;
}

void Window::open() {
  before_ = sample();
  generator_begin_s_ = thread_cpu_s();
  begin_ns_ = clock_.steady_ns();
}

void Window::close() {
  end_ns_ = clock_.steady_ns();
  generator_end_s_ = thread_cpu_s();
  after_ = sample();
}

Report::Report(std::string_view verb, const BenchTarget& target) : json_(target.json) {
  values_["verb"] = verb;
  values_["address"] = target.address;
}

void Report::line(std::string_view name, const std::string& text) {
  text_ += fmt::format("{:<12} {}\n", name, text);
}

void Report::latency(const std::string& name, const Histogram& histogram) {
  auto& json = values_[name] = protocol::Json::object();
  json["count"] = histogram.count();
  json["mean_ns"] = histogram.mean();
  json["min_ns"] = histogram.min();
  json["max_ns"] = histogram.max();
  std::string text;
  const auto us = [](std::int64_t ns) { return fmt::format("{:.1f}", static_cast<double>(ns) / 1000); };
  for (const auto& percentile : kPercentiles) {
    const auto value = histogram.value_at(percentile.parts_per_million);
    json[std::string(percentile.name) + "_ns"] = value;
    text += fmt::format("{} {}  ", percentile.name, us(value));
  }
  auto& buckets = json["buckets"] = protocol::Json::array();
  histogram.for_each_bucket(
      [&](std::int64_t upper, std::int64_t count) { buckets.push_back(protocol::Json::array({upper, count})); });
  line(name, fmt::format("{}max {}  us, {} samples", text, us(histogram.max()), with_commas(histogram.count())));
}

void Report::cost(const Window& window, std::int64_t count, std::string_view unit) {
  const double per = count > 0 ? 1e6 / static_cast<double>(count) : 0;
  values_["generator_cpu_s"] = window.generator_s();
  values_["generator_cpu_us"] = window.generator_s() * per;
  line("generator", fmt::format("{:.3f} us of CPU per {}, {:.0f} % of a core", window.generator_s() * per, unit,
                                100 * window.generator_s() / window.seconds()));
  const auto& before = window.before();
  const auto& after = window.after();
  if (!before || !after) return;
  const double user = after->user_s - before->user_s;
  const double system = after->system_s - before->system_s;
  values_["server_cpu_us"] = (user + system) * per;
  values_["server_user_s"] = user;
  values_["server_system_s"] = system;
  values_["server_anonymous_bytes"] = after->anonymous_bytes;
  line("server",
       fmt::format("{:.3f} us of CPU per {} (user {:.3f}, system {:.3f}), {:.0f} % of a core; {:.1f} MiB "
                   "anonymous, {:.1f} MiB resident",
                   (user + system) * per, unit, user * per, system * per, 100 * (user + system) / window.seconds(),
                   mib(after->anonymous_bytes), mib(after->resident_bytes)));
}

void Report::print() const {
  if (json_) {
    fmt::print("{}\n", protocol::write_json(values_));
  } else {
    fmt::print("{}", text_);
  }
  std::fflush(stdout);
}

LiveLine::LiveLine(std::function<std::string()> what) : what_(std::move(what)) {
  if (::isatty(STDERR_FILENO) != 1) return;
  thread_ = std::thread([this] {
    while (!stopped_.load(std::memory_order_relaxed)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(kPeriodMs));
      std::fprintf(stderr, "\r\x1b[K%s", what_().c_str());
      std::fflush(stderr);
    }
    std::fprintf(stderr, "\r\x1b[K");
  });
}

LiveLine::~LiveLine() {
  stopped_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
}

std::string with_commas(std::int64_t number) {
  auto text = std::to_string(number);
  for (auto at = static_cast<std::int64_t>(text.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3)
    text.insert(static_cast<std::size_t>(at), 1, ',');
  return text;
}

void make_timers_exact() {
  ::prctl(PR_SET_TIMERSLACK, 1);  // refused: latencies are up to 50 us too long, as they would be without
}

}  // namespace tern::cli
