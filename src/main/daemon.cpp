#include "main/daemon.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/resource.h>
#include <utility>
#include <variant>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace tern::daemon {
namespace {

void say(std::FILE* to, std::string_view line) {
  fmt::print(to, "{}\n", line);
  std::fflush(to);
}

void print_settings(const OptionSet& options, std::span<const std::string_view> only) {
  for (const auto& option : options.options()) {
    if (only.empty() || std::ranges::find(only, option.key) != only.end()) {
      say(stdout, fmt::format("{}={}", option.key, option.get()));
    }
  }
}

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return std::nullopt;
  return text;
}

OptionSet::Outcome apply_file(const CommandLine& command_line, OptionSet& options) {
  OptionSet::Outcome outcome;
  const auto& path = command_line.settings_file;
  const auto text = read_file(path);
  if (!text) {
    outcome.problems.push_back({fmt::format("{}: cannot be read", path)});
    return outcome;
  }
  const auto parsed = parse_properties(path, *text);
  if (const auto* error = std::get_if<PropertiesError>(&parsed)) {
    outcome.problems.push_back({fmt::format("{}:{}: {}", path, error->line, error->text)});
    return outcome;
  }
  return options.apply(std::get<PropertiesFile>(parsed), command_line.allow_unknown_keys);
}

void apply_nameserver_addresses(const CommandLine& command_line, OptionSet& options, OptionSet::Outcome& outcome) {
  if (command_line.nameserver_addresses.empty()) return;
  const auto* option = options.find("namesrvAddr");
  if (option == nullptr) {
    outcome.notices.emplace_back("-n: has no meaning for this program");
  } else if (!option->set(command_line.nameserver_addresses)) {
    outcome.problems.push_back(
        {fmt::format("-n {}: namesrvAddr may be {}", command_line.nameserver_addresses, option->allowed)});
  }
}

}  // namespace

std::span<const OptionRow<LogSettings>> log_option_rows() {
  using L = LogSettings;
  static const OptionRow<L> kRows[] = {
      {"logLevel", &L::level, "info", one_of({"debug", "info", "warning", "error"}),
       "The least important lines that are logged."},
      {"logFile", &L::file, "", anything(), "File to log to, besides standard error. Empty: none."},
      {"logFileSizeBytes", &L::file_size_bytes, "134217728", range(4096, 1LL << 40),
       "Size in bytes at which the log file is rotated."},
      {"logFilesKept", &L::files_kept, "10", range(0, 1000), "How many rotated log files are kept."},
  };
  return kRows;
}

std::optional<int> parse_command_line(const Program& program, int argc, const char* const* argv, CommandLine& to) {
  CLI::App app{std::string(program.purpose), std::string(program.name)};
  app.add_option("-c,--configFile", to.settings_file, "File with the settings, key=value")->type_name("FILE");
  app.add_option("-n,--namesrvAddr", to.nameserver_addresses, "Nameservers, ';' between, over the file's")
      ->type_name("ADDR");
  app.add_flag("-p,--printConfigItem", to.print_all, "Print all settings and end");
  app.add_flag("-m,--printImportantConfig", to.print_important, "Print the important settings and end");
  app.add_flag("--check-config", to.check_only, "Say what is wrong with the settings, and end");
  app.add_flag("--config-doc", to.print_document, "Print what docs/config.md says of the settings, and end");
  app.add_flag("--allow-unknown-keys", to.allow_unknown_keys, "Start although nobody knows some key");
  app.set_version_flag("--version", fmt::format("{} {}", program.name, TERN_VERSION));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? 0 : kExitBadSettings;
  }
  return std::nullopt;
}

std::string resolved_path(const std::string& path) {
  if (path.empty()) return {};
  std::error_code unresolved;
  const auto whole = std::filesystem::canonical(path, unresolved);
  return unresolved ? path : whole.string();
}

std::optional<int> read_settings(const Program& program, const CommandLine& command_line, OptionSet& options,
                                 std::vector<std::string>& notices) {
  OptionSet::Outcome outcome;
  if (!command_line.settings_file.empty()) outcome = apply_file(command_line, options);
  apply_nameserver_addresses(command_line, options, outcome);

  for (const auto& problem : outcome.problems) say(stderr, problem.text);
  if (command_line.check_only) {
    for (const auto& notice : outcome.notices) say(stdout, notice);
    if (outcome.problems.empty()) say(stdout, fmt::format("{}: the settings are good", program.name));
  }
  if (!outcome.problems.empty()) return kExitBadSettings;
  if (command_line.print_document) say(stdout, options.to_markdown());
  if (command_line.print_all) print_settings(options, {});
  if (command_line.print_important) print_settings(options, program.important_keys);
  if (command_line.check_only || command_line.print_all || command_line.print_important ||
      command_line.print_document) {
    return 0;
  }
  notices = std::move(outcome.notices);
  return std::nullopt;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  const auto soft = std::exchange(limit.rlim_cur, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) return;
  log_warning("the limit of descriptors (ulimit -n) stays at {} instead of {}: {}", soft, limit.rlim_max,
              std::strerror(errno));
}

bool start_log(const LogSettings& settings) {
  LogOptions options;
  options.level = settings.level == "debug"     ? LogLevel::kDebug
                  : settings.level == "warning" ? LogLevel::kWarning
                  : settings.level == "error"   ? LogLevel::kError
                                                : LogLevel::kInfo;
  options.file = settings.file;
  options.file_size_bytes = settings.file_size_bytes;
  options.files_kept = settings.files_kept;
  std::string error;
  if (tern::start_log(options, error)) return true;
  say(stderr, fmt::format("logFile={}: {}", settings.file, error));
  return false;
}

Signals::Signals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigemptyset(&awaited_);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&awaited_, signal);
  pthread_sigmask(SIG_BLOCK, &awaited_, nullptr);
}

std::string_view Signals::wait() {
  for (;;) {
    int signal = 0;
    if (sigwait(&awaited_, &signal) != 0) continue;
    if (signal != SIGHUP) return signal == SIGTERM ? "TERM" : "INT";
    reopen_log();
    log_info("log opened anew");
  }
}

std::string reachable_address(std::string_view bind_address, std::uint16_t port) {
  if (bind_address.empty() || bind_address == "0.0.0.0" || bind_address == "::") bind_address = "127.0.0.1";
  const bool is_ipv6 = bind_address.find(':') != std::string_view::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", bind_address, port) : fmt::format("{}:{}", bind_address, port);
}

void log_start_table(const Program& program, std::span<const std::pair<std::string, std::string>> rows) {
  std::size_t width = 0;
  for (const auto& [name, value] : rows) width = std::max(width, name.size());
  std::string table = fmt::format("{} {} starts", program.name, TERN_VERSION);
  for (const auto& [name, value] : rows) table += fmt::format("\n    {:<{}}  {}", name, width, value);
  log_line(LogLevel::kInfo, table);
}

void print_ready(const Program& program, std::string_view what) {
  say(stdout, fmt::format("{} ready {}", program.name, what));
}

}  // namespace tern::daemon
