// A tiny store that is changed as the input says, in steps of six bytes: which of its files, what, where, and with
// what. It is looked at, and what would repair it is planned: both end, stay within bounds, and change nothing.

#include <array>
#include <vector>

#include "tern/base/check.hpp"
#include "tern/message/properties.hpp"
#include "tern/store/inspector.hpp"
#include "tern/store/repair.hpp"

#include "fuzz/fuzz.hpp"
#include "support/bytes.hpp"
#include "support/manual_clock.hpp"
#include "support/simulated_disk.hpp"

namespace {

using namespace tern;

constexpr std::size_t kStepSize = 6;
constexpr std::size_t kStepsMax = 32;
constexpr int kRecords = 40;

store::InspectOptions inspected() {
  store::InspectOptions options;
  options.root = "/store";
  options.index_slots = 8;
  options.index_entries_max = 64;
  options.metadata = {{"topics.json", true, [](std::string_view content) {
                         return content == "{}" ? std::nullopt : std::optional<std::string>("is not {}");
                       }}};
  return options;
}

void send(store::Store& store, const std::string& topic, int number) {
  std::string properties;
  message::PropertyWriter(properties).add(message::property::kKeys, std::string_view("key"));
  const auto body = fmt::format("body {}", number);
  message::RecordParts parts;
  parts.topic = topic;
  parts.born_timestamp = 1'600'000'000'000;
  parts.body = test::bytes_of(body);
  parts.properties = properties;
  store::AppendBatch batch;
  batch.begin_group();
  TERN_CHECK(batch.stage(parts, store.queue(topic, 0)));
  while (!batch.is_settled()) {
    store.append(batch);
    store.segments_step();
  }
  TERN_CHECK(!batch.records().front().error);
}

/// Stopped, with all that a store can have, in files as small as can be.
std::unique_ptr<test::SimulatedDisk> make_store() {
  static const test::ManualClock clock;
  static store::StoreOptions options;
  options.root = "/store";
  options.log.directory = "/store/commitlog";
  options.log.segment_size_bytes = options.log.prepare_ahead_bytes = options.log.hot_bytes = 4096;
  options.queues = {"/store/consumequeue", 20 * store::kQueueEntrySize, 64 << 10, 64};
  options.queues.batch_directory = "/store/batchconsumequeue";
  options.queues.batch_file_size_bytes = 20 * store::kBatchEntrySize;
  options.queues.writes_ext = true;
  options.queues.ext_file_size_bytes = 400;
  options.index = {"/store/index", true, 8, 64, 1000};
  options.identity = {"c", "b", 0};
  auto disk = std::make_unique<test::SimulatedDisk>(
      test::SimulatedDiskOptions{.file_reservation_bytes = 1 << 16, .clock = &clock});
  TERN_CHECK(disk->make_directories("/store/config") && disk->sync_directory("/"));
  TERN_CHECK(test::write_text(*disk, "/store/config/topics.json", "{}"));
  store::Store::Hooks hooks;
  hooks.queue_kind = [](std::string_view topic) {
    return topic == "B" ? store::QueueKind::kBatch : store::QueueKind::kSimple;
  };
  store::OpenReport report;
  const auto opened = store::Store::open(*disk, clock, options, std::move(hooks), report);
  TERN_CHECK(opened.has_value(), "{}", opened.error().text);
  auto& store = **opened;
  store.start(nullptr, [] {});
  for (int i = 0; i < kRecords; ++i) send(store, i % 5 == 0 ? "B" : "T", i);
  while (store.dispatch()) {
  }
  TERN_CHECK(store.close());
  return disk;
}

void list_files(file::Disk& disk, const std::string& directory, std::vector<std::string>& to) {
  const auto listed = disk.list(directory);
  TERN_CHECK(listed.has_value());
  for (const auto& entry : *listed) {
    const auto path = file::join(directory, entry.name);
    if (entry.is_directory)
      list_files(disk, path, to);
    else
      to.push_back(path);
  }
}

void change(test::SimulatedDisk& disk, const std::vector<std::string>& files, const std::uint8_t* step) {
  const auto& path = files[step[0] % files.size()];
  const auto at = std::int64_t{step[2]} << 8 | step[3];
  const auto file = disk.open(path, file::OpenMode::kReadWrite);
  if (!file) return;  // removed by a step before
  switch (step[1] % 8) {
    case 0:
      TERN_CHECK(disk.remove(path));
      break;
    case 1:
      TERN_CHECK((*file)->resize(at));
      break;
    case 2:
      TERN_CHECK(disk.rename(path, fmt::format("{}{}", path.substr(0, path.size() - 1), step[4] % 10)));
      break;
    case 3:
      TERN_CHECK(test::write_text(disk, "/store/abort", ""));
      break;
    case 4:
      disk.lock_elsewhere("/store/lock", true);
      break;
    default: {
      const auto size = (*file)->size();
      TERN_CHECK(size.has_value());
      if (*size < 2) break;
      TERN_CHECK((*file)->write(at % (*size - 1), std::as_bytes(std::span(step + 4, 2))));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto whole = make_store();
  static const auto files = [] {
    std::vector<std::string> paths;
    list_files(*whole, "/store", paths);
    return paths;
  }();
  const auto disk = whole->kill();
  const auto steps = std::min(size / kStepSize, kStepsMax);
  for (std::size_t i = 0; i < steps; ++i) change(*disk, files, data + i * kStepSize);
  const auto changes = disk->changes();

  const auto options = inspected();
  const auto inspector = store::Inspector::open(*disk, options);
  if (!inspector) {
    TERN_CHECK(!inspector.error().text.empty());
    return 0;
  }
  const auto report = (*inspector)->verify({});
  TERN_CHECK(report.has_value(), "{}", report.error().text());
  TERN_CHECK(report->is_whole() == (report->first_damage() == nullptr));
  TERN_CHECK(report->is_whole() || steps > 0, "{}", report->first_damage()->text);
  TERN_CHECK(report->records <= kRecords && report->from <= report->to);
  for (const auto& finding : report->findings) TERN_CHECK(!finding.file.empty() && !finding.text.empty());
  TERN_CHECK((*inspector)->overview().has_value());
  for (const std::int64_t at : {std::int64_t{0}, std::int64_t{100}, report->to.value}) {
    static_cast<void>((*inspector)->at({at}));
  }
  for (const auto* topic : {"T", "B"}) {
    static_cast<void>((*inspector)->entries(topic, 0, {0}, 2 * kRecords, [](const store::HeldEntry& entry) {
      fuzz::touch(entry.file);
      return true;
    }));
  }
  const auto plan = store::plan_repair(*disk, options, *report);
  TERN_CHECK(plan.has_value(), "{}", plan.error().text());
  TERN_CHECK(!report->is_whole() || plan->steps.empty());
  TERN_CHECK(disk->changes() == changes, "somebody only looks, and yet there are {} changes",
             disk->changes() - changes);
  return 0;
}
