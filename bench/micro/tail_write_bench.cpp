// How should the tail of the log be written? Stores through a mapping (random or default advice, pages prepared ahead
// by another thread or not) against pwrite, while a third thread syncs: back to back, as group commit does under load,
// or every 500 ms, as asynchronous flush does. Decides docs/decisions/0005.
//
//   tail_write_bench [--directory DIR] [--seconds 5] [--only TEXT]
//
// For each variant, rate and policy, one line: what reached the disk for each byte appended, twice. "device" is the
// difference of the block device's own counter, which every process on the machine adds to; "dirtied" is
// /proc/self/io's write_bytes, what this process's stores obliged the kernel to write: a folio counts whole each time
// it goes from clean to dirty. An append is timed from its start to its end, copy or system call, as whoever waits for
// the append lock sees it; its processor time is the appending thread's own.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <thread>
#include <time.h>
#include <vector>

#include <fmt/format.h>

#include "tern/base/check.hpp"
#include "tern/base/histogram.hpp"
#include "tern/base/wakeup.hpp"
#include "tern/file/disk.hpp"

namespace tern::file {
namespace {

constexpr std::int64_t kRecordBytes = 1024;
constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kAsyncIntervalMs = 500;

enum class Way : std::uint8_t { kRandomAdvice, kDefaultAdvice, kWrite };
struct Variant {
  std::string_view name;
  Way way;
  std::int64_t window_bytes;  // prepared ahead of the tail; 0: not at all
};
constexpr Variant kVariants[] = {
    {"mapped, random advice", Way::kRandomAdvice, 0},
    {"mapped, random advice, 4 MiB prepared", Way::kRandomAdvice, 4 * kMiB},
    {"mapped, random advice, 16 MiB prepared", Way::kRandomAdvice, 16 * kMiB},
    {"mapped, random advice, 64 MiB prepared", Way::kRandomAdvice, 64 * kMiB},
    {"mapped, default advice", Way::kDefaultAdvice, 0},
    {"mapped, default advice, 16 MiB prepared", Way::kDefaultAdvice, 16 * kMiB},
    {"pwrite", Way::kWrite, 0},
};

struct Load {
  std::string_view name;
  std::int64_t sync_interval_ms;  // 0: back to back
  std::int64_t rate;
};
constexpr Load kLoads[] = {{"synchronous", 0, 10'000},
                           {"synchronous", 0, 20'000},
                           {"asynchronous, 500 ms", kAsyncIntervalMs, 10'000},
                           {"asynchronous, 500 ms", kAsyncIntervalMs, 20'000}};

std::int64_t nanoseconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

void sleep_until(std::int64_t steady_ns) {
  const timespec until{steady_ns / 1'000'000'000, steady_ns % 1'000'000'000};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
  }
}

/// Bytes that the device of `directory` has written; -1 if it is not to be seen.
std::int64_t device_bytes(const std::string& directory) {
  struct stat info = {};
  if (::stat(directory.c_str(), &info) != 0) return -1;
  std::ifstream file(fmt::format("/sys/dev/block/{}:{}/stat", major(info.st_dev), minor(info.st_dev)));
  std::int64_t field = -1;
  for (int i = 0; i < 7; ++i) {
    if (!(file >> field)) return -1;
  }
  return field * 512;
}

std::int64_t dirtied_bytes() {
  std::ifstream file("/proc/self/io");
  std::string name;
  std::int64_t value = 0;
  while (file >> name >> value) {
    if (name == "write_bytes:") return value;
  }
  return -1;
}

struct Result {
  Histogram append_ns;
  Histogram append_cpu_ns;
  Histogram sync_ns;
  std::int64_t appended = 0;
  std::int64_t device = -1;
  std::int64_t dirtied = -1;
  double process_cpu_s = 0;
  std::int64_t unprepared = 0;  // appends that were ahead of the preparing thread
};

double process_cpu_s() {
  return static_cast<double>(nanoseconds(CLOCK_PROCESS_CPUTIME_ID)) / 1e9;
}

/// One file, three threads: this one appends, one prepares ahead of it, one syncs.
class Run {
 public:
  Run(Disk& disk, std::string directory, const Variant& variant, const Load& load, std::int64_t seconds)
      : variant_(variant),
        load_(load),
        directory_(std::move(directory)),
        path_(join(directory_, "tail")),
        records_(load.rate * seconds),
        // Whole windows beyond the end, so that preparing never meets it.
        size_(((records_ * kRecordBytes + 2 * 64 * kMiB) + kMiB) / kMiB * kMiB) {
    auto file = disk.open(path_, OpenMode::kCreate);
    TERN_CHECK(file, "{}: {}", path_, file.error().text());
    file_ = std::move(*file);
    TERN_CHECK(file_->allocate(0, size_), "{} MiB in {}", size_ / kMiB, directory_);
    if (variant_.way != Way::kWrite) {
      auto window = file_->map(0, size_, WindowUse::kAppend);
      TERN_CHECK(window, "{}", window.error().text());
      window_ = std::move(*window);
      // The seam maps with random advice; this takes it back.
      if (variant_.way == Way::kDefaultAdvice)
        TERN_CHECK(::madvise(window_->bytes().data(), window_->bytes().size(), MADV_NORMAL) == 0, "madvise");
    }
    TERN_CHECK(file_->sync(), "sync");
  }

  Result measure() {
    Result result;
    if (variant_.window_bytes > 0) prepare_to(variant_.window_bytes);
    const std::int64_t device = device_bytes(directory_);
    const std::int64_t dirtied = dirtied_bytes();
    const double cpu = process_cpu_s();
    std::thread syncs([this, &result] { sync(result.sync_ns); });
    std::thread prepares([this] { prepare(); });
    append(result);
    stopped_ = true;
    prepare_.notify();
    prepares.join();
    syncs.join();
    TERN_CHECK(file_->sync(), "sync");
    result.process_cpu_s = process_cpu_s() - cpu;
    result.appended = records_ * kRecordBytes;
    const std::int64_t device_after = device_bytes(directory_);
    result.device = device < 0 ? -1 : device_after - device;
    result.dirtied = dirtied_bytes() - dirtied;
    return result;
  }

 private:
  void append(Result& result) {
    ::prctl(PR_SET_TIMERSLACK, 1);
    const std::string record(kRecordBytes, 'r');
    // What asking for the thread's processor time costs by itself.
    std::int64_t asking_ns = INT64_MAX;
    for (int i = 0; i < 1000; ++i) {
      const auto before = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
      asking_ns = std::min(asking_ns, nanoseconds(CLOCK_THREAD_CPUTIME_ID) - before);
    }
    const std::int64_t start_ns = nanoseconds(CLOCK_MONOTONIC);
    const std::int64_t period_ns = 1'000'000'000 / load_.rate;
    for (std::int64_t i = 0; i < records_; ++i) {
      sleep_until(start_ns + i * period_ns);
      const std::int64_t at = i * kRecordBytes;
      if (variant_.window_bytes > 0 && at + kRecordBytes > prepared_.load(std::memory_order_acquire))
        ++result.unprepared;
      const auto cpu_ns = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
      const auto begin_ns = nanoseconds(CLOCK_MONOTONIC);
      if (window_ != nullptr) {
        std::memcpy(window_->bytes().data() + at, record.data(), record.size());
        window_->commit(static_cast<std::size_t>(at), record.size());
      } else {
        TERN_CHECK(file_->write(at, std::as_bytes(std::span(record))), "write");
      }
      const auto end_ns = nanoseconds(CLOCK_MONOTONIC);
      result.append_cpu_ns.record(nanoseconds(CLOCK_THREAD_CPUTIME_ID) - cpu_ns - asking_ns);
      result.append_ns.record(end_ns - begin_ns);
      appended_.store(at + kRecordBytes, std::memory_order_release);
      if (variant_.window_bytes > 0 && prepared_.load(std::memory_order_relaxed) - at < variant_.window_bytes * 3 / 4)
        prepare_.notify();
    }
  }

  void sync(Histogram& durations) {
    std::int64_t next_ns = nanoseconds(CLOCK_MONOTONIC);
    while (!stopped_.load()) {
      next_ns += load_.sync_interval_ms * 1'000'000;
      if (load_.sync_interval_ms > 0) sleep_until(next_ns);
      const auto begin_ns = nanoseconds(CLOCK_MONOTONIC);
      TERN_CHECK(file_->sync(), "sync");
      durations.record(nanoseconds(CLOCK_MONOTONIC) - begin_ns);
    }
  }

  void prepare() {
    while (variant_.window_bytes > 0 && !stopped_.load()) {
      const auto ticket = prepare_.ticket();
      const auto wanted = appended_.load(std::memory_order_acquire) + variant_.window_bytes;
      if (wanted - prepared_.load(std::memory_order_relaxed) >= variant_.window_bytes / 4) {
        prepare_to(std::min(wanted, size_));
      } else {
        prepare_.wait(ticket, 1000);
      }
    }
  }

  void prepare_to(std::int64_t end) {
    const auto begin = prepared_.load(std::memory_order_relaxed);
    TERN_CHECK(window_->populate(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)), "populate");
    prepared_.store(end, std::memory_order_release);
  }

  const Variant variant_;
  const Load load_;
  const std::string directory_;
  const std::string path_;
  const std::int64_t records_;
  const std::int64_t size_;
  std::unique_ptr<File> file_;
  std::unique_ptr<MappedWindow> window_;
  std::atomic<std::int64_t> appended_{0};  // stored (release) by the appender behind the copy
  std::atomic<std::int64_t> prepared_{0};  // stored (release) by the preparing thread behind the pages
  std::atomic<bool> stopped_{false};
  Wakeup prepare_;
};

std::string per_byte(std::int64_t written, std::int64_t appended) {
  return written < 0 ? "not visible"
                     : fmt::format("{:.2f}", static_cast<double>(written) / static_cast<double>(appended));
}

std::string machine() {
  utsname name{};
  ::uname(&name);
  double load[3] = {};
  static_cast<void>(::getloadavg(load, 3));
  return fmt::format("{} cores, Linux {}, load {:.1f}", std::thread::hardware_concurrency(), name.release, load[0]);
}

int run(const std::string& directory, std::int64_t seconds, std::string_view only) {
  const auto disk = make_real_disk();
  TERN_CHECK(disk->make_directories(directory), "{}", directory);
  fmt::print("{}; {} s each, {} B records, in {}\n\n", machine(), seconds, kRecordBytes, directory);
  fmt::print(
      "| variant | flush | appends/s | device B/B | dirtied B/B | append p50 us | p99 | p99.99 | max | its CPU us, "
      "mean "
      "| process CPU us/append | syncs/s | sync p50 us | unprepared |\n");
  fmt::print("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  const auto us = [](double ns) { return fmt::format("{:.2f}", ns / 1000); };
  for (const auto& load : kLoads) {
    for (const auto& variant : kVariants) {
      const auto title = fmt::format("{} | {} | {}", variant.name, load.name, load.rate);
      if (title.find(only) == std::string::npos) continue;
      Result result;
      {
        Run one(*disk, directory, variant, load, seconds);
        result = one.measure();
      }
      TERN_CHECK(disk->remove(join(directory, "tail")), "remove");
      const auto at = [&](std::int64_t parts) { return us(static_cast<double>(result.append_ns.value_at(parts))); };
      fmt::print("| {} | {} | {} | {} | {} | {} | {} | {} | {:.2f} | {:.0f} | {:.0f} | {} |\n", title,
                 per_byte(result.device, result.appended), per_byte(result.dirtied, result.appended), at(500'000),
                 at(990'000), at(999'900), us(static_cast<double>(result.append_ns.max())),
                 us(result.append_cpu_ns.mean()),
                 result.process_cpu_s * 1e6 / static_cast<double>(result.append_ns.count()),
                 static_cast<double>(result.sync_ns.count()) / static_cast<double>(seconds),
                 static_cast<double>(result.sync_ns.value_at(500'000)) / 1000, result.unprepared);
      std::fflush(stdout);
    }
  }
  return 0;
}

}  // namespace
}  // namespace tern::file

int main(int argc, char** argv) {
  std::string directory = ".";
  std::int64_t seconds = 5;
  std::string only;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--directory") {
      directory = argv[i + 1];
    } else if (name == "--seconds") {
      seconds = std::max(1L, std::strtol(argv[i + 1], nullptr, 10));
    } else if (name == "--only") {
      only = argv[i + 1];
    } else {
      fmt::print(stderr, "usage: tail_write_bench [--directory DIR] [--seconds N] [--only TEXT]\n");
      return 2;
    }
  }
  return tern::file::run(directory, seconds, only);
}
