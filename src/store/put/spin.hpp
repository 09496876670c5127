#pragma once
// One spin: what a waiter does between two looks at a lock. It tells the processor that this is a waiting loop, so that
// it speculates less and gives its share to the other thread of the core:
//   x86-64    pause   ~1.5 ns before Skylake, 40-60 ns since; 24 ns on the reference machine (AMD Zen 4)
//   aarch64   isb     ~10 ns; yield is a no-operation on most cores, and a loop of it hammers the lock's line
//   else      nothing but the look itself
// So a number of spins means nothing across machines. What counts is time, and spin_ns() measures it, in a broker at
// its start.

#include <atomic>
#include <cstdint>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace tern::store {

inline void spin_once() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#elif defined(__riscv)
  asm volatile(".insn i 0x0F, 0, x0, x0, 0x010" ::: "memory");  // pause, a hint that old cores ignore
#else
  std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

/// Parking a thread and waking it up again, one way each. From the reference machine (48.8 us there and back); it
/// is between 5 and 50 us on the machines that servers run on, so it is no more than an order of magnitude.
inline constexpr double kContextSwitchNs = 25'000;

/// Nanoseconds of one spin on this machine: the best of a few short runs, measured by the first call (about 0.1 ms) and
/// never again. Any thread, but that call belongs before all other threads: beside them it would measure those, too.
[[nodiscard]] double spin_ns();

/// How many spins cost as much as a context switch: beyond it, spinning is the dearer way to wait. Between 100 and
/// 100,000 whatever was measured.
[[nodiscard]] int spins_per_context_switch(double ns_per_spin);

}  // namespace tern::store
