#pragma once
// Places at which a thread may lose its processor and which a lock has to survive. A build with TERN_PREEMPTION_POINTS
// (the thread sanitizer's) gives the processor away at some of them, so that windows of a few instructions are met in
// seconds; in every other build they are nothing.

#ifdef TERN_PREEMPTION_POINTS
#include <cstdint>
#include <thread>
#endif

namespace tern {

#ifdef TERN_PREEMPTION_POINTS
inline constexpr bool kHasPreemptionPoints = true;
/// Yields at every fourth point on average, differently in each thread.
inline void preemption_point() noexcept {
  thread_local std::uint32_t state = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(&state) >> 4) | 1;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  if (state % 4 == 0) std::this_thread::yield();
}
#else
inline constexpr bool kHasPreemptionPoints = false;
inline void preemption_point() noexcept {}
#endif

}  // namespace tern
