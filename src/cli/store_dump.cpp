// ternctl store dump: what stands at a position of the log, from there on, or in a queue.
#include <limits>

#include "tern/message/message_id.hpp"
#include "tern/message/properties.hpp"

#include "cli/store_verbs.hpp"

namespace tern::cli {
namespace {

using protocol::Json;
using store::Held;

struct Options {
  StoreTarget target;
  std::int64_t position = -1;
  std::string topic;
  std::int32_t queue_id = -1;
  std::int64_t from = 0;
  std::int64_t count = 1;
  std::int64_t body_max = 256;
};

/// As text if all of it can be read, else in hex; "..." where the bound has cut it.
std::string body_text(std::span<const std::byte> body, std::int64_t max) {
  const auto shown = body.first(std::min(body.size(), static_cast<std::size_t>(max)));
  const std::string_view text(reinterpret_cast<const char*>(shown.data()), shown.size());
  const auto is_readable = [](char c) { return static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t'; };
  std::string out;
  if (std::all_of(text.begin(), text.end(), is_readable) && text.find('\x7F') == std::string_view::npos) {
    out = text;
  } else {
    out = "0x";
    for (const auto byte : shown) out += fmt::format("{:02x}", static_cast<unsigned>(byte));
  }
  return shown.size() < body.size() ? out + "..." : out;
}

std::string_view kind_text(Held::Kind kind) {
  switch (kind) {
    case Held::Kind::kRecord:
      return "record";
    case Held::Kind::kBlank:
      return "blank";
    case Held::Kind::kZeros:
      return "zeros";
    case Held::Kind::kDamaged:
      return "damaged";
  }
  return "";
}

Json record_json(const message::RecordView& record, std::int64_t body_max) {
  Json json{{"topic", record.topic},
            {"queueId", record.queue_id},
            {"queueOffset", record.queue_offset},
            {"size", record.total_size},
            {"magic", fmt::format("0x{:08X}", static_cast<std::uint32_t>(record.magic))},
            {"bodyCrc", record.body_crc},
            {"flag", record.flag},
            {"sysFlag", record.sys_flag},
            {"bornTimestamp", record.born_timestamp},
            {"bornHost", record.born_host.text()},
            {"storeTimestamp", record.store_timestamp},
            {"storeHost", record.store_host.text()},
            {"reconsumeTimes", record.reconsume_times},
            {"preparedTransactionOffset", record.prepared_transaction_offset},
            {"messageId", message::offset_message_id(record.store_host, record.physical_offset)},
            {"bodySize", record.body.size()},
            {"body", body_text(record.body, body_max)},
            {"properties", Json::object()}};
  message::for_each_property(record.properties, [&](std::string_view name, std::string_view value) {
    json["properties"][std::string(name)] = value;
  });
  return json;
}

Json held_json(const Held& held, std::int64_t body_max) {
  Json json{{"position", held.start.value},
            {"kind", kind_text(held.kind)},
            {"size", held.size},
            {"file", held.file},
            {"byte", held.at}};
  if (held.kind == Held::Kind::kDamaged) json["problem"] = held.problem;
  if (held.kind == Held::Kind::kRecord) {
    const auto record = message::parse_record(std::as_bytes(std::span(held.bytes)), message::BodyCheck::kSkip);
    if (record) json["record"] = record_json(*record, body_max);
  }
  return json;
}

void print_record(const message::RecordView& record, std::int64_t body_max) {
  fmt::print("  topic            {}\n", record.topic);
  fmt::print("  queue            {}, offset {}\n", record.queue_id, record.queue_offset);
  fmt::print("  stored           {} by {}\n", time_text(record.store_timestamp), record.store_host.text());
  fmt::print("  born             {} at {}\n", time_text(record.born_timestamp), record.born_host.text());
  fmt::print("  message id       {}\n", message::offset_message_id(record.store_host, record.physical_offset));
  fmt::print("  magic, sysFlag   0x{:08X}, 0x{:X}\n", static_cast<std::uint32_t>(record.magic), record.sys_flag);
  fmt::print("  flag             {}\n", record.flag);
  fmt::print("  reconsumed       {} times\n", record.reconsume_times);
  fmt::print("  prepared at      {}\n", record.prepared_transaction_offset);
  message::for_each_property(record.properties, [](std::string_view name, std::string_view value) {
    fmt::print("  property         {} = {}\n", name, value);
  });
  fmt::print("  body             {} bytes, CRC {}\n", record.body.size(), record.body_crc);
  if (!record.body.empty()) fmt::print("{}\n", body_text(record.body, body_max));
}

void print_held(const Held& held, std::int64_t body_max) {
  fmt::print("{} to {} ({} bytes, {}: byte {}): {}\n", held.start, held.start + held.size, held.size, held.file,
             held.at, held.kind == Held::Kind::kDamaged ? held.problem : std::string(kind_text(held.kind)));
  if (held.kind != Held::Kind::kRecord) return;
  const auto record = message::parse_record(std::as_bytes(std::span(held.bytes)), message::BodyCheck::kSkip);
  if (record) print_record(*record, body_max);
}

Outcome<int> dump_log(const Options& options, store::Inspector& inspector) {
  Json all = Json::array();
  store::LogPosition position{options.position};
  for (std::int64_t i = 0; i < options.count; ++i) {
    const auto held = inspector.at(position);
    if (!held && held.error().code == store::Errc::kNotFound) {
      if (i > 0) break;
      return cannot_read(fmt::format("the log has no position {}", position));
    }
    if (!held) return cannot_read(held.error().text());
    if (options.target.json)
      all.push_back(held_json(*held, options.body_max));
    else
      print_held(*held, options.body_max);
    if (held->kind == Held::Kind::kZeros) break;
    position = held->start + held->size;
  }
  if (options.target.json) print_json(all);
  return 0;
}

Outcome<int> dump_queue(const Options& options, store::Inspector& inspector) {
  Json all = Json::array();
  const auto status = inspector.entries(
      options.topic, options.queue_id, {options.from}, options.count, [&](const store::HeldEntry& found) {
        const auto& entry = found.entry;
        if (options.target.json) {
          Json json{{"queueOffset", found.offset.value}, {"file", found.file}, {"byte", found.at},
                    {"position", entry.position.value},  {"size", entry.size}, {"tagsCode", entry.tags_code}};
          if (entry.count > 1) json["count"] = entry.count;
          if (found.held) json["held"] = held_json(*found.held, options.body_max);
          all.push_back(std::move(json));
          return true;
        }
        const auto offsets = entry.count == 1 ? fmt::to_string(found.offset)
                                              : fmt::format("{} to {}", found.offset, found.offset + (entry.count - 1));
        fmt::print("{}#{} {}: log position {}, {} bytes, tags {} ({}: byte {})\n", options.topic, options.queue_id,
                   offsets, entry.position, entry.size, entry.tags_code, found.file, found.at);
        if (found.held)
          print_held(*found.held, options.body_max);
        else
          fmt::print("  its record is not in the log\n");
        return true;
      });
  if (!status && status.error().code == store::Errc::kNotFound) {
    return cannot_read(fmt::format("the store has no queue {}#{}", options.topic, options.queue_id));
  }
  if (!status) return cannot_read(status.error().text());
  if (options.target.json) print_json(all);
  return 0;
}

Outcome<int> run(const Options& options) {
  const bool has_queue = !options.topic.empty() && options.queue_id >= 0;
  if (has_queue == (options.position >= 0)) {
    return cannot_read("dump what? Give --position, or --topic and --queue");
  }
  const auto opened = open_store(options.target);
  if (!opened) return opened.error();
  return has_queue ? dump_queue(options, *opened->inspector) : dump_log(options, *opened->inspector);
}

}  // namespace

Run declare_store_dump(CLI::App& app) {
  auto options = std::make_shared<Options>();
  declare_target(app, options->target);
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  app.add_option("-p,--position", options->position, "position of the log: any byte of what is to be shown")
      ->check(CLI::Range(std::int64_t{0}, kMax));
  app.add_option("-t,--topic", options->topic, "topic of the queue");
  app.add_option("-q,--queue", options->queue_id, "id of the queue");
  app.add_option("--from", options->from, "first queue offset")->capture_default_str();
  app.add_option("--count", options->count, "how many messages")
      ->check(CLI::Range(std::int64_t{1}, kMax))
      ->capture_default_str();
  app.add_option("--body", options->body_max, "bytes of each body that are shown at most")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 30))
      ->capture_default_str();
  return [options] { return run(*options); };
}

}  // namespace tern::cli
