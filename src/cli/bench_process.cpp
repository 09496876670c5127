#include "cli/bench_process.hpp"

#include <fstream>
#include <sstream>
#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>

namespace tern::cli {
namespace {

std::string read_all(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::int64_t kib_of(const std::string& status, const std::string& name) {
  const auto at = status.find("\n" + name + ":");
  return at == std::string::npos ? 0 : 1024 * std::strtoll(status.c_str() + at + name.size() + 2, nullptr, 10);
}

}  // namespace

Outcome<ProcessSample> sample_process(std::int64_t pid) {
  constexpr int kUserTicks = 14, kSystemTicks = 15;  // fields of proc(5), counted from 1
  const auto stat = read_all(fmt::format("/proc/{}/stat", pid));
  const auto name_end = stat.rfind(')');  // the name before it may hold anything
  if (name_end == std::string::npos) return Failure{fmt::format("there is no process {}", pid)};
  std::istringstream fields(stat.substr(name_end + 1));
  const double tick_s = 1.0 / static_cast<double>(::sysconf(_SC_CLK_TCK));
  ProcessSample sample;
  std::string field;
  for (int number = 3; number <= kSystemTicks && fields >> field; ++number) {
    if (number == kUserTicks) sample.user_s = std::strtod(field.c_str(), nullptr) * tick_s;
    if (number == kSystemTicks) sample.system_s = std::strtod(field.c_str(), nullptr) * tick_s;
  }
  const auto status = read_all(fmt::format("/proc/{}/status", pid));
  sample.anonymous_bytes = kib_of(status, "RssAnon");
  sample.resident_bytes = kib_of(status, "VmRSS");
  return sample;
}

double thread_cpu_s() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);  // cannot fail with these arguments
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace tern::cli
