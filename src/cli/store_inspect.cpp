// ternctl store inspect: what a store consists of. Reads headers and ends; whether it is whole says `verify`.
#include "cli/store_verbs.hpp"

namespace tern::cli {
namespace {

using protocol::Json;
using store::StoreOverview;

constexpr std::string_view kUses[] = {"stopped", "running", "not stopped cleanly"};

std::string use_text(const StoreOverview& overview) {
  std::string text(kUses[static_cast<std::size_t>(overview.use)]);
  if (overview.lock_holder.value_or(0) > 0) text += fmt::format(", by process {}", *overview.lock_holder);
  return text;
}

/// Until a life saves its first state, it finds that of the clean stop before it.
std::string_view state_text(const StoreOverview& all) {
  if (all.use == store::StoreUse::kRunning) return "; what came later is not saved yet";
  return all.state->is_clean && all.use == store::StoreUse::kStopped ? ", clean" : "";
}

void print_text(const StoreOverview& all) {
  fmt::print("store       {}\n", all.root);
  fmt::print("use         {}\n", use_text(all));
  if (all.identity) {
    fmt::print("owner       {} / {} / {}\n", all.identity->cluster, all.identity->broker_name, all.identity->broker_id);
  } else {
    fmt::print("owner       none\n");
  }
  if (all.state) {
    fmt::print("state       durable {}, dispatched {}, indexed {}{}{}\n", all.state->durable, all.state->dispatched,
               all.state->indexed, state_text(all), all.state_fits ? "" : "; it does not belong to this log");
  } else {
    fmt::print("state       none\n");
  }
  if (all.checkpoint) {
    fmt::print("checkpoint  log {}, queues {}, index {}, position {}\n", time_text(all.checkpoint->log_timestamp),
               time_text(all.checkpoint->queue_timestamp), time_text(all.checkpoint->index_timestamp),
               all.checkpoint->queue_position);
  } else {
    fmt::print("checkpoint  none\n");
  }
  fmt::print("\n{} segments of {} bytes\n", all.segments.size(), all.segment_size_bytes);
  for (const auto& segment : all.segments) {
    fmt::print("  {}  {} bytes, records {} to {}, from {}\n", segment.path, segment.size, segment.start,
               segment.records_end.value < 0 ? "?" : std::to_string(segment.records_end.value),
               segment.first_store_timestamp ? time_text(*segment.first_store_timestamp) : "no record");
  }
  fmt::print("\n{} queues, files of {} bytes", all.queues.size(), all.queue_file_size_bytes);
  if (all.batch_queue_file_size_bytes > 0) fmt::print(", of batches {}", all.batch_queue_file_size_bytes);
  fmt::print("\n");
  for (const auto& queue : all.queues) {
    fmt::print("  {}#{}  {} to {}, {} files{}\n", queue.topic, queue.id, queue.bounds.min, queue.bounds.max,
               queue.files, queue.kind == store::QueueKind::kBatch ? " (BatchCQ)" : "");
  }
  fmt::print("\n{} index files\n", all.index_files.size());
  for (const auto& file : all.index_files) {
    fmt::print("  {}  {} keys, records {} to {}, {} to {}\n", file.path, file.entries, file.first, file.last,
               time_text(file.first_store_timestamp), time_text(file.last_store_timestamp));
  }
  fmt::print("\n{} metadata files\n", all.metadata.size());
  for (const auto& file : all.metadata) {
    fmt::print("  {}  {} bytes, {}\n", file.path, std::max<std::int64_t>(file.size, 0), file.problem.value_or("whole"));
  }
  for (const auto& finding : all.findings) {
    fmt::print("{}{}\n", finding.is_damage ? "damage: " : "note: ", finding_text(finding));
  }
}

Json json_of(const StoreOverview& all) {
  Json json{{"root", all.root}, {"use", kUses[static_cast<std::size_t>(all.use)]}};
  if (all.lock_holder) json["lockHolder"] = *all.lock_holder;
  if (all.identity) {
    json["owner"] = {{"brokerClusterName", all.identity->cluster},
                     {"brokerName", all.identity->broker_name},
                     {"brokerId", all.identity->broker_id}};
  }
  if (all.state) {
    json["state"] = {{"durable", all.state->durable.value}, {"dispatched", all.state->dispatched.value},
                     {"indexed", all.state->indexed.value}, {"lastStoreTimestamp", all.state->last_store_timestamp},
                     {"clean", all.state->is_clean},        {"fitsLog", all.state_fits}};
  }
  if (all.checkpoint) {
    json["checkpoint"] = {{"logTimestamp", all.checkpoint->log_timestamp},
                          {"queueTimestamp", all.checkpoint->queue_timestamp},
                          {"indexTimestamp", all.checkpoint->index_timestamp},
                          {"masterFlushedOffset", all.checkpoint->master_flushed_offset},
                          {"confirmOffset", all.checkpoint->confirm_offset},
                          {"queuePosition", all.checkpoint->queue_position}};
  }
  json["segmentSize"] = all.segment_size_bytes;
  json["queueFileSize"] = all.queue_file_size_bytes;
  if (all.batch_queue_file_size_bytes > 0) json["batchQueueFileSize"] = all.batch_queue_file_size_bytes;
  for (const auto* name : {"segments", "queues", "indexFiles", "metadata", "findings"}) json[name] = Json::array();
  for (const auto& segment : all.segments) {
    Json item{{"file", segment.path}, {"start", segment.start.value}, {"size", segment.size}};
    if (segment.records_end.value >= 0) item["recordsEnd"] = segment.records_end.value;
    if (segment.first_store_timestamp) item["firstStoreTimestamp"] = *segment.first_store_timestamp;
    json["segments"].push_back(std::move(item));
  }
  for (const auto& queue : all.queues) {
    json["queues"].push_back({{"topic", queue.topic},
                              {"queueId", queue.id},
                              {"min", queue.bounds.min.value},
                              {"max", queue.bounds.max.value},
                              {"files", queue.files}});
    if (queue.kind == store::QueueKind::kBatch) json["queues"].back()["type"] = "BatchCQ";
  }
  for (const auto& file : all.index_files) {
    json["indexFiles"].push_back({{"file", file.path},
                                  {"size", file.size},
                                  {"keys", file.entries},
                                  {"first", file.first.value},
                                  {"last", file.last.value},
                                  {"firstStoreTimestamp", file.first_store_timestamp},
                                  {"lastStoreTimestamp", file.last_store_timestamp}});
  }
  for (const auto& file : all.metadata) {
    Json item{{"file", file.path}, {"size", file.size}, {"whole", !file.problem}};
    if (file.problem) item["problem"] = *file.problem;
    json["metadata"].push_back(std::move(item));
  }
  for (const auto& finding : all.findings) json["findings"].push_back(finding_json(finding));
  return json;
}

Outcome<int> run(const StoreTarget& target) {
  const auto opened = open_store(target);
  if (!opened) return opened.error();
  const auto overview = [&] {
    LateProgress progress("looked at queues");
    return opened->inspector->overview(progress.counter());
  }();
  if (!overview) return cannot_read(fmt::format("{}: {}", opened->options.root, overview.error().text()));
  if (target.json)
    print_json(json_of(*overview));
  else
    print_text(*overview);
  return 0;
}

}  // namespace

Run declare_store_inspect(CLI::App& app) {
  auto target = std::make_shared<StoreTarget>();
  declare_target(app, *target);
  return [target] { return run(*target); };
}

}  // namespace tern::cli
