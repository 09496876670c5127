#include "tern/base/log.hpp"

#include <limits>
#include <memory>
#include <mutex>
#include <utility>

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "tern/base/clock.hpp"

namespace tern {
namespace {

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// The logger is replaced as a whole when the file is opened anew, so a line that is being written keeps its old one.
class ProcessLog {
 public:
  ProcessLog() {
    std::string ignored_because_no_file_is_opened;
    open({}, ignored_because_no_file_is_opened);
  }

  bool open(const LogOptions& options, std::string& error) {
    std::vector<spdlog::sink_ptr> sinks{std::make_shared<spdlog::sinks::stderr_sink_mt>()};
    if (!options.file.empty()) {
      try {
        sinks.push_back(std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
            options.file, static_cast<std::size_t>(options.file_size_bytes),
            static_cast<std::size_t>(options.files_kept)));
      } catch (const spdlog::spdlog_ex& failure) {
        error = failure.what();
        return false;
      }
    }
    auto logger = std::make_shared<spdlog::logger>("tern", sinks.begin(), sinks.end());
    logger->set_level(level_of(options.level));
    logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%-7l%$ %v");
    logger->flush_on(spdlog::level::info);  // lines are few, and somebody may be following the file
    level_.store(options.level, std::memory_order_relaxed);
    const std::lock_guard lock(mutex_);
    options_ = options;
    logger_ = std::move(logger);
    return true;
  }

  bool reopen(std::string& error) {
    LogOptions options;
    {
      const std::lock_guard lock(mutex_);
      options = options_;
    }
    return open(options, error);
  }

  std::shared_ptr<spdlog::logger> logger() {
    const std::lock_guard lock(mutex_);
    return logger_;
  }
  [[nodiscard]] LogLevel level() const noexcept { return level_.load(std::memory_order_relaxed); }

 private:
  std::mutex mutex_;
  LogOptions options_;
  std::shared_ptr<spdlog::logger> logger_;
  std::atomic<LogLevel> level_{LogLevel::kInfo};  // relaxed: a hint that spares lines below it the lock
};

// Relaxed: they count.
std::atomic<std::uint64_t> warnings{0};
std::atomic<std::uint64_t> errors{0};

ProcessLog& process_log() {
  static ProcessLog log;
  return log;
}

}  // namespace

bool start_log(const LogOptions& options, std::string& error) {
  return process_log().open(options, error);
}

void reopen_log() {
  std::string error;
  if (!process_log().reopen(error))
    log_error("the log file could not be opened again, the old one stays in use: {}", error);
}

void flush_log() {
  process_log().logger()->flush();
}

void log_line(LogLevel level, std::string_view line) {
  if (level == LogLevel::kWarning) warnings.fetch_add(1, std::memory_order_relaxed);
  if (level == LogLevel::kError) errors.fetch_add(1, std::memory_order_relaxed);
  process_log().logger()->log(level_of(level), line);
}

LogCounts log_counts() noexcept {
  return {warnings.load(std::memory_order_relaxed), errors.load(std::memory_order_relaxed)};
}

bool log_enabled(LogLevel level) noexcept {
  return level >= process_log().level();
}

std::uint64_t LogRateLimit::admit(const Clock& clock) noexcept {
  const std::uint64_t count = total_.fetch_add(1, std::memory_order_relaxed) + 1;
  const std::int64_t now = clock.steady_ms();
  std::int64_t next = next_ms_.load(std::memory_order_relaxed);
  if (now < next || !next_ms_.compare_exchange_strong(next, now + 1000, std::memory_order_relaxed)) return 0;
  const std::uint64_t said = said_.exchange(count, std::memory_order_relaxed);
  return count > said ? count - said : 0;  // a thread that was held up since its count finds others have spoken for it
}

}  // namespace tern
