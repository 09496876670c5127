#pragma once
// Which files a store consists of, and which of them have a wrong name or size. Lists; opens nothing.

#include <cstdint>
#include <string>
#include <vector>

#include "tern/store/inspector.hpp"

#include "store/entry_layout.hpp"
#include "store/index_file.hpp"

namespace tern::store {

struct FoundFile {
  std::string path;
  std::int64_t start = 0;  // by its name; 0 for index files
  std::int64_t size = 0;
};
struct FoundQueue {
  std::string topic;
  std::int32_t id = 0;
  std::vector<FoundFile> files;  // of any size, ascending
  QueueKind kind = QueueKind::kSimple;
  std::string directory;
  std::int64_t file_size = 0;  // that its files should have
  [[nodiscard]] const EntryLayout& layout() const { return kind == QueueKind::kBatch ? kBatchLayout : kSimpleLayout; }
};

struct StoreFiles {
  std::int64_t segment_size_bytes = 0;  // 0: there is no segment
  std::vector<FoundFile> segments;      // ascending; sizes may differ and some may be missing
  std::int64_t queue_file_size_bytes = 0;
  std::int64_t batch_queue_file_size_bytes = 0;
  std::vector<FoundQueue> queues;  // of both kinds
  IndexShape index_shape;
  std::vector<FoundFile> index_files;  // of the right size, oldest first
  bool has_unread_index = false;       // its settings are not known
  std::vector<Finding> findings;
  std::vector<std::string> foreign;  // of the findings, those that are no file of the store's
};

/// The directories with their defaults filled in.
[[nodiscard]] InspectOptions completed(const InspectOptions& options);

/// A configured size that no file has is refused with both numbers: the settings are another store's.
boost::system::result<StoreFiles, OpenProblem> list_store_files(file::Disk& disk, const InspectOptions& options);

}  // namespace tern::store
