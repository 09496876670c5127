// ternctl bench latency: how long a message takes from its send to a consumer that waits for it, on an idle system. One
// connection sends at a low rate, another has a pull waiting on each queue; one thread has both, so one clock measures
// and no hand-off is in what it says.
#include <random>

#include "tern/message/properties.hpp"
#include "tern/message/record.hpp"

#include "cli/bench_common.hpp"
#include "cli/bench_pull_load.hpp"

namespace tern::cli {
namespace {

constexpr std::int64_t kStepMaxNs = 100'000'000;
constexpr std::int64_t kSuspendMs = 15'000;
constexpr std::int64_t kDrainNs = 5'000'000'000;

struct Options {
  BenchTarget target;
  MessageShape shape;
  double rate = 100;
};

/// Sends, and remembers when each message was due.
class Sender final : public remoting::BulkClient::Receiver {
 public:
  Sender(const Clock& clock, const Options& options, const std::string& run) : clock_(clock) {
    for (int queue = 0; queue < options.target.queues; ++queue)
      frames_.push_back(send_template(options.shape, run, queue));
  }

  void send(std::int64_t due_ns, std::string& to) {
    born_.set(clock_.wall_ms());
    FrameTemplate::Values values;
    values.born_time = born_.text();
    values.number = due_ns_.size();
    values.opaque = kOpaqueFirst + static_cast<std::int32_t>(due_ns_.size());
    frames_[due_ns_.size() % frames_.size()].append(to, values);
    due_ns_.push_back(due_ns);
  }
  [[nodiscard]] std::size_t sent() const { return due_ns_.size(); }
  [[nodiscard]] std::int64_t due_ns(std::uint64_t number) const { return due_ns_[number]; }
  [[nodiscard]] const Histogram& latency() const { return latency_; }
  [[nodiscard]] const std::string& problem() const { return problem_; }
  void measure_from(std::size_t number) { measured_from_ = number; }

  void received(std::size_t, const protocol::CommandHeader& header, std::span<const std::byte>,
                std::int64_t now_ns) override {
    const auto number = static_cast<std::size_t>(header.opaque - kOpaqueFirst);
    if (!header.is_response() || header.opaque < kOpaqueFirst || number >= due_ns_.size()) return;
    if (header.code != 0 && problem_.empty())
      problem_ = fmt::format("a send was refused with code {}: {}", header.code, header.remark);
    if (number >= measured_from_) latency_.record(now_ns - due_ns_[number]);
  }
  void ended(std::size_t, const Error& why) override { problem_ = "the sender's connection ended: " + why.text(); }

 private:
  const Clock& clock_;
  std::vector<FrameTemplate> frames_;
  BornTime born_;
  std::vector<std::int64_t> due_ns_;  // by message number
  std::size_t measured_from_ = SIZE_MAX;
  Histogram latency_;
  std::string problem_;
};

Outcome<int> run_latency(Options options) {
  options.shape.topic = options.target.topic;
  options.shape.codec = options.target.codec();
  if (auto known = check_server(options.target); !known) return known.error();
  Session session("");
  if (auto prepared = prepare_topic(session, options.target); !prepared) return prepared.error();
  const auto ends = queue_bounds(session, options.target, protocol::RequestCode::kGetMaxOffset);
  if (!ends) return ends.error();
  const Clock& clock = session.clock();
  make_timers_exact();

  const std::string run = run_id(std::random_device{}());
  Sender sender(clock, options, run);
  Histogram delivery;
  std::size_t delivered = 0;
  std::size_t measured_from = SIZE_MAX;
  PullLoad pulls(clock, AtEnd::kWait, [&](const PullCursor&, std::span<const std::byte> rest, std::int64_t now_ns) {
    while (const auto record = message::parse_record(rest, message::BodyCheck::kSkip)) {
      const auto key = message::find_property(record->properties, message::property::kUniqueKey);
      const auto number = number_of(key.value_or(std::string_view{}), run);
      if (number && *number < sender.sent()) {
        ++delivered;
        if (*number >= measured_from) delivery.record(now_ns - sender.due_ns(*number));
      }
      rest = rest.subspan(static_cast<std::size_t>(record->total_size));
    }
  });
  constexpr std::size_t kPulling = 0, kSending = 1;
  if (auto connected = connect_all(pulls.client(), options.target.address, 2); !connected) return connected.error();
  pulls.share(kSending, sender);
  PullShape shape;
  shape.topic = options.target.topic;
  shape.suspend_ms = kSuspendMs;
  shape.codec = options.target.codec();
  for (int queue = 0; queue < options.target.queues; ++queue) {
    PullCursor cursor;
    cursor.queue_id = queue;
    cursor.begin = (*ends)[static_cast<std::size_t>(queue)];
    cursor.connection = kPulling;
    cursor.shape = pulls.add_shape(pull_template(shape, queue));
    pulls.add(cursor);
  }
  pulls.start();

  Window window(clock, options.target);
  std::int64_t due_ns = clock.steady_ns();
  const auto period_ns = static_cast<std::int64_t>(1e9 / options.rate);
  const std::int64_t open_ns = due_ns + static_cast<std::int64_t>(options.target.warmup_s * 1e9);
  const std::int64_t close_ns = open_ns + static_cast<std::int64_t>(options.target.seconds * 1e9);
  const auto is_well = [&] { return pulls.problem().empty() && sender.problem().empty(); };
  for (std::int64_t now_ns = due_ns; now_ns < close_ns && is_well(); now_ns = clock.steady_ns()) {
    if (!window.was_opened() && now_ns >= open_ns) {
      window.open();
      measured_from = sender.sent();
      sender.measure_from(measured_from);
    }
    for (; due_ns <= now_ns; due_ns += period_ns) sender.send(due_ns, pulls.client().out(kSending));
    pulls.step(std::min(due_ns - clock.steady_ns(), kStepMaxNs));
  }
  if (!window.was_opened()) window.open();
  window.close();
  for (const auto give_up_ns = clock.steady_ns() + kDrainNs;
       delivered < sender.sent() && is_well() && clock.steady_ns() < give_up_ns;) {
    pulls.step(kStepMaxNs);
  }

  Report report("latency", options.target);
  auto& json = report.values();
  json["queues"] = options.target.queues;
  json["rate"] = options.rate;
  json["body_bytes"] = options.shape.body_size;
  json["header"] = options.target.header;
  json["sent"] = sender.sent();
  json["delivered"] = delivered;
  report.line("load", fmt::format("{} messages/s of {} B to {}#{} queues of {}, a pull waiting on each, {} headers",
                                  options.rate, options.shape.body_size, options.target.topic, options.target.queues,
                                  options.target.address, options.target.header));
  report.latency("delivery", delivery);
  report.latency("answer", sender.latency());
  report.line("delivered", fmt::format("{} of {}", delivered, sender.sent()));
  report.cost(window, delivery.count(), "message");
  report.print();
  if (!pulls.problem().empty()) return Failure{pulls.problem()};
  if (!sender.problem().empty()) return Failure{sender.problem()};
  if (delivered != sender.sent()) return Failure{fmt::format("{} messages did not come", sender.sent() - delivered)};
  return 0;
}

}  // namespace

Run declare_bench_latency(CLI::App& app) {
  auto options = std::make_shared<Options>();
  options->target.queues = 1;
  options->target.topic = "TernBenchLatency";
  declare_address(app, options->target);
  declare_topic(app, options->target);
  app.add_option("-r,--rate", options->rate, "messages a second")
      ->check(CLI::Range(0.1, 100'000.0))
      ->capture_default_str();
  app.add_option("-s,--size", options->shape.body_size, "bytes of each body")
      ->check(CLI::Range(1, 4 << 20))
      ->capture_default_str();
  return [options] { return run_latency(*options); };
}

}  // namespace tern::cli
