#include "tern/base/work_queue.hpp"

#include <algorithm>
#include <utility>

namespace tern {

bool WorkQueue::post(Work work, Late late) {
  const auto now = now_ms();
  {
    const std::lock_guard lock(mutex_);
    if (items_.size() >= limits_.depth_max) return false;
    items_.push_back({std::move(work), std::move(late), now});
  }
  wakeup_.notify();
  return true;
}

StepResult WorkQueue::step() {
  // What the work posts itself waits for the next step.
  const std::size_t count = std::min(depth(), kStepMax);
  for (std::size_t i = 0; i < count; ++i) {
    Item item;
    Lateness lateness;
    {
      const std::lock_guard lock(mutex_);
      item = std::move(items_.front());
      items_.pop_front();
      lateness = {now_ms() - item.since_ms, items_.size()};
    }
    if (item.late && limits_.wait_ms_max != nullptr && lateness.waited_ms > limits_.wait_ms_max->get()) {
      item.late(lateness);
    } else {
      item.work();
    }
  }
  return {static_cast<std::int64_t>(count), 1000};
}

std::size_t WorkQueue::depth() const {
  const std::lock_guard lock(mutex_);
  return items_.size();
}

}  // namespace tern
