// ternctl store verify: whether a store is whole. Exit status: 0 whole, 1 damaged, 2 it cannot be read.
#include "cli/store_verbs.hpp"

namespace tern::cli {
namespace {

Outcome<int> run(const StoreTarget& target) {
  auto opened = open_store(target);
  if (!opened) return opened.error();
  const auto report = verify_store(*opened);
  if (!report) return report.error();
  if (target.json) {
    protocol::Json json{{"root", opened->options.root},
                        {"whole", report->is_whole()},
                        {"damages", report->damages},
                        {"from", report->from.value},
                        {"to", report->to.value},
                        {"records", report->records},
                        {"queueEntries", report->queue_entries},
                        {"indexKeys", report->index_keys},
                        {"notLookedAt", report->unread},
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
    fmt::print("{}: {} records from log position {} to {}, {} queue entries, {} keys{}{}\n",
               report->is_whole() ? "whole" : "damaged", report->records, report->from, report->to,
               report->queue_entries, report->index_keys,
               report->unread.empty() ? "" : "; not looked at: ", fmt::join(report->unread, ", "));
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
