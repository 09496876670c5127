// ternctl: the command-line tool. One verb a call; exit status 0 if it did what it was asked to.

#include <cstdio>
#include <exception>
#include <string>

#include "tern/base/log.hpp"

#include "cli/verbs.hpp"

namespace {

constexpr int kExitUsage = 2;

int run(int argc, char** argv) {
  CLI::App app{"ternctl: talks to TernMQ, and to any server of its protocol."};
  app.set_version_flag("--version", TERN_VERSION);
  const auto verb = tern::cli::declare_verbs(app, tern::cli::kVerbs);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? 0 : kExitUsage;  // --help and --version are no error
  }
  std::string ignored;  // no file is opened, so nothing can fail
  tern::start_log({tern::LogLevel::kError, {}, 0, 0}, ignored);
  const auto outcome = verb();
  if (outcome) return *outcome;
  std::fprintf(stderr, "ternctl: %s\n", outcome.error().text.c_str());
  return outcome.error().status;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "ternctl: %s\n", problem.what());
    return 1;
  }
}
