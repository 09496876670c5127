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
  app.require_subcommand(1);
  auto runs = std::make_shared<std::map<const CLI::App*, Run>>();
  for (const auto& verb : kRows) {
    auto* command = app.add_subcommand(std::string(verb.name), std::string(verb.purpose));
    (*runs)[command] = verb.declare(*command);
  }
  return [&app, runs] { return runs->at(app.get_subcommands().front())(); };
}

}  // namespace tern::cli
