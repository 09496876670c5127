#pragma once
// Runs a scenario on a simulated disk that stops before change 1, 2, 3 ... until the scenario completes, and looks each
// time at what is left. "Whatever the moment of the crash, after reopening ..." is then one sentence and one test.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/simulated_disk.hpp"

namespace tern::test {

struct CrashPoint {
  enum class Kind : std::uint8_t {
    kKill,      // kill -9: the disk has all that was written
    kPowerCut,  // and of what was not synced, any part
  };
  std::int64_t operation = 0;  // the change that did not happen any more
  Kind kind = Kind::kPowerCut;
  std::uint64_t seed = 0;  // of a power cut
  bool completed = false;  // the scenario had ended before the crash
};

struct CrashOptions {
  SimulatedDiskOptions disk = {};
  /// Power cuts at each point: the first leaves nothing unsynced, the second everything, the others are drawn.
  int power_cuts = 6;
  bool kills = true;
  std::uint64_t seed = 1;  // power cuts draw from Rng(seed), Rng(seed + 1) ...
  /// To look at one point again: set both to its operation (and `seed` to its seed).
  std::int64_t first_operation = 1;
  std::int64_t last_operation = 1'000'000;
  std::int64_t stride = 1;  // more: a sample of the points, the completed run always among them
};

/// What came back: how many pairs of crash point and surviving subset were looked at. Stops at the first failed check,
/// which prints the point and the seed.
struct CrashesTried {
  std::int64_t points = 0;
  std::int64_t images = 0;
};

/// `scenario(SimulatedDisk&)` may return what it knows (its acknowledgements, say); then
/// `check(SimulatedDisk& reopened, const CrashPoint&, const Knowledge&)` gets it, otherwise `check(reopened, point)`.
/// The scenario must end when operations fail, and must do the same each time. A store that no commit covers fails the
/// test.
template <class Scenario, class Check>
CrashesTried crash_at_every_operation(Scenario scenario, Check check, const CrashOptions& options = {}) {
  using Knowledge = std::invoke_result_t<Scenario&, SimulatedDisk&>;
  CrashesTried tried;
  const auto look = [&](std::unique_ptr<SimulatedDisk> disk, const CrashPoint& point, const auto&... knowledge) {
    SCOPED_TRACE(fmt::format("{} before operation {}{}{}",
                             point.kind == CrashPoint::Kind::kKill ? "kill -9" : "power cut", point.operation,
                             point.completed ? " (the scenario had ended)" : "",
                             point.kind == CrashPoint::Kind::kKill ? "" : fmt::format(", seed {}", point.seed)));
    check(*disk, point, knowledge...);
    for (const auto& violation : disk->violations()) ADD_FAILURE() << violation;
    ++tried.images;
  };
  const auto crash = [&](SimulatedDisk& disk, std::int64_t operation, const auto&... knowledge) {
    const bool completed = !disk.crashed();
    ++tried.points;
    for (const auto& violation : disk.violations()) ADD_FAILURE() << "operation " << operation << ": " << violation;
    if (completed) {
      for (const auto& store : disk.uncommitted_stores()) {
        ADD_FAILURE() << store.path << ": [" << store.position << ", +" << store.size << ") stored, never committed";
      }
    }
    if (options.kills) {
      look(disk.kill(), {operation, CrashPoint::Kind::kKill, 0, completed}, knowledge...);
    }
    for (int i = 0; i < options.power_cuts && !::testing::Test::HasFailure(); ++i) {
      const auto seed = options.seed + static_cast<std::uint64_t>(i);
      Rng rng(seed);
      const auto survival = i == 0 ? Survival::kNothing : i == 1 ? Survival::kEverything : Survival::kDrawn;
      look(disk.crash(rng, survival), {operation, CrashPoint::Kind::kPowerCut, seed, completed}, knowledge...);
    }
    return !completed;
  };

  std::int64_t operations = 0;  // of a whole run; 0: not known yet
  if (options.stride > 1) {
    SimulatedDisk disk(options.disk);
    static_cast<void>(scenario(disk));
    operations = disk.changes();
    static_cast<void>(disk.violations());  // the last point shows them again
  }
  for (auto operation = options.first_operation; operation <= options.last_operation;) {
    SimulatedDisk disk(options.disk);
    disk.crash_at(operation);
    bool again = false;
    if constexpr (std::is_void_v<Knowledge>) {
      scenario(disk);
      again = crash(disk, operation);
    } else {
      const Knowledge knowledge = scenario(disk);
      again = crash(disk, operation, knowledge);
    }
    if (!again || ::testing::Test::HasFailure()) break;
    operation += options.stride;
    if (operations != 0) operation = std::min(operation, operations + 1);
  }
  return tried;
}

}  // namespace tern::test
