#pragma once
// The process's log: standard error, and a rotated file if asked. Never on per-message paths: there we count.

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace tern {

class Clock;

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  std::string file;                                    // empty: standard error only
  std::int64_t file_size_bytes = 128LL * 1024 * 1024;  // rotate above this
  int files_kept = 10;
};

/// Sets the log up; before this, lines go to standard error at kInfo. Call once, from main, before threads start.
/// False, with the reason in `error`, if the file cannot be opened.
bool start_log(const LogOptions& options, std::string& error);
/// Opens the log file anew under its name (SIGHUP, after an external rotation). Any thread.
void reopen_log();
/// Writes what is buffered. Call before the process ends.
void flush_log();

void log_line(LogLevel level, std::string_view line);

struct LogCounts {
  std::uint64_t warnings = 0;
  std::uint64_t errors = 0;
};
/// Lines since the process was started: what an operator watches to know that there is something to read. Any thread.
[[nodiscard]] LogCounts log_counts() noexcept;
[[nodiscard]] bool log_enabled(LogLevel level) noexcept;

template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(LogLevel::kDebug)) log_line(LogLevel::kDebug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::kWarning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::kError, fmt::format(format, std::forward<Args>(args)...));
}

/// For what bad peers can cause at any rate: allows one line per second and counts the rest.
/// `if (auto n = limit.admit(clock)) log_warning("...{} times", n);` Any thread.
class LogRateLimit {
 public:
  /// 0: say nothing now. Otherwise the number of events since the last line, this one included.
  [[nodiscard]] std::uint64_t admit(const Clock& clock) noexcept;
  [[nodiscard]] std::uint64_t total() const noexcept { return total_.load(std::memory_order_relaxed); }

 private:
  // Relaxed: they count, and what is printed needs nothing else of the events.
  std::atomic<std::uint64_t> total_{0};
  std::atomic<std::uint64_t> said_{0};
  std::atomic<std::int64_t> next_ms_{0};
};

}  // namespace tern
