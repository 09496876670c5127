// A load that changes shape, and what a lock makes of it: one JSON line for each tenth of a second.
//   put_phases_bench LOCK SPEED THREADSxBODY:SECONDS...
//   put_phases_bench abs 1 4x102400:20 4x2:20 4x102400:20 4x2:20
// SPEED is how many times as fast as a second an adaptive lock's windows pass (1: as in the broker). Keys: t (seconds),
// phase, threads, body, appends and retreats since the line before, k, switches (so far), mode, windows (so far).

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "put_load.hpp"
#include "rival_locks.hpp"

namespace tern::store {
namespace {

constexpr int kSamplesPerSecond = 10;

struct Phase {
  int threads = 0;
  int body = 0;
  int seconds = 0;
};

bool parse(const char* text, Phase& phase) {
  int used = 0;
  return std::sscanf(text, "%dx%d:%d%n", &phase.threads, &phase.body, &phase.seconds, &used) == 3 && text[used] == 0 &&
         phase.threads > 0 && phase.body > 0 && phase.seconds > 0;
}

void run(const PutRow& row, int speed, const std::vector<Phase>& phases) {
  const FastClock clock(speed);
  int threads_max = 0;
  for (const auto& phase : phases) threads_max = std::max(threads_max, phase.threads);
  MemoryLog log(row, {clock, 1000, false});
  PutLoad load(log, threads_max);
  std::int64_t appends = 0;
  std::int64_t retreats = 0;
  const auto begin = std::chrono::steady_clock::now();
  auto next = begin;
  for (std::size_t i = 0; i < phases.size(); ++i) {
    const auto& phase = phases[i];
    load.set(phase.threads, static_cast<std::size_t>(phase.body));
    for (int sample = 0; sample < phase.seconds * kSamplesPerSecond; ++sample) {
      next += std::chrono::milliseconds(1000 / kSamplesPerSecond);
      std::this_thread::sleep_until(next);
      const auto counters = log.put().counters();
      const auto appends_now = load.appends();
      const std::chrono::duration<double> t = std::chrono::steady_clock::now() - begin;
      fmt::print(
          "{{\"t\":{:.2f},\"phase\":{},\"threads\":{},\"body\":{},\"appends\":{},\"retreats\":{},\"k\":{},\"switches\":"
          "{}"
          ",\"mode\":\"{}\",\"windows\":{:.1f}}}\n",
          t.count(), i, phase.threads, phase.body, appends_now - appends, counters.retreats - retreats,
          counters.spin_limit, counters.switches, counters.mode, t.count() * speed);
      appends = appends_now;
      retreats = counters.retreats;
    }
  }
  load.stop();
}

}  // namespace
}  // namespace tern::store

int main(int argc, char** argv) {
  using namespace tern::store;
  const auto rows = put_rows_and_rivals();
  const auto row = argc < 4 ? rows.end() : std::ranges::find(rows, std::string_view(argv[1]), &PutRow::name);
  const int speed = argc < 4 ? 0 : std::atoi(argv[2]);
  std::vector<Phase> phases;
  for (int i = 3; i < argc; ++i) {
    if (!parse(argv[i], phases.emplace_back())) phases.clear(), argc = 0;
  }
  if (row == rows.end() || speed < 1 || phases.empty()) {
    std::fprintf(stderr, "usage: put_phases_bench LOCK SPEED THREADSxBODY:SECONDS...\n");
    return 2;
  }
  run(*row, speed, phases);
  return 0;
}
