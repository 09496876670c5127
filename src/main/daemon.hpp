#pragma once
// What the two daemons have in common: command line, properties file, log, signals, and what they say when they start.

#include <csignal>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/log.hpp"
#include "tern/base/options.hpp"

namespace tern::daemon {

inline constexpr int kExitFailed = 1;       // could not start, or not go on
inline constexpr int kExitBadSettings = 2;  // command line or file

struct LogSettings {
  std::string level;  // logLevel
  std::string file;   // logFile
  std::int64_t file_size_bytes = 0;
  int files_kept = 0;
};
std::span<const OptionRow<LogSettings>> log_option_rows();

struct Program {
  std::string_view name;     // "tern-nameserver"
  std::string_view purpose;  // one line for --help
  /// The settings that -m prints.
  std::span<const std::string_view> important_keys;
};

struct CommandLine {
  std::string settings_file;         // -c; empty: the defaults
  std::string nameserver_addresses;  // -n
  bool print_all = false;            // -p
  bool print_important = false;      // -m
  bool check_only = false;           // --check-config
  bool print_document = false;       // --config-doc
  bool allow_unknown_keys = false;   // --allow-unknown-keys
};
/// nullopt: go on with `to`. Otherwise the process is to end with this status; what had to be said has been printed.
[[nodiscard]] std::optional<int> parse_command_line(const Program& program, int argc, const char* const* argv,
                                                    CommandLine& to);

/// The file that a path leads to from here, whatever becomes of the working directory; "" stays "".
[[nodiscard]] std::string resolved_path(const std::string& path);

/// Fills the settings from the file, then from the command line: -n becomes `namesrvAddr`, where there is such a row.
/// Every problem is printed to standard error as "file:line: key: text". Then does what -p, -m and --check-config ask
/// for. nullopt: go on, and log `notices` once the log has started. Otherwise the status to end with.
[[nodiscard]] std::optional<int> read_settings(const Program& program, const CommandLine& command_line,
                                               OptionSet& options, std::vector<std::string>& notices);

/// As many descriptors as the system lets this process have, as Java does for Apache's servers: login shells commonly
/// allow 1024 until asked. Before the network is made, which derives its limit of connections from it.
void raise_descriptor_limit();

/// False, after the reason was printed, if the log file cannot be opened.
[[nodiscard]] bool start_log(const LogSettings& settings);

/// TERM and INT end the process in order, HUP opens the log anew. Construct before the first thread starts: from then
/// on these signals reach nobody but wait(). Writing to a closed pipe or socket is an error, not a signal.
class Signals {
 public:
  Signals();
  /// Returns when the process is to end. From main. Says which signal it was.
  std::string_view wait();

 private:
  sigset_t awaited_{};
};

/// "host:port" under which others reach what is bound to `bind_address`: 127.0.0.1 if bound to all interfaces.
[[nodiscard]] std::string reachable_address(std::string_view bind_address, std::uint16_t port);

/// Logs a table of what was started.
void log_start_table(const Program& program, std::span<const std::pair<std::string, std::string>> rows);
/// "<program> ready <what>" as the one line on standard output, written through.
void print_ready(const Program& program, std::string_view what);

}  // namespace tern::daemon
