#include "tern/base/clock.hpp"

#include <chrono>

namespace tern {
namespace {

template <class Unit, class Source>
std::int64_t now_in() {
  return std::chrono::duration_cast<Unit>(Source::now().time_since_epoch()).count();
}

}  // namespace

std::int64_t SystemClock::wall_ms() const {
  return now_in<std::chrono::milliseconds, std::chrono::system_clock>();
}
std::int64_t SystemClock::steady_ns() const {
  return now_in<std::chrono::nanoseconds, std::chrono::steady_clock>();
}

}  // namespace tern
