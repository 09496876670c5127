// What each way of taking turns costs: strategy x threads x body size, over a log in memory (memory_log.hpp), with the
// rows of the put table and the locks that are none (rival_locks.hpp).
//   put_lock_bench --benchmark_filter='^abs/threads:4/body:2/' --benchmark_repetitions=7
//   --benchmark_enable_random_interleaving=true
// --warm_ms (500) is run before --run_ms (500) are measured. The windows of `abs` are 50 ms instead of a second, so
// that it has adapted by then. Columns: appends/s; cpu_ns (of the process, per append); p50/p99/p9999/mean_us from
// entry to published past the own record; fair (appends of the slowest thread / mean); hold_ns of the lock per append
// (of one in 64), wait_ns (the rest of the time inside append(); under `reserve` that is copying too), and their shares
// of the senders' time; k, retreats (per thousand appends), switches, and sleeps (1: the adaptive lock's waiters
// sleep).

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <thread>

#include <benchmark/benchmark.h>

#include "put_load.hpp"
#include "rival_locks.hpp"

namespace tern::store {
namespace {

constexpr int kClockSpeed = 20;

struct Times {
  std::chrono::milliseconds warm{500};
  std::chrono::milliseconds run{500};
};

void put_lock(benchmark::State& state, const PutRow& row, int threads, std::size_t body_size, const Times& times) {
  const SystemClock clock;
  const FastClock fast(kClockSpeed);
  for (auto _ : state) {
    MemoryLog log(row, {fast, 1000, false});
    PutLoad load(log, threads);
    load.set(threads, body_size);
    std::this_thread::sleep_for(times.warm);
    load.open_window(times.run);
    const auto before = log.put().counters();
    const auto begin_cpu_ns = process_cpu_ns();
    const auto begin_ns = clock.steady_ns();
    load.wait_for_close();
    const auto cores =
        static_cast<double>(process_cpu_ns() - begin_cpu_ns) / static_cast<double>(clock.steady_ns() - begin_ns);
    const auto after = log.put().counters();
    load.stop();

    const auto counts = load.appends_in_window();
    std::int64_t appends = 0;
    for (const auto count : counts) appends += count;
    const auto seconds = std::chrono::duration<double>(times.run).count();
    const auto per_append = 1.0 / static_cast<double>(std::max<std::int64_t>(1, appends));
    const auto timed = static_cast<double>(std::max<std::int64_t>(1, after.timed - before.timed)) * kClockSpeed;
    const auto latency = load.latency_ns();
    const auto us = [&latency](std::int64_t ppm) { return static_cast<double>(latency.value_at(ppm)) / 1e3; };
    auto& out = state.counters;
    out["appends/s"] = static_cast<double>(appends) / seconds;
    out["cpu_ns"] = cores * seconds * 1e9 * per_append;
    out["p50_us"] = us(500'000);
    out["p99_us"] = us(990'000);
    out["p9999_us"] = us(999'900);
    out["mean_us"] = latency.mean() / 1e3;
    out["fair"] = static_cast<double>(*std::ranges::min_element(counts) * threads) * per_append;
    out["hold_ns"] = static_cast<double>(after.held_ns - before.held_ns) / timed;
    const auto all_ns = seconds * 1e9 * threads;
    out["hold_share"] = out["hold_ns"] * static_cast<double>(appends) / all_ns;
    out["wait_share"] = static_cast<double>(load.inside_ns()) / all_ns - out["hold_share"];
    out["wait_ns"] = out["wait_share"] * all_ns * per_append;
    out["k"] = static_cast<double>(after.spin_limit);
    out["retreats"] = 1000 * static_cast<double>(after.retreats - before.retreats) * per_append;
    out["switches"] = static_cast<double>(after.switches);
    out["sleeps"] = row.name == "abs" && after.mode == "mutex" ? 1 : 0;
    state.SetIterationTime(seconds);
  }
}

void register_all(const std::vector<PutRow>& rows, const Times& times) {
  for (const std::size_t body : {std::size_t{2}, std::size_t{1024}, std::size_t{102'400}}) {
    for (const int threads : {1, 2, 4, 16, 64}) {
      for (const auto& row : rows) {
        const auto name =
            std::string(row.name) + "/threads:" + std::to_string(threads) + "/body:" + std::to_string(body);
        benchmark::RegisterBenchmark(
            name.c_str(),
            [&row, threads, body, &times](benchmark::State& state) { put_lock(state, row, threads, body, times); })
            ->UseManualTime()
            ->Iterations(1);
      }
    }
  }
}

/// Takes `--name=MS` out of the command line. False if it is there and no number.
bool take(int& argc, char** argv, std::string_view name, std::chrono::milliseconds& value) {
  const auto prefix = "--" + std::string(name) + "=";
  auto* const end = std::remove_if(argv + 1, argv + argc, [&](const char* text) {
    const std::string_view argument(text);
    if (!argument.starts_with(prefix)) return false;
    const auto digits = argument.substr(prefix.size());
    std::int64_t ms = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), ms);
    value = std::chrono::milliseconds(parsed.ec == std::errc() && ms > 0 ? ms : 0);
    return true;
  });
  argc = static_cast<int>(end - argv);
  return value.count() > 0;
}

}  // namespace
}  // namespace tern::store

// Its own, because the names come from a table that is there only once main() runs.
int main(int argc, char** argv) {
  using namespace tern::store;
  Times times;
  if (!take(argc, argv, "warm_ms", times.warm) || !take(argc, argv, "run_ms", times.run)) return 1;
  const auto rows = put_rows_and_rivals();
  register_all(rows, times);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
