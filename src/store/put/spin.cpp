#include "store/put/spin.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

namespace tern::store {
namespace {

constexpr int kRuns = 8;
constexpr int kSpinsPerRun = 500;
constexpr double kSpinsMin = 100;
constexpr double kSpinsMax = 100'000;

// Not through Clock: what is measured is the processor.
double measure() {
  double best = std::numeric_limits<double>::max();
  for (int run = 0; run < kRuns; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kSpinsPerRun; ++i) spin_once();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    best = std::min(best, took.count() / kSpinsPerRun);
  }
  return std::max(best, 0.1);
}

}  // namespace

double spin_ns() {
  static const double kMeasured = measure();
  return kMeasured;
}

int spins_per_context_switch(double ns_per_spin) {
  return static_cast<int>(std::clamp(kContextSwitchNs / ns_per_spin, kSpinsMin, kSpinsMax));
}

}  // namespace tern::store
