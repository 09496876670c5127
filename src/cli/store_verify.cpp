// ternctl store verify: whether a store is whole. Exit status: 0 whole, 1 damaged, 2 it cannot be read.
#include <unistd.h>

#include "cli/store_verbs.hpp"

namespace tern::cli {
namespace {

constexpr std::int64_t kSilentMs = 1000;

/// Shown on a terminal alone, and only if it takes longer than a second.
class VerifyProgress {
 public:
  explicit VerifyProgress(const Clock& clock) : clock_(clock), started_ms_(clock.steady_ms()) {}
  void update(std::int64_t done, std::int64_t total) {
    if (!is_terminal_ || clock_.steady_ms() - started_ms_ < kSilentMs) return;
    if (!shown_) shown_.emplace(clock_, "verified MiB", total >> 20, started_ms_);
    done_ = done >> 20;
    shown_->update(done_);
  }
  void finish() {
    if (shown_) shown_->finish(done_);
  }

 private:
  const Clock& clock_;
  const std::int64_t started_ms_;
  const bool is_terminal_ = ::isatty(STDERR_FILENO) == 1;
  std::int64_t done_ = 0;
  std::optional<Progress> shown_;  // counts MiB
};

Outcome<int> run(const StoreTarget& target) {
  const auto opened = open_store(target);
  if (!opened) return opened.error();
  const SystemClock clock;
  VerifyProgress progress(clock);
  const auto report =
      opened->inspector->verify([&](std::int64_t done, std::int64_t total) { progress.update(done, total); });
  progress.finish();
  if (!report) return cannot_read(fmt::format("{}: {}", opened->options.root, report.error().text()));
  if (target.json) {
    protocol::Json json{{"root", opened->options.root},
                        {"whole", report->is_whole()},
                        {"damages", report->damages},
                        {"from", report->from.value},
                        {"to", report->to.value},
                        {"records", report->records},
                        {"queueEntries", report->queue_entries},
                        {"indexKeys", report->index_keys},
                        {"findings", protocol::Json::array()}};
    for (const auto& finding : report->findings) json["findings"].push_back(finding_json(finding));
    print_json(json);
  } else {
    std::int64_t shown = 0;
    for (const auto& finding : report->findings) {
      fmt::print("{}{}\n", finding.is_damage ? "damage: " : "note: ", finding_text(finding));
      if (finding.is_damage) ++shown;
    }
    if (shown < report->damages) fmt::print("and {} more\n", report->damages - shown);
    fmt::print("{}: {} records from log position {} to {}, {} queue entries, {} keys\n",
               report->is_whole() ? "whole" : "damaged", report->records, report->from, report->to,
               report->queue_entries, report->index_keys);
  }
  return report->is_whole() ? kExitWhole : kExitDamaged;
}

}  // namespace

Run declare_store_verify(CLI::App& app) {
  auto target = std::make_shared<StoreTarget>();
  declare_target(app, *target);
  return [target] { return run(*target); };
}

}  // namespace tern::cli
