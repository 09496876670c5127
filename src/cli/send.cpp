// ternctl send: messages of a size to a topic, many under way at a time, each answer counted.
#include <condition_variable>
#include <mutex>

#include "tern/message/properties.hpp"

#include "cli/verbs.hpp"

namespace tern::cli {
namespace {

struct Options {
  std::string nameservers;
  std::string topic;
  std::string tag;
  std::string body;
  std::int64_t count = 1;
  std::int64_t size = 128;
  std::int64_t in_flight = 64;
};

// Shared with the io thread: how many answers are out, and the first that was no success.
struct Flight {
  std::mutex mutex;
  std::condition_variable changed;
  std::int64_t under_way = 0;
  std::int64_t stored = 0;
  std::int64_t refused = 0;
  std::string first_refusal;
};

Outcome<int> run(const Options& options) {
  Session session(options.nameservers);
  const auto route = session.route(options.topic, true);
  if (!route) return route.error();
  if (route->writable.empty()) return Failure{fmt::format("topic {} has no queue that can be written", options.topic)};

  auto flight = std::make_shared<Flight>();
  Progress progress(session.clock(), "stored", options.count);
  for (std::int64_t i = 0; i < options.count; ++i) {
    const auto& queue = route->writable[static_cast<std::size_t>(i) % route->writable.size()];
    std::string body = options.body;
    if (body.empty()) {
      body = fmt::format("message {} ", i);
      body.resize(static_cast<std::size_t>(std::max<std::int64_t>(options.size, 1)), '.');
    }
    std::string properties;
    message::PropertyWriter writer(properties);
    writer.add(message::property::kTags, options.tag);
    writer.add(message::property::kKeys, fmt::format("ternctl-{}", i));
    std::int64_t stored = 0;
    {
      std::unique_lock lock(flight->mutex);
      flight->changed.wait(lock, [&] { return flight->under_way < options.in_flight; });
      ++flight->under_way;
      stored = flight->stored;
    }
    auto request = protocol::request(protocol::RequestCode::kSendMessageV2)
                       .field("a", "ternctl")
                       .field("b", options.topic)
                       .field("c", "TBW102")
                       .field("d", kNewTopicQueues)
                       .field("e", queue.queue_id)
                       .field("f", 0)
                       .field("g", session.clock().wall_ms())
                       .field("h", 0)
                       .field("i", properties)
                       .field("j", 0)
                       .field("k", false)
                       .field("m", false)
                       .field("n", queue.broker_name)
                       .with_body(std::move(body));
    session.client(queue.address).call(std::move(request), 10'000, [flight](Result<remoting::Answer> answer) {
      const std::lock_guard lock(flight->mutex);
      --flight->under_way;
      if (answer && answer->ok()) {
        ++flight->stored;
      } else {
        ++flight->refused;
        if (flight->first_refusal.empty()) {
          flight->first_refusal =
              answer ? fmt::format("code {}, {}", answer->code, answer->remark) : answer.error().text();
        }
      }
      flight->changed.notify_one();
    });
    progress.update(stored);
  }
  std::unique_lock lock(flight->mutex);
  flight->changed.wait(lock, [&] { return flight->under_way == 0; });
  progress.finish(flight->stored);
  fmt::print("{} stored, {} refused\n", flight->stored, flight->refused);
  if (flight->refused > 0) return Failure{"the first refusal: " + flight->first_refusal};
  return 0;
}

}  // namespace

Run declare_send(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("-n,--nameserver", options->nameservers, "nameservers as host:port, ';' between")->required();
  app.add_option("-t,--topic", options->topic, "topic; created on the first send where the broker allows it")
      ->required();
  app.add_option("-c,--count", options->count, "how many messages")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}))
      ->capture_default_str();
  app.add_option("-s,--size", options->size, "bytes of each body")
      ->check(CLI::Range(1, 4 << 20))
      ->capture_default_str();
  app.add_option("-b,--body", options->body, "the body itself, instead of one of --size bytes");
  app.add_option("--tag", options->tag, "tag of each message");
  app.add_option("--in-flight", options->in_flight, "sends under way at a time")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  return [options] { return run(*options); };
}

}  // namespace tern::cli
