#pragma once
// The verbs of ternctl: one file each, one row here.

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "cli/session.hpp"

namespace tern::cli {

/// Runs once the command line is parsed. The int is the exit status.
using Run = std::function<Outcome<int>()>;

struct Verb {
  std::string_view name;
  std::string_view purpose;
  /// Declares the verb's options on `app`; returns what to run.
  Run (*declare)(CLI::App& app);
};
extern const std::span<const Verb> kVerbs;

/// Makes each row a subcommand of `app`, which needs one; runs the one that was given.
Run declare_verbs(CLI::App& app, std::span<const Verb> verbs);

Run declare_send(CLI::App& app);
Run declare_consume(CLI::App& app);
Run declare_route(CLI::App& app);
Run declare_cluster(CLI::App& app);
Run declare_store(CLI::App& app);
Run declare_wait(CLI::App& app);
Run declare_broker(CLI::App& app);
Run declare_bench(CLI::App& app);

}  // namespace tern::cli
