// ternctl store: what its verbs share, and their rows.
#include "tern/store/store.hpp"

#include <cstdlib>
#include <ctime>
#include <unistd.h>

#include "tern/base/byte_order.hpp"

#include "cli/store_verbs.hpp"

namespace tern::cli {
namespace {

constexpr std::int64_t kSilentMs = 1000;

constexpr Verb kRows[] = {
    {"inspect", "shows what a store consists of", &declare_store_inspect},
    {"verify", "says whether a store is whole, and where it is not (exit status 1)", &declare_store_verify},
    {"dump", "prints what a position of the log or a queue holds", &declare_store_dump},
    {"repair", "takes away what is damaged, if asked with --yes, and keeps it", &declare_store_repair},
};

/// A file below config/ that the broker reads, and the member without which it is of no use.
struct MetadataFile {
  std::string_view name;
  std::string_view table;
  bool must_exist;
};
constexpr MetadataFile kMetadataFiles[] = {
    {"topics.json", "topicConfigTable", true},
    {"subscriptionGroup.json", "subscriptionGroupTable", false},
    {"consumerOffset.json", "offsetTable", false},
    {"delayOffset.json", "offsetTable", false},
    {"consumerFilter.json", "filterDataByTopic", false},
    {"consumerOrderInfo.json", "table", false},
    {"messageRequestMode.json", "messageRequestModeMap", false},
    {"timermetrics", "timingCount", false},
};

std::optional<std::string> json_problem(std::string_view text, std::string_view table) {
  const auto json = protocol::parse_json(text);
  if (!json) return fmt::format("is no JSON from byte {} on", json.error().detail);
  if (!json->is_object()) return "is no JSON object";
  if (!table.empty() && protocol::object_member(*json, table) == nullptr) return fmt::format("lacks \"{}\"", table);
  return std::nullopt;
}

/// docs/format/timer.md: times and positions.
std::optional<std::string> timer_checkpoint_problem(std::string_view content) {
  constexpr std::size_t kSize = 4096, kPositions = 4;
  if (content.size() != kSize) return fmt::format("has {} bytes instead of {}", content.size(), kSize);
  for (std::size_t i = 0; i < kPositions; ++i) {
    if (load_be<std::int64_t>(content.data() + i * sizeof(std::int64_t)) < 0)
      return "holds a negative time or position";
  }
  return std::nullopt;
}

std::vector<store::MetadataRule> metadata_rules() {
  std::vector<store::MetadataRule> rules;
  for (const auto& file : kMetadataFiles) {
    rules.push_back({std::string(file.name), file.must_exist,
                     [table = file.table](std::string_view text) { return json_problem(text, table); }});
  }
  rules.push_back({"timercheck", false, &timer_checkpoint_problem});
  rules.push_back({"", false, [](std::string_view text) { return json_problem(text, ""); }});
  return rules;
}

/// The store's part of a broker's settings; other keys are not looked at.
Outcome<store::StoreOptions> read_settings(file::Disk& disk, const std::string& path) {
  store::StoreOptions options;
  OptionSet set("ternctl");
  set.add("Store", store::store_option_rows(), options);
  set.add("Commit log", store::log_option_rows(), options.log);
  set.add("Consume queues", store::queue_option_rows(), options.queues);
  set.add("Key index", store::index_option_rows(), options.index);
  if (path.empty()) {
    // To be found from the files.
    options.log.segment_size_bytes = 0;
    options.queues.file_size_bytes = 0;
    options.index.hash_slots = 0;
    options.index.entries_max = 0;
    return options;
  }
  const auto file = disk.open(path, file::OpenMode::kRead);
  if (!file) return cannot_read(fmt::format("{}: {}", path, file.error().text()));
  const auto size = (*file)->size();
  if (!size) return cannot_read(fmt::format("{}: {}", path, size.error().text()));
  std::string text(static_cast<std::size_t>(*size), '\0');
  if (const auto read = (*file)->read(0, std::as_writable_bytes(std::span(text))); !read) {
    return cannot_read(fmt::format("{}: {}", path, read.error().text()));
  }
  const auto parsed = parse_properties(path, text);
  if (const auto* problem = std::get_if<PropertiesError>(&parsed)) {
    return cannot_read(fmt::format("{}:{}: {}", path, problem->line, problem->text));
  }
  const auto outcome = set.apply(std::get<PropertiesFile>(parsed), true);
  if (!outcome.problems.empty()) return cannot_read(outcome.problems.front().text);
  return options;
}

}  // namespace

Run declare_store(CLI::App& app) {
  return declare_verbs(app, kRows);
}

void declare_target(CLI::App& app, StoreTarget& target) {
  app.add_option("root", target.root, "directory of the store; if not given, storePathRootDir of the settings");
  app.add_option("-c,--config", target.settings_file,
                 "the broker's properties file: sizes are checked against it, and not taken from the store's files");
  app.add_flag("--json", target.json, "for machines");
}

Outcome<OpenedStore> open_store(const StoreTarget& target) {
  OpenedStore opened;
  opened.disk = file::make_real_disk();
  const auto settings = read_settings(*opened.disk, target.settings_file);
  if (!settings) return settings.error();
  auto& options = opened.options;
  options.root = target.root.empty() ? settings->root : target.root;
  if (options.root.empty() && !target.settings_file.empty()) {
    const char* home = std::getenv("HOME");
    options.root = file::join(home != nullptr ? home : ".", "store");
  }
  if (options.root.empty()) return cannot_read("which store? Give its directory, or the broker's settings with -c");
  options.log_directory = settings->log.directory;
  options.segment_size_bytes = settings->log.segment_size_bytes;
  options.queue_file_size_bytes = settings->queues.file_size_bytes;
  options.batch_queue_file_size_bytes = settings->queues.batch_file_size_bytes;
  options.index_slots = settings->index.hash_slots;
  options.index_entries_max = settings->index.entries_max;
  options.metadata = metadata_rules();
  auto inspector = store::Inspector::open(*opened.disk, options);
  if (!inspector) return cannot_read(inspector.error().text);
  opened.inspector = std::move(*inspector);
  return opened;
}

LateProgress::LateProgress(std::string what, std::int64_t unit)
    : what_(std::move(what)),
      unit_(unit),
      started_ms_(clock_.steady_ms()),
      is_terminal_(::isatty(STDERR_FILENO) == 1) {}

LateProgress::~LateProgress() {
  if (shown_) shown_->finish(done_);
}

void LateProgress::update(std::int64_t done, std::int64_t total) {
  if (!is_terminal_ || clock_.steady_ms() - started_ms_ < kSilentMs) return;
  if (!shown_) shown_.emplace(clock_, what_, total / unit_, started_ms_);
  done_ = done / unit_;
  shown_->update(done_);
}

Outcome<store::VerifyReport> verify_store(OpenedStore& opened) {
  auto report = [&] {
    LateProgress progress("verified MiB", 1 << 20);
    return opened.inspector->verify(progress.counter());
  }();
  if (!report) return cannot_read(fmt::format("{}: {}", opened.options.root, report.error().text()));
  return std::move(*report);
}

Failure cannot_read(std::string text) {
  return {std::move(text), kExitCannotRead};
}

std::string time_text(std::int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm local{};
  std::array<char, 32> text{};
  if (localtime_r(&seconds, &local) == nullptr ||
      std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &local) == 0) {
    return std::to_string(ms);
  }
  return fmt::format("{}.{:03} ({})", text.data(), ms % 1000, ms);
}

std::string finding_text(const store::Finding& finding) {
  std::string text = finding.file;
  if (finding.at >= 0) text += fmt::format(": byte {}", finding.at);
  if (finding.position.value >= 0) text += fmt::format(" (log position {})", finding.position);
  return text + ": " + finding.text;
}

protocol::Json finding_json(const store::Finding& finding) {
  protocol::Json json{{"damage", finding.is_damage}, {"file", finding.file}, {"text", finding.text}};
  if (finding.at >= 0) json["byte"] = finding.at;
  if (finding.size > 0) json["size"] = finding.size;
  if (finding.position.value >= 0) json["logPosition"] = finding.position.value;
  return json;
}

void print_json(const protocol::Json& json) {
  // Names in a store are what clients sent; bytes that are no UTF-8 must not end the output.
  fmt::print("{}\n", json.dump(2, ' ', false, protocol::Json::error_handler_t::replace));
}

}  // namespace tern::cli
