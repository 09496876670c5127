// ternctl store repair: says what would make a damaged store one that starts; with --yes it does it.
#include <algorithm>

#include "tern/store/repair.hpp"

#include "cli/store_verbs.hpp"

namespace tern::cli {
namespace {

struct Options {
  StoreTarget target;
  bool yes = false;
};

std::string step_text(const store::RepairStep& step) {
  switch (step.kind) {
    case store::RepairStep::Kind::kMove:
      return fmt::format("move  {}: {}", step.path, step.why);
    case store::RepairStep::Kind::kCut:
      return fmt::format("cut   {} at byte {}, and all that follows in it: {}", step.path, step.at, step.why);
    case store::RepairStep::Kind::kMark:
      return fmt::format("make  {}: {}", step.path, step.why);
  }
  return {};
}

protocol::Json json_of(const store::RepairStep& step) {
  constexpr std::string_view kActions[] = {"move", "cut", "make"};
  protocol::Json json{
      {"action", kActions[static_cast<std::size_t>(step.kind)]}, {"file", step.path}, {"why", step.why}};
  if (!step.kept_as.empty()) json["keptAs"] = step.kept_as;
  if (step.kind == store::RepairStep::Kind::kCut) json["byte"] = step.at;
  return json;
}

protocol::Json json_of(const store::RepairPlan& plan) {
  protocol::Json json{{"steps", protocol::Json::array()}, {"left", protocol::Json::array()}};
  for (const auto& step : plan.steps) json["steps"].push_back(json_of(step));
  for (const auto& finding : plan.left) json["left"].push_back(finding_json(finding));
  return json;
}

Failure in_use(const std::string& root, std::int64_t process) {
  return cannot_read(fmt::format("{} is in use by process {}: stop it first", root, process));
}

/// What of the log is no longer in the store once it is cut.
std::int64_t lost_bytes(const store::RepairPlan& plan, const store::VerifyReport& report) {
  return plan.cut_at.value < 0 ? 0 : std::max<std::int64_t>(0, report.known_end - plan.cut_at);
}

Outcome<int> run(const Options& options) {
  auto opened = open_store(options.target);
  if (!opened) return opened.error();
  const auto& root = opened->options.root;
  if (options.yes && opened->inspector->use() == store::StoreUse::kRunning) {
    return in_use(root, opened->inspector->lock_holder());
  }
  const auto report = verify_store(*opened);
  if (!report) return report.error();
  const auto plan = store::plan_repair(*opened->disk, opened->options, *report);
  if (!plan) return cannot_read(fmt::format("{}: {}", root, plan.error().text()));

  std::string kept_in;
  if (options.yes && !plan->steps.empty()) {
    const SystemClock clock;
    const auto done = [&] {
      LateProgress progress("copied MiB", 1 << 20);
      return store::apply_repair(*opened->disk, clock, root, *plan, kept_in, progress.counter());
    }();
    if (!done && done.error().code == store::Errc::kInUse) {
      return in_use(root, done.error().detail);
    }
    if (!done) {
      return cannot_read(fmt::format("{}: {}; what was done so far is kept in {}", root, done.error().text(), kept_in));
    }
  }
  if (options.target.json) {
    auto json = json_of(*plan);
    json["done"] = options.yes;
    json["leftUnnamed"] = report->unnamed_damages;
    if (plan->cut_at.value >= 0) {
      json["logEndsAt"] = plan->cut_at.value;
      json["lostBytes"] = lost_bytes(*plan, *report);
      json["lostRecordsAtLeast"] = report->records_behind_damage;
    }
    if (!kept_in.empty()) json["keptIn"] = kept_in;
    print_json(json);
  } else {
    for (const auto& step : plan->steps) fmt::print("{}\n", step_text(step));
    if (plan->cut_at.value >= 0) {
      fmt::print(
          "the log {} at position {}: {} bytes behind it, with {} or more whole records, are in the store no more\n",
          options.yes ? "ends" : "would end", plan->cut_at, lost_bytes(*plan, *report), report->records_behind_damage);
    }
    for (const auto& finding : plan->left) fmt::print("left  {}\n", finding_text(finding));
    if (report->unnamed_damages > 0) {
      fmt::print("left  {} damages of files that are not named here: run it again\n", report->unnamed_damages);
    }
    if (report->is_whole()) {
      fmt::print("{} is whole: there is nothing to repair\n", root);
    } else if (kept_in.empty()) {
      fmt::print("nothing was changed{}\n", options.yes ? "" : "; --yes does it, and keeps what it removes");
    } else {
      fmt::print(
          "done; what was removed is in {}. Start the broker: it makes anew what can be made from the log, and until "
          "then\n"
          "ternctl store verify may miss what was removed\n",
          kept_in);
    }
  }
  const bool takes_all = plan->left.empty() && report->unnamed_damages == 0;
  return report->is_whole() || (options.yes && takes_all) ? kExitWhole : kExitDamaged;
}

}  // namespace

Run declare_store_repair(CLI::App& app) {
  auto options = std::make_shared<Options>();
  declare_target(app, options->target);
  app.add_flag("--yes", options->yes, "do it; without it, only what would be done is said");
  return [options] { return run(*options); };
}

}  // namespace tern::cli
