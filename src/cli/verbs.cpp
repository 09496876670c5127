#include "cli/verbs.hpp"

#include <map>
#include <memory>

namespace tern::cli {
namespace {

constexpr Verb kRows[] = {
    {"send", "sends messages to a topic", &declare_send},
    {"consume", "reads messages of a topic, each queue from its beginning or its end", &declare_consume},
    {"route", "shows which brokers have a topic", &declare_route},
    {"cluster", "shows the brokers that the nameserver knows", &declare_cluster},
    {"broker", "shows what a broker is doing, and changes its settings: status, config, set", &declare_broker},
    {"store", "looks into the files of a store: inspect, verify, dump, repair", &declare_store},
    {"wait", "waits until a broker is registered", &declare_wait},
    {"bench", "puts load on a broker and measures it", &declare_bench},
};

}  // namespace

const std::span<const Verb> kVerbs{kRows};

Run declare_verbs(CLI::App& app, std::span<const Verb> verbs) {
  app.require_subcommand(1);
  auto runs = std::make_shared<std::map<const CLI::App*, Run>>();
  for (const auto& verb : verbs) {
    auto* command = app.add_subcommand(std::string(verb.name), std::string(verb.purpose));
    (*runs)[command] = verb.declare(*command);
  }
  return [&app, runs] { return runs->at(app.get_subcommands().front())(); };
}

}  // namespace tern::cli
