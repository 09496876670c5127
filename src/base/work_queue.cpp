#include "tern/base/work_queue.hpp"

#include <utility>

namespace tern {

bool WorkQueue::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (work_.size() >= depth_max_) return false;
    work_.push_back(std::move(work));
  }
  wakeup_.notify();
  return true;
}

StepResult WorkQueue::step() {
  std::deque<std::function<void()>> batch;
  {
    const std::lock_guard lock(mutex_);
    batch.swap(work_);
  }
  for (auto& work : batch) work();
  return {static_cast<std::int64_t>(batch.size()), 1000};
}

std::size_t WorkQueue::depth() const {
  const std::lock_guard lock(mutex_);
  return work_.size();
}

}  // namespace tern
