// ternctl consume: raw pulls over all queues of a topic. Commits nothing; a look, not a consumer group.
#include <algorithm>
#include <cstdio>

#include "tern/message/record.hpp"

#include "cli/verbs.hpp"

namespace tern::cli {
namespace {

constexpr int kFound = 0, kNotFound = 19, kRetry = 20, kOffsetMoved = 21;
constexpr int kSuspendAndSubscription = 0x2 | 0x4;
constexpr std::int64_t kSuspendMs = 1000;
constexpr std::int64_t kBatchMax = 32;

struct Options {
  std::string nameservers;
  std::string topic;
  std::string group = "ternctl";
  std::string expression = "*";
  std::int64_t count = 0;
  std::int64_t patience_s = 10;
  bool from_end = false;
  bool print = false;
};

struct Reader {
  RouteQueue queue;
  std::int64_t offset = 0;
};

Outcome<std::int64_t> bound(Session& session, const RouteQueue& queue, const std::string& topic,
                            protocol::RequestCode code) {
  const auto answer =
      session.call(queue.address, protocol::request(code).field("topic", topic).field("queueId", queue.queue_id));
  if (!answer) return answer.error();
  const auto text = answer->find("offset");
  if (!answer->ok() || !text)
    return Failure{fmt::format("{}: code {}, {}", queue.address, answer->code, answer->remark)};
  return std::strtoll(std::string(*text).c_str(), nullptr, 10);
}

Outcome<int> run(const Options& options) {
  Session session(options.nameservers);
  const auto route = session.route(options.topic, false);
  if (!route) return route.error();
  std::vector<Reader> readers;
  for (const auto& queue : route->readable) {
    const auto code = options.from_end ? protocol::RequestCode::kGetMaxOffset : protocol::RequestCode::kGetMinOffset;
    const auto offset = bound(session, queue, options.topic, code);
    if (!offset) return offset.error();
    readers.push_back({queue, *offset});
  }
  if (readers.empty()) return Failure{fmt::format("topic {} has no queue that can be read", options.topic)};

  Progress progress(session.clock(), "consumed", options.count);
  std::int64_t consumed = 0;
  std::int64_t bytes = 0;
  std::int64_t last_found_ms = session.clock().steady_ms();
  while (options.count == 0 || consumed < options.count) {
    bool any = false;
    for (auto& reader : readers) {
      const std::int64_t left = options.count == 0 ? kBatchMax : options.count - consumed;
      if (left == 0) break;
      // Only one queue at a time may wait, or a message in another would be found late; and only if nothing was found.
      const std::int64_t wait_ms = readers.size() == 1 ? kSuspendMs : 0;
      const auto answer =
          session.call(reader.queue.address, protocol::request(protocol::RequestCode::kPullMessage)
                                                 .field("consumerGroup", options.group)
                                                 .field("topic", options.topic)
                                                 .field("queueId", reader.queue.queue_id)
                                                 .field("queueOffset", reader.offset)
                                                 .field("maxMsgNums", std::min(left, kBatchMax))
                                                 .field("sysFlag", kSuspendAndSubscription & (wait_ms > 0 ? ~0 : ~0x2))
                                                 .field("commitOffset", 0)
                                                 .field("suspendTimeoutMillis", wait_ms)
                                                 .field("subscription", options.expression)
                                                 .field("subVersion", 0)
                                                 .field("expressionType", "TAG"));
      if (!answer) return answer.error();
      const int code = answer->code;
      if (code != kFound && code != kNotFound && code != kRetry && code != kOffsetMoved) {
        return Failure{fmt::format("{}: code {}, {}", reader.queue.address, code, answer->remark)};
      }
      if (const auto next = answer->find("nextBeginOffset")) {
        const auto offset = std::strtoll(std::string(*next).c_str(), nullptr, 10);
        if (code == kRetry && offset != reader.offset) any = true;  // more stands behind what it passed over
        reader.offset = offset;
      }
      auto rest = std::as_bytes(std::span(answer->body));
      while (code == kFound && !rest.empty() && (options.count == 0 || consumed < options.count)) {
        const auto record = message::parse_record(rest, message::BodyCheck::kVerifyCrc);
        if (!record)
          return Failure{
              fmt::format("{}: a message that cannot be read: {}", reader.queue.address, record.error().text())};
        if (options.print) {
          fmt::print("{}#{} {} {}\n", record->topic, record->queue_id, record->queue_offset,
                     std::string_view(reinterpret_cast<const char*>(record->body.data()), record->body.size()));
        }
        rest = rest.subspan(static_cast<std::size_t>(record->total_size));
        bytes += static_cast<std::int64_t>(record->body.size());
        ++consumed;
        any = true;
      }
      if (options.count > 0) progress.update(consumed);
    }
    const std::int64_t now = session.clock().steady_ms();
    if (any)
      last_found_ms = now;
    else if (options.count == 0 || now - last_found_ms > options.patience_s * 1000)
      break;
  }
  if (options.count > 0) progress.finish(consumed);
  fmt::print("{} messages, {} bytes\n", consumed, bytes);
  if (consumed < options.count) {
    return Failure{
        fmt::format("{} of {} messages came; nothing new for {} s", consumed, options.count, options.patience_s)};
  }
  return 0;
}

}  // namespace

Run declare_consume(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("-n,--nameserver", options->nameservers, "nameservers as host:port, ';' between")->required();
  app.add_option("-t,--topic", options->topic, "topic")->required();
  app.add_option("-c,--count", options->count, "stop after so many messages; 0: at the end of every queue")
      ->capture_default_str();
  app.add_option("-g,--group", options->group, "consumer group to pull as; nothing is committed")
      ->capture_default_str();
  app.add_option("-e,--expression", options->expression, "tags, || between")->capture_default_str();
  app.add_option("--patience", options->patience_s, "seconds without a new message after which it gives up")
      ->capture_default_str();
  app.add_flag("--from-end", options->from_end, "only messages that come from now on");
  app.add_flag("--print", options->print, "print each message");
  return [options] { return run(*options); };
}

}  // namespace tern::cli
