#include "broker/table_save.hpp"

#include <cerrno>

#include "tern/base/log.hpp"

namespace tern::broker {

void TableSave::request(Saved saved) {
  {
    const std::lock_guard lock(mutex_);
    if (saved) waiting_.push_back(std::move(saved));
    if (std::exchange(is_posted_, true)) return;
  }
  if (blocking_.post([this] { run(); })) return;
  // Too much is waiting already: the next change, or the stop, saves this one too.
  std::vector<Saved> waiting;
  {
    const std::lock_guard lock(mutex_);
    is_posted_ = false;
    waiting.swap(waiting_);
  }
  for (const auto& told : waiting) told(errno_error(EBUSY));
}

void TableSave::run() {
  std::vector<Saved> waiting;
  {
    // Before the table is read: a change from here on wants another save.
    const std::lock_guard lock(mutex_);
    is_posted_ = false;
    waiting.swap(waiting_);
  }
  const auto status = write_();
  if (!status) log_error("{} cannot be saved: {}", path_, status.error().text());
  for (const auto& told : waiting) told(status);
}

}  // namespace tern::broker
