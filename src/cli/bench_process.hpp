#pragma once
// What a process on this machine has used, from /proc; and what this thread has.

#include <cstdint>

#include "cli/session.hpp"

namespace tern::cli {

struct ProcessSample {
  double user_s = 0;
  double system_s = 0;
  std::int64_t anonymous_bytes = 0;  // RssAnon: what is neither file nor shared
  std::int64_t resident_bytes = 0;
};
/// All threads together, in ticks of 10 ms: sample over seconds.
[[nodiscard]] Outcome<ProcessSample> sample_process(std::int64_t pid);

/// Processor time of the calling thread in seconds, user and system.
[[nodiscard]] double thread_cpu_s();

}  // namespace tern::cli
