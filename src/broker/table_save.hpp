#pragma once
// When a table's file is written: on the blocking thread, once for all changes that wait for it.

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tern/base/result.hpp"
#include "tern/base/work_queue.hpp"

namespace tern::broker {

/// A thousand new groups in one heartbeat are one file, not a thousand. All calls from any thread.
class TableSave {
 public:
  using Saved = std::function<void(Status)>;
  /// `write` runs on the blocking thread, one call at a time; it logs nothing itself.
  TableSave(WorkQueue& blocking, std::string path, std::function<Status()> write)
      : blocking_(blocking), path_(std::move(path)), write_(std::move(write)) {}

  /// The table has changed. `saved` (may be empty) runs on the blocking thread once a file with the change is on disk,
  /// with the failure if it could not be written.
  void request(Saved saved);

 private:
  void run();

  WorkQueue& blocking_;
  const std::string path_;
  const std::function<Status()> write_;
  std::mutex mutex_;
  bool is_posted_ = false;  // guarded by mutex_, as the next
  std::vector<Saved> waiting_;
};

}  // namespace tern::broker
