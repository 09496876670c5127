#pragma once
// What the verbs of `ternctl bench` share: where the load goes, how long it lasts, and what is said about it.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tern/base/histogram.hpp"
#include "tern/protocol/frame.hpp"

#include "cli/bench_process.hpp"
#include "cli/verbs.hpp"

namespace tern::cli {

Run declare_bench_produce(CLI::App& app);
Run declare_bench_consume(CLI::App& app);
Run declare_bench_latency(CLI::App& app);
Run declare_bench_connections(CLI::App& app);

/// Options of every verb.
struct BenchTarget {
  std::string address;
  std::string topic = "TernBench";
  int queues = 8;
  bool keep_topic = false;
  std::string header = "json";
  double seconds = 10;
  double warmup_s = 2;
  std::int64_t server_pid = 0;
  bool json = false;
  [[nodiscard]] protocol::HeaderType codec() const {
    return header == "json" ? protocol::HeaderType::kJson : protocol::HeaderType::kRocketmq;
  }
};
/// --address, --server-pid, --json, --seconds.
void declare_address(CLI::App& app, BenchTarget& target);
/// --topic, --queues, --keep-topic, --header, --warmup.
void declare_topic(CLI::App& app, BenchTarget& target);

/// Whether --server-pid, if it is given, is a process.
Outcome<void> check_server(const BenchTarget& target);
/// Creates the topic, or changes its number of queues, unless --keep-topic.
Outcome<void> prepare_topic(Session& session, const BenchTarget& target);
/// GET_MIN_OFFSET or GET_MAX_OFFSET of each queue.
Outcome<std::vector<std::int64_t>> queue_bounds(Session& session, const BenchTarget& target,
                                                protocol::RequestCode code);

/// The measured part of a run: what this thread, and the server's process, used in it. Times are of Clock::steady_ns.
class Window {
 public:
  Window(const Clock& clock, const BenchTarget& target) : clock_(clock), pid_(target.server_pid) {}
  void open();
  void close();
  [[nodiscard]] bool is_open() const { return begin_ns_ != 0 && end_ns_ == 0; }
  [[nodiscard]] bool was_opened() const { return begin_ns_ != 0; }
  /// Whether something that was to begin at `ns` belongs to the measured part.
  [[nodiscard]] bool holds(std::int64_t ns) const {
    return begin_ns_ != 0 && ns >= begin_ns_ && (end_ns_ == 0 || ns < end_ns_);
  }
  [[nodiscard]] double seconds() const { return static_cast<double>(end_ns_ - begin_ns_) / 1e9; }
  [[nodiscard]] double generator_s() const { return generator_end_s_ - generator_begin_s_; }
  /// The server's process at both ends; empty without --server-pid.
  [[nodiscard]] const std::optional<ProcessSample>& before() const { return before_; }
  [[nodiscard]] const std::optional<ProcessSample>& after() const { return after_; }

 private:
  [[nodiscard]] std::optional<ProcessSample> sample() const;
  const Clock& clock_;
  const std::int64_t pid_;
  std::int64_t begin_ns_ = 0;
  std::int64_t end_ns_ = 0;
  double generator_begin_s_ = 0;
  double generator_end_s_ = 0;
  std::optional<ProcessSample> before_;
  std::optional<ProcessSample> after_;
};

/// The result, as lines for people or as one JSON object.
class Report {
 public:
  Report(std::string_view verb, const BenchTarget& target);
  /// A line for people. `values` are what machines get of it.
  void line(std::string_view name, const std::string& text);
  protocol::Json& values() { return values_; }
  /// p50 to p99.99 and the maximum in microseconds; machines get the whole histogram, in nanoseconds.
  void latency(const std::string& name, const Histogram& histogram);
  /// Per `unit`, of which there were `count` in the window: the generator's processor time, and the server's.
  void cost(const Window& window, std::int64_t count, std::string_view unit);
  void print() const;

 private:
  const bool json_;
  protocol::Json values_ = protocol::Json::object();
  std::string text_;
};

/// One line on a terminal's standard error, redrawn by a thread of its own: the load must not wait for a terminal.
/// Elsewhere it says nothing.
class LiveLine {
 public:
  static constexpr std::int64_t kPeriodMs = 200;
  /// `what` is asked once a period, on another thread.
  explicit LiveLine(std::function<std::string()> what);
  ~LiveLine();
  LiveLine(const LiveLine&) = delete;
  LiveLine& operator=(const LiveLine&) = delete;

 private:
  std::atomic<bool> stopped_{false};  // relaxed: the join orders the rest
  const std::function<std::string()> what_;
  std::thread thread_;
};

/// 1234567 -> "1,234,567"
[[nodiscard]] std::string with_commas(std::int64_t number);

/// A timer that fires when it should: the default slack of 50 us would show in every latency of an open loop.
void make_timers_exact();

}  // namespace tern::cli
