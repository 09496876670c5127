#include "tern/base/wakeup.hpp"

#include <chrono>

namespace tern {

void Wakeup::wait(Ticket seen, std::int64_t longest_ms) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(longest_ms), [&] { return count_ != seen; });
}

}  // namespace tern
