// ternctl bench consume: pulls of every queue, one under way for each queue and group. Commits nothing.
#include <algorithm>

#include "tern/base/byte_order.hpp"
#include "tern/message/record.hpp"

#include "cli/bench_common.hpp"
#include "cli/bench_pull_load.hpp"

namespace tern::cli {
namespace {

constexpr std::int64_t kStepMaxNs = 100'000'000;
constexpr std::int64_t kSuspendMs = 15'000;
constexpr std::int64_t kDrainNs = 20'000'000'000;  // a pull that waits is answered after kSuspendMs

struct Options {
  BenchTarget target;
  PullShape shape;
  int connections = 1;
  int groups = 1;
  std::string at_end = "again";
  bool verify = false;
};

/// Relaxed, numbers for the live line.
struct Live {
  std::atomic<std::int64_t> messages{0};
  std::atomic<std::int64_t> bytes{0};
};

/// What has come: counted by the records' own lengths, and checked for gaps.
class Consumer {
 public:
  Consumer(const Clock& clock, const Options& options)
      : clock_(clock),
        options_(options),
        window_(clock, options.target),
        pulls_(clock, at_end(options),
               [this](const PullCursor& cursor, std::span<const std::byte> body, std::int64_t now_ns) {
                 found(cursor, body, now_ns);
               }) {}

  Outcome<void> prepare(const std::vector<std::int64_t>& begins) {
    if (auto connected = connect_all(pulls_.client(), options_.target.address, options_.connections); !connected)
      return connected.error();
    std::size_t number = 0;
    for (int group = 0; group < options_.groups; ++group) {
      auto shape = options_.shape;
      if (options_.groups > 1) shape.group += "_" + std::to_string(group);
      for (int queue = 0; queue < options_.target.queues; ++queue, ++number) {
        PullCursor cursor;
        cursor.queue_id = queue;
        cursor.begin = begins[static_cast<std::size_t>(queue)];
        cursor.connection = number % static_cast<std::size_t>(options_.connections);
        cursor.shape = pulls_.add_shape(pull_template(shape, queue));
        pulls_.add(cursor);
      }
    }
    return {};
  }

  void run() {
    const std::int64_t open_ns = clock_.steady_ns() + static_cast<std::int64_t>(options_.target.warmup_s * 1e9);
    const std::int64_t close_ns = open_ns + static_cast<std::int64_t>(options_.target.seconds * 1e9);
    const bool stops_at_end = at_end(options_) == AtEnd::kStop;
    if (stops_at_end) window_.open();  // all of it counts
    pulls_.start();
    for (;;) {
      const std::int64_t now_ns = clock_.steady_ns();
      if (!window_.was_opened() && now_ns >= open_ns) window_.open();
      if (pulls_.is_finished() || !pulls_.problem().empty() || (!stops_at_end && now_ns >= close_ns)) break;
      pulls_.step(kStepMaxNs);
      live_.messages.store(messages_, std::memory_order_relaxed);
      live_.bytes.store(bytes_, std::memory_order_relaxed);
    }
    if (!window_.was_opened()) window_.open();
    window_.close();
    pulls_.stop();
    const std::int64_t give_up_ns = clock_.steady_ns() + kDrainNs;
    while (!pulls_.is_finished() && clock_.steady_ns() < give_up_ns && at_end(options_) != AtEnd::kWait)
      pulls_.step(kStepMaxNs);
  }

  void report(Report& report) const {
    const double seconds = window_.seconds();
    auto& json = report.values();
    json["queues"] = options_.target.queues;
    json["connections"] = options_.connections;
    json["groups"] = options_.groups;
    json["batch"] = options_.shape.count_max;
    json["expression"] = options_.shape.expression;
    json["header"] = options_.target.header;
    json["seconds"] = seconds;
    json["messages"] = messages_;
    json["messages_per_s"] = static_cast<double>(messages_) / seconds;
    json["bytes"] = bytes_;
    json["bytes_per_s"] = static_cast<double>(bytes_) / seconds;
    json["pulls"] = found_;
    json["gaps"] = gaps_;
    report.line("load",
                fmt::format("{} from {}#{} queues, {} groups, {} a pull, {} headers, {} connections",
                            options_.target.address, options_.target.topic, options_.target.queues, options_.groups,
                            options_.shape.count_max, options_.target.header, options_.connections));
    report.line(
        "rate",
        fmt::format("{} messages/s, {:.1f} MB/s of records, {} pulls/s with {:.1f} messages each, over {:.2f} s",
                    with_commas(static_cast<std::int64_t>(static_cast<double>(messages_) / seconds)),
                    static_cast<double>(bytes_) / seconds / 1e6,
                    with_commas(static_cast<std::int64_t>(static_cast<double>(found_) / seconds)),
                    found_ > 0 ? static_cast<double>(messages_) / static_cast<double>(found_) : 0, seconds));
    report.latency("pull", latency_);
    report.line("checked", fmt::format("{} gaps between queue offsets{}", gaps_,
                                       options_.verify ? "; every record whole, every CRC right" : ""));
    report.cost(window_, messages_, "message");
  }

  [[nodiscard]] std::string problem() const {
    if (!broken_.empty()) return broken_;
    if (!pulls_.problem().empty()) return pulls_.problem();
    if (gaps_ > 0) return fmt::format("{} gaps between queue offsets", gaps_);
    if (messages_ == 0) return "nothing came";
    return {};
  }
  [[nodiscard]] const Live& live() const { return live_; }

 private:
  static AtEnd at_end(const Options& options) {
    if (options.at_end == "stop") return AtEnd::kStop;
    return options.at_end == "wait" ? AtEnd::kWait : AtEnd::kAgain;
  }

  void found(const PullCursor& cursor, std::span<const std::byte> body, std::int64_t now_ns) {
    if (!window_.is_open()) return;
    const bool is_filtered = options_.shape.expression != "*";
    std::int64_t expected = cursor.offset;
    auto rest = body;
    std::int64_t messages = 0;
    while (!rest.empty()) {
      const auto front = message::peek_record(rest);
      if (!front || static_cast<std::size_t>(front->total_size) > rest.size()) {
        broken_ = fmt::format("queue {} at {}: an answer that is no list of records", cursor.queue_id, cursor.offset);
        pulls_.stop();
        return;
      }
      const auto record = rest.first(static_cast<std::size_t>(front->total_size));
      if (options_.verify && !message::parse_record(record, message::BodyCheck::kVerifyCrc)) {
        broken_ = fmt::format("queue {} at {}: a broken record", cursor.queue_id, expected);
        pulls_.stop();
        return;
      }
      const auto offset = load_be<std::int64_t>(record.data() + message::offset_of::kQueueOffset);
      if (!is_filtered && offset != expected) ++gaps_;
      expected = offset + 1;
      rest = rest.subspan(record.size());
      ++messages;
    }
    messages_ += messages;
    bytes_ += static_cast<std::int64_t>(body.size());
    ++found_;
    if (window_.holds(cursor.sent_ns)) latency_.record(now_ns - cursor.sent_ns);
  }

  const Clock& clock_;
  const Options& options_;
  Window window_;
  PullLoad pulls_;
  Histogram latency_;
  std::int64_t messages_ = 0;
  std::int64_t bytes_ = 0;
  std::int64_t found_ = 0;
  std::int64_t gaps_ = 0;
  std::string broken_;
  Live live_;
};

Outcome<int> run_consume(Options options) {
  options.shape.topic = options.target.topic;
  options.shape.codec = options.target.codec();
  options.shape.suspend_ms = options.at_end == "wait" ? kSuspendMs : 0;
  if (auto known = check_server(options.target); !known) return known.error();
  Session session("");
  const auto from =
      options.at_end == "wait" ? protocol::RequestCode::kGetMaxOffset : protocol::RequestCode::kGetMinOffset;
  const auto begins = queue_bounds(session, options.target, from);
  if (!begins) return begins.error();
  Consumer consumer(session.clock(), options);
  if (auto prepared = consumer.prepare(*begins); !prepared) return prepared.error();
  {
    const LiveLine line([&live = consumer.live(), before = std::int64_t{0}]() mutable {
      const auto now = live.messages.load(std::memory_order_relaxed);
      const auto per_second = (now - std::exchange(before, now)) * 1000 / LiveLine::kPeriodMs;
      return fmt::format("{} messages, {}/s, {} MB", with_commas(now), with_commas(per_second),
                         with_commas(live.bytes.load(std::memory_order_relaxed) / 1'000'000));
    });
    consumer.run();
  }
  Report report("consume", options.target);
  consumer.report(report);
  report.print();
  if (const auto problem = consumer.problem(); !problem.empty()) return Failure{problem};
  return 0;
}

}  // namespace

Run declare_bench_consume(CLI::App& app) {
  auto options = std::make_shared<Options>();
  declare_address(app, options->target);
  declare_topic(app, options->target);
  app.add_option("-c,--connections", options->connections, "connections, over which queues and groups are spread")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("-g,--group", options->shape.group, "consumer group to pull as; nothing is committed")
      ->capture_default_str();
  app.add_option("--groups", options->groups, "so many groups read every queue, each on its own")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("-b,--batch", options->shape.count_max, "messages asked for in each pull")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_option("-e,--expression", options->shape.expression, "tags, || between")->capture_default_str();
  app.add_option("--at-end", options->at_end,
                 "where a queue ends: stop, read it again, or wait there for new messages (and begin there)")
      ->check(CLI::IsMember({"stop", "again", "wait"}))
      ->capture_default_str();
  app.add_flag("--verify", options->verify, "parse every record and check its body's CRC");
  return [options] { return run_consume(*options); };
}

}  // namespace tern::cli
