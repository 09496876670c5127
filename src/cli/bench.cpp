// ternctl bench: load on a broker of this protocol, and what came of it. One file per verb, one row here.
#include "cli/bench_common.hpp"

namespace tern::cli {
namespace {

constexpr Verb kRows[] = {
    {"produce", "sends messages: how many, how fast, at what cost", &declare_bench_produce},
    {"consume", "pulls messages: how many, how fast, at what cost", &declare_bench_consume},
    {"latency", "sends at a low rate to a waiting consumer: how long from send to receipt", &declare_bench_latency},
    {"connections", "opens connections and keeps them: what each costs", &declare_bench_connections},
};

}  // namespace

Run declare_bench(CLI::App& app) {
  return declare_verbs(app, kRows);
}

}  // namespace tern::cli
