#pragma once
// Takes away what keeps a damaged store from being used, and keeps it. Never done unless somebody asks.

#include <string>
#include <vector>

#include "tern/base/clock.hpp"
#include "tern/store/inspector.hpp"

namespace tern::store {

struct RepairStep {
  enum class Kind : std::uint8_t {
    kMove,  // the file is moved aside
    kCut,   // its bytes from `at` on are copied aside; then it has `size_after` bytes, zeros from `at` on
    kMark,  // an empty file is made: `abort`, which has the next start recover as after a crash
  };
  Kind kind = Kind::kMove;
  std::string path;
  std::string kept_as;  // below the directory of what was removed; of a mark empty
  std::int64_t at = 0;
  std::int64_t size_after = 0;
  std::string why;
};

/// In the order in which they are done: whenever it is interrupted, what is left can be repaired again.
struct RepairPlan {
  std::vector<RepairStep> steps;
  std::vector<Finding> left;  // damage that no step takes away: only a copy helps
  LogPosition cut_at{-1};     // where the log ends afterwards; -1: where it does
};

/// The log is cut where its first damaged record begins: everything behind is lost to the store. Queues, index, state
/// and checkpoint are derived: what is damaged of them goes, and the next start builds it from the log. Changes
/// nothing.
Result<RepairPlan> plan_repair(file::Disk& disk, const InspectOptions& options, const VerifyReport& report);

/// Does it. What is removed stands afterwards in `kept_in`, <root>/tern/removed-<time>, under the paths that it had.
/// kInUse, with the process id, if the store is running; it is locked meanwhile. After another failure some steps are
/// done and none is half done. `progress` counts bytes: those that are copied aside.
Status apply_repair(file::Disk& disk, const Clock& clock, const std::string& root, const RepairPlan& plan,
                    std::string& kept_in, const Inspector::Progress& progress = {});

}  // namespace tern::store
