// ternctl bench produce: sends on many connections. Closed loop: so many under way on each, the next when an answer has
// come. Open loop: at a rate, whatever the answers do; then a latency begins when its send was due, so that a server
// that stalls is not flattered by the sends that it held back.
#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <map>
#include <random>

#include "tern/base/check.hpp"
#include "tern/message/properties.hpp"
#include "tern/message/record.hpp"
#include "tern/remoting/bulk_client.hpp"

#include "cli/bench_accounts.hpp"
#include "cli/bench_common.hpp"
#include "cli/bench_frames.hpp"
#include "cli/bench_pull_load.hpp"

namespace tern::cli {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kDrainNs = 10 * kSecondNs;     // how long the last answers are waited for
constexpr std::int64_t kStepMaxNs = 100'000'000;      // a look at the clock at least so often
constexpr std::size_t kOneWayUnsentMax = 256 * 1024;  // of one connection: the socket's pace is the loop's
constexpr int kVerifyPull = 32;

struct Options {
  BenchTarget target;
  MessageShape shape;
  int connections = 16;
  int in_flight = 32;
  double rate = 0;
  std::int64_t count = 0;
  bool verify = false;
};

/// Counters that the live line reads while the run goes on; stored by the run's thread alone, relaxed.
struct Live {
  std::atomic<std::int64_t> acknowledged{0};
  std::atomic<std::int64_t> refused{0};
  std::atomic<std::int64_t> under_way{0};
};

class Producer final : public remoting::BulkClient::Receiver {
 public:
  Producer(const Clock& clock, const Options& options, std::string run, Accounts accounts)
      : clock_(clock),
        options_(options),
        run_(std::move(run)),
        window_(clock, options.target),
        accounts_(std::move(accounts)),
        client_(clock, *this),
        slot_bits_(std::bit_width(static_cast<unsigned>(options.in_flight - 1))) {
    for (int queue = 0; queue < options.target.queues; ++queue)
      frames_.push_back(send_template(options.shape, run_, queue));
    lanes_.resize(static_cast<std::size_t>(options.connections));
    for (auto& lane : lanes_) {
      lane.slots.resize(static_cast<std::size_t>(options.in_flight));
      for (int slot = options.in_flight - 1; slot >= 0; --slot) lane.free.push_back(slot);
    }
  }

  Outcome<void> connect() { return connect_all(client_, options_.target.address, options_.connections); }

  /// The whole run: warm-up, window, drain.
  void run() {
    const bool is_timed = options_.count == 0;
    start_ns_ = clock_.steady_ns();
    next_due_ns_ = start_ns_;
    const std::int64_t open_ns = start_ns_ + (is_timed ? ns(options_.target.warmup_s) : 0);
    const std::int64_t close_ns = is_timed ? open_ns + ns(options_.target.seconds) : INT64_MAX;
    if (!is_timed) window_.open();
    for (;;) {
      const std::int64_t now_ns = clock_.steady_ns();
      born_.set(clock_.wall_ms());
      if (!window_.was_opened() && now_ns >= open_ns) window_.open();
      if (now_ns >= close_ns || is_sent() || client_.open_connections() == 0) break;
      const std::int64_t phase_ends_ns = window_.was_opened() ? close_ns : open_ns;
      const std::int64_t wait_ns = std::min(phase_ends_ns - now_ns, kStepMaxNs);
      client_.step(std::min(wait_ns, offer(now_ns)));
      tell();
    }
    if (is_timed) window_.close();
    drain();
    if (!is_timed) window_.close();
  }

  void received(std::size_t connection, const protocol::CommandHeader& header, std::span<const std::byte>,
                std::int64_t now_ns) override {
    if (!header.is_response()) return;  // notices that servers send to every client
    auto& lane = lanes_[connection];
    const auto ticket = static_cast<std::uint32_t>(header.opaque - kOpaqueFirst);
    const std::uint32_t index = ticket & ((1U << slot_bits_) - 1);
    if (header.opaque < kOpaqueFirst || index >= lane.slots.size() || lane.slots[index].ticket != ticket ||
        !lane.slots[index].is_under_way) {
      ++strays_;
      return;
    }
    auto& slot = lane.slots[index];
    slot.is_under_way = false;
    lane.free.push_back(static_cast<int>(index));
    --under_way_;
    if (window_.holds(slot.due_ns)) latency_.record(now_ns - slot.due_ns);
    if (header.code == 0) {
      acknowledge(header, slot.number);
    } else {
      refuse(header);
    }
    if (options_.rate == 0 && !is_draining_) offer_lane(connection, now_ns);
  }

  void ended(std::size_t connection, const Error& why) override {
    if (first_end_.empty()) first_end_ = fmt::format("connection {} ended: {}", connection, why.text());
    auto& lane = lanes_[connection];
    lane.free.clear();
    lane.is_open = false;
    for (auto& slot : lane.slots) {
      if (!slot.is_under_way) continue;
      slot.is_under_way = false;
      --under_way_;
      ++unanswered_;
    }
  }

  Accounts& accounts() { return accounts_; }
  [[nodiscard]] const Live& live() const { return live_; }

  void report(Report& report) const {
    const auto batch = options_.shape.batch;
    const bool is_one_way = options_.shape.is_one_way;
    const std::int64_t messages = is_one_way ? sent_in_window_ : acknowledged_in_window_;
    const double rate = static_cast<double>(messages) / window_.seconds();
    const auto& header = options_.target.header;
    auto& json = report.values();
    json["queues"] = options_.target.queues;
    json["connections"] = options_.connections;
    json["in_flight"] = options_.in_flight;
    json["body_bytes"] = options_.shape.body_size;
    json["frame_bytes"] = frames_.front().size();
    json["batch"] = batch;
    json["header"] = header;
    json["one_way"] = is_one_way;
    json["target_rate"] = options_.rate;
    json["seconds"] = window_.seconds();
    json["messages"] = messages;
    json["messages_per_s"] = rate;
    json["acknowledged"] = accounts_.findings().acknowledged;
    json["acknowledged_twice"] = accounts_.findings().acknowledged_twice;
    json["sent"] = static_cast<std::int64_t>(next_number_);
    json["refused"] = refused_;
    json["unanswered"] = unanswered_;
    json["unsent"] = unsent_;
    json["strays"] = strays_;
    json["run"] = run_;
    report.line("load", fmt::format("{} to {}#{} queues, {} B bodies{}, {} headers, frames of {} B, {}",
                                    options_.target.address, options_.target.topic, options_.target.queues,
                                    options_.shape.body_size, batch > 1 ? fmt::format(" x {} a batch", batch) : "",
                                    header, frames_.front().size(), loop_text()));
    report.line("rate", fmt::format("{} messages/s, {:.1f} MB/s of bodies, over {:.2f} s",
                                    with_commas(static_cast<std::int64_t>(rate)),
                                    rate * static_cast<double>(options_.shape.body_size) / 1e6, window_.seconds()));
    if (!is_one_way) report.latency("latency", latency_);
    if (options_.rate > 0) report.latency("lateness", lateness_);
    report.line("answers", answers_text());
    for (const auto& [code, refusal] : refusals_) {
      json["refusals"][std::to_string(code)] = refusal.count;
      report.line("refused", fmt::format("{} times code {}: {}", with_commas(refusal.count), code, refusal.remark));
    }
    report.cost(window_, messages, "message");
  }

  /// What must not have happened; empty if all is well.
  [[nodiscard]] std::string problem() const {
    if (!first_end_.empty()) return first_end_;
    if (strays_ > 0) return fmt::format("{} answers to nothing that was asked", strays_);
    if (unanswered_ > 0) return fmt::format("{} sends were not answered in time", unanswered_);
    const auto findings = accounts_.findings();
    if (findings.acknowledged_twice > 0)
      return fmt::format("{} acknowledgements name a place that was taken, or is none", findings.acknowledged_twice);
    if (refused_ > 0) return fmt::format("{} messages were refused", refused_);
    return {};
  }

 private:
  struct Slot {
    std::uint32_t ticket = 0;  // opaque - kOpaqueFirst: slot in the low bits, how often it was used above
    bool is_under_way = false;
    std::int64_t due_ns = 0;
    std::uint64_t number = 0;
  };
  struct Lane {
    std::vector<Slot> slots;
    std::vector<int> free;
    bool is_open = true;
  };
  struct Refusal {
    std::int64_t count = 0;
    std::string remark;  // of the first
  };

  static std::int64_t ns(double seconds) { return static_cast<std::int64_t>(seconds * 1e9); }
  [[nodiscard]] bool is_sent() const {
    return options_.count > 0 && static_cast<std::int64_t>(next_number_) >= options_.count;
  }

  /// Open loop, by time: a send of the measured part has not left yet.
  [[nodiscard]] bool is_due_in_window() const {
    return options_.rate > 0 && options_.count == 0 && window_.holds(next_due_ns_);
  }

  /// Sends what may be sent now. Returns how long nothing will be due, answers aside.
  std::int64_t offer(std::int64_t now_ns) {
    if (options_.rate == 0) {
      // Once: from then on each answer makes room for the next send of its connection.
      const bool is_first = next_number_ == 0;
      for (std::size_t c = 0; (is_first || options_.shape.is_one_way) && c < lanes_.size(); ++c) offer_lane(c, now_ns);
      return options_.shape.is_one_way ? 0 : kStepMaxNs;
    }
    while (next_due_ns_ <= now_ns && !is_sent()) {
      const auto connection = free_lane();
      if (!connection) return kStepMaxNs;  // all are full: what is due stays due
      if (window_.holds(next_due_ns_)) lateness_.record(now_ns - next_due_ns_);
      send(*connection, next_due_ns_);
      advance_due();
    }
    return next_due_ns_ - now_ns;
  }

  void offer_lane(std::size_t connection, std::int64_t now_ns) {
    auto& lane = lanes_[connection];
    if (options_.shape.is_one_way) {
      while (lane.is_open && client_.unsent(connection) < kOneWayUnsentMax && !is_sent()) send(connection, now_ns);
      return;
    }
    while (!lane.free.empty() && !is_sent()) send(connection, now_ns);
  }

  std::optional<std::size_t> free_lane() {
    for (std::size_t tried = 0; tried < lanes_.size(); ++tried) {
      const std::size_t connection = next_lane_++ % lanes_.size();
      const bool has_room = options_.shape.is_one_way
                                ? lanes_[connection].is_open && client_.unsent(connection) < kOneWayUnsentMax
                                : !lanes_[connection].free.empty();
      if (has_room) return connection;
    }
    return {};
  }

  void advance_due() {
    ++requests_;
    const double requests_per_s = options_.rate / options_.shape.batch;
    next_due_ns_ = start_ns_ + static_cast<std::int64_t>(static_cast<double>(requests_) * 1e9 / requests_per_s);
  }

  void send(std::size_t connection, std::int64_t due_ns) {
    FrameTemplate::Values values;
    values.born_time = born_.text();
    values.number = next_number_;
    if (!options_.shape.is_one_way) {
      auto& lane = lanes_[connection];
      const auto index = static_cast<std::uint32_t>(lane.free.back());
      lane.free.pop_back();
      auto& slot = lane.slots[index];
      // The next use of this slot, within the opaques that have ten digits.
      slot.ticket = index | ((slot.ticket >> slot_bits_) + 1) % (1U << (kTicketBits - slot_bits_)) << slot_bits_;
      slot.is_under_way = true;
      slot.due_ns = due_ns;
      slot.number = next_number_;
      values.opaque = kOpaqueFirst + static_cast<std::int32_t>(slot.ticket);
      ++under_way_;
    }
    frames_[next_queue_].append(client_.out(connection), values);
    next_queue_ = next_queue_ + 1 == frames_.size() ? 0 : next_queue_ + 1;
    next_number_ += static_cast<std::uint64_t>(options_.shape.batch);
    if (window_.is_open()) sent_in_window_ += options_.shape.batch;
  }

  void acknowledge(const protocol::CommandHeader& header, std::uint64_t number) {
    const auto queue = number_field(header, "queueId");
    const auto offset = number_field(header, "queueOffset");
    accounts_.acknowledge(queue.value_or(-1), offset.value_or(-1), number, options_.shape.batch);
    acknowledged_ += options_.shape.batch;
    if (window_.is_open()) acknowledged_in_window_ += options_.shape.batch;
  }

  void refuse(const protocol::CommandHeader& header) {
    auto& refusal = refusals_[header.code];
    if (refusal.count == 0) refusal.remark = header.remark;
    refusal.count += options_.shape.batch;
    refused_ += options_.shape.batch;
  }

  /// Waits for what is under way. What was due in the window and never got an answer counts with the time until now:
  /// a server that stops answering must not look fast.
  void drain() {
    is_draining_ = true;
    const std::int64_t give_up_ns = clock_.steady_ns() + kDrainNs;
    std::int64_t now_ns = clock_.steady_ns();
    const auto has_unsent = [this] {
      for (std::size_t c = 0; c < lanes_.size(); ++c) {
        if (client_.unsent(c) > 0) return true;
      }
      return false;
    };
    for (; now_ns < give_up_ns && client_.open_connections() > 0; now_ns = clock_.steady_ns()) {
      while (is_due_in_window()) {
        const auto connection = free_lane();
        if (!connection) break;
        send(*connection, next_due_ns_);
        advance_due();
      }
      if (under_way_ == 0 && !has_unsent() && !is_due_in_window()) break;
      client_.step(std::min(give_up_ns - now_ns, kStepMaxNs));
      tell();
    }
    for (const auto& lane : lanes_) {
      for (const auto& slot : lane.slots) {
        if (!slot.is_under_way) continue;
        ++unanswered_;
        if (window_.holds(slot.due_ns)) latency_.record(now_ns - slot.due_ns);
      }
    }
    for (; is_due_in_window(); advance_due()) {
      ++unsent_;
      latency_.record(now_ns - next_due_ns_);
    }
  }

  void tell() {
    live_.acknowledged.store(options_.shape.is_one_way ? static_cast<std::int64_t>(next_number_) : acknowledged_,
                             std::memory_order_relaxed);
    live_.refused.store(refused_, std::memory_order_relaxed);
    live_.under_way.store(under_way_, std::memory_order_relaxed);
  }

  [[nodiscard]] std::string loop_text() const {
    const auto lanes = fmt::format("{} connections x {} in flight", options_.connections, options_.in_flight);
    if (options_.shape.is_one_way) return fmt::format("{} connections, one-way", options_.connections);
    if (options_.rate == 0) return "closed loop, " + lanes;
    return fmt::format("open loop at {} messages/s, at most {}", with_commas(static_cast<std::int64_t>(options_.rate)),
                       lanes);
  }

  [[nodiscard]] std::string answers_text() const {
    if (options_.shape.is_one_way)
      return fmt::format("none: {} messages sent one-way", with_commas(static_cast<std::int64_t>(next_number_)));
    const auto findings = accounts_.findings();
    return fmt::format(
        "{} messages sent, {} acknowledged, each at a place of its own{}; {} refused, {} requests unanswered{}",
        with_commas(static_cast<std::int64_t>(next_number_)), with_commas(findings.acknowledged),
        findings.acknowledged_twice > 0 ? fmt::format(" but for {}", findings.acknowledged_twice) : "",
        with_commas(refused_), with_commas(unanswered_),
        unsent_ > 0 ? fmt::format(", {} due but never sent", with_commas(unsent_)) : "");
  }

  static constexpr int kTicketBits = 30;  // kOpaqueFirst + 2^30 is below 2^31

  const Clock& clock_;
  const Options& options_;
  const std::string run_;
  Window window_;
  Accounts accounts_;
  remoting::BulkClient client_;
  const int slot_bits_;
  std::vector<FrameTemplate> frames_;  // by queue
  std::vector<Lane> lanes_;            // by connection
  BornTime born_;
  std::size_t next_queue_ = 0;
  std::size_t next_lane_ = 0;
  std::uint64_t next_number_ = 0;
  std::int64_t start_ns_ = 0;
  std::int64_t next_due_ns_ = 0;  // open loop
  std::int64_t requests_ = 0;     // open loop: how many were sent
  std::int64_t under_way_ = 0;
  bool is_draining_ = false;

  Histogram latency_;
  Histogram lateness_;  // open loop: how late this generator itself was
  std::int64_t acknowledged_ = 0;
  std::int64_t acknowledged_in_window_ = 0;
  std::int64_t sent_in_window_ = 0;
  std::int64_t refused_ = 0;
  std::int64_t unanswered_ = 0;  // requests
  std::int64_t unsent_ = 0;      // requests
  std::int64_t strays_ = 0;
  std::map<std::int32_t, Refusal> refusals_;
  std::string first_end_;
  Live live_;
};

/// Where the queues end, once what was sent one-way has arrived: nobody says when, so once nothing more comes.
Outcome<std::vector<std::int64_t>> settled_ends(Session& session, const Options& options) {
  constexpr auto kPause = std::chrono::milliseconds(500);
  auto ends = queue_bounds(session, options.target, protocol::RequestCode::kGetMaxOffset);
  while (options.shape.is_one_way && ends) {
    std::this_thread::sleep_for(kPause);
    auto later = queue_bounds(session, options.target, protocol::RequestCode::kGetMaxOffset);
    if (!later || *later == *ends) return later;
    ends = std::move(later);
  }
  return ends;
}

/// Reads every queue from where it ended before the run, and compares.
Outcome<Accounts::Findings> read_back(Session& session, const Options& options, const std::string& run,
                                      Accounts& accounts) {
  const auto ends = settled_ends(session, options);
  if (!ends) return ends.error();
  std::string broken;
  PullLoad pulls(session.clock(), AtEnd::kStop,
                 [&](const PullCursor& cursor, std::span<const std::byte> rest, std::int64_t) {
                   while (!rest.empty() && broken.empty()) {
                     const auto record = message::parse_record(rest, message::BodyCheck::kVerifyCrc);
                     if (!record) {
                       broken = fmt::format("queue {} at {}: a message that cannot be read: {}", cursor.queue_id,
                                            cursor.offset, record.error().text());
                       return;
                     }
                     rest = rest.subspan(static_cast<std::size_t>(record->total_size));
                     const auto key = message::find_property(record->properties, message::property::kUniqueKey);
                     const auto number = number_of(key.value_or(std::string_view{}), run);
                     const bool is_whole = static_cast<std::int64_t>(record->body.size()) == options.shape.body_size;
                     if (number && is_whole) accounts.found(cursor.queue_id, record->queue_offset, *number);
                   }
                 });
  if (auto connected = connect_all(pulls.client(), options.target.address, 1); !connected) return connected.error();
  PullShape shape;
  shape.topic = options.target.topic;
  shape.group = options.shape.group;
  shape.count_max = kVerifyPull;
  for (int queue = 0; queue < options.target.queues; ++queue) {
    PullCursor cursor;
    cursor.queue_id = queue;
    cursor.begin = accounts.first_offset(static_cast<std::size_t>(queue));
    cursor.end = (*ends)[static_cast<std::size_t>(queue)];
    cursor.shape = pulls.add_shape(pull_template(shape, queue));
    pulls.add(cursor);
  }
  pulls.start();
  while (!pulls.is_finished() && broken.empty()) pulls.step(kStepMaxNs);
  if (broken.empty()) broken = pulls.problem();
  if (!broken.empty()) return Failure{"reading back: " + broken};
  return accounts.findings();
}

std::uint64_t new_seed() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32U | device();
}

Outcome<int> run_produce(Options options) {
  options.shape.topic = options.target.topic;
  options.shape.codec = options.target.codec();
  if (options.count > 0)
    options.count = (options.count + options.shape.batch - 1) / options.shape.batch * options.shape.batch;
  if (auto known = check_server(options.target); !known) return known.error();
  Session session("");
  if (auto prepared = prepare_topic(session, options.target); !prepared) return prepared.error();
  auto starts = queue_bounds(session, options.target, protocol::RequestCode::kGetMaxOffset);
  if (!starts) return starts.error();

  make_timers_exact();
  const std::string run = run_id(new_seed());
  Producer producer(session.clock(), options, run, Accounts(std::move(*starts)));
  if (auto connected = producer.connect(); !connected) return connected.error();
  {
    const LiveLine line([&live = producer.live(), before = std::int64_t{0}]() mutable {
      const auto now = live.acknowledged.load(std::memory_order_relaxed);
      const auto per_second = (now - std::exchange(before, now)) * 1000 / LiveLine::kPeriodMs;
      return fmt::format("{} messages, {}/s, {} refused, {} under way", with_commas(now), with_commas(per_second),
                         with_commas(live.refused.load(std::memory_order_relaxed)),
                         with_commas(live.under_way.load(std::memory_order_relaxed)));
    });
    producer.run();
  }
  Report report("produce", options.target);
  producer.report(report);
  auto problem = producer.problem();
  if (options.verify) {
    const auto findings = read_back(session, options, run, producer.accounts());
    if (!findings) {
      report.print();
      return findings.error();
    }
    auto& json = report.values()["verified"];
    json["confirmed"] = findings->confirmed;
    json["missing"] = findings->missing;
    json["displaced"] = findings->displaced;
    json["unacknowledged"] = findings->unacknowledged;
    report.line("read back", fmt::format("{} of {} acknowledged messages stand where they were said to; {} missing, {} "
                                         "places hold another, {} stored without acknowledgement",
                                         with_commas(findings->confirmed), with_commas(findings->acknowledged),
                                         with_commas(findings->missing), with_commas(findings->displaced),
                                         with_commas(findings->unacknowledged)));
    if (!findings->are_good()) problem = "what was acknowledged is not what was stored";
  }
  report.print();
  if (!problem.empty()) return Failure{problem};
  return 0;
}

}  // namespace

Run declare_bench_produce(CLI::App& app) {
  auto options = std::make_shared<Options>();
  declare_address(app, options->target);
  declare_topic(app, options->target);
  app.add_option("-c,--connections", options->connections, "connections")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("-i,--in-flight", options->in_flight, "sends under way on each connection, at most")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_option("-r,--rate", options->rate, "open loop: messages a second, in all; 0: closed loop")
      ->check(CLI::Range(0.0, 1e9));
  app.add_option("-n,--count", options->count, "stop after so many messages, and measure all of them; 0: by time")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000'000}));
  app.add_option("-s,--size", options->shape.body_size, "bytes of each body")
      ->check(CLI::Range(1, 4 << 20))
      ->capture_default_str();
  app.add_option("-b,--batch", options->shape.batch, "messages in each send; above 1 they are batch sends")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--tag", options->shape.tag, "tag of each message");
  app.add_option("--properties", options->shape.properties_size, "bytes of an additional property")
      ->check(CLI::Range(0, 30'000));
  app.add_option("-g,--group", options->shape.group, "producer group")->capture_default_str();
  app.add_flag("--one-way", options->shape.is_one_way, "sends that ask for no answer");
  app.add_flag("--verify", options->verify, "afterwards, read back what was acknowledged and compare");
  return [options] { return run_produce(*options); };
}

}  // namespace tern::cli
