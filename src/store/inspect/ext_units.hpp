#pragma once
// The extension of queue entries for those who only look: docs/format/consume_queue_ext.md. The files may be of any
// size and incomplete.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "store/inspect/log_reader.hpp"
#include "store/queue_ext_file.hpp"

namespace tern::store {

/// Of one queue. As QueueReader, keeps no descriptor: an open and a read for every hundred units in a row.
class ExtUnits {
 public:
  ExtUnits(file::Disk& disk, std::string directory) : disk_(disk), directory_(std::move(directory)) {}

  struct Found {
    Place place;
    std::optional<ExtUnit> unit;  // its bit map is valid until the next call
    std::string problem;          // why there is none
  };
  Result<Found> at(std::int64_t offset);

 private:
  Status list();
  /// `size` bytes from `at` on, and some more for the next call, or as many as the file has; empty if it is gone.
  Result<std::span<const std::byte>> read(const FoundFile& file, std::int64_t at, std::int64_t size);

  file::Disk& disk_;
  const std::string directory_;
  bool is_listed_ = false;
  std::vector<FoundFile> files_;  // ascending
  std::string path_;              // of the file of bytes_
  std::int64_t bytes_from_ = 0;
  std::vector<std::byte> bytes_;
};

/// What the names and sizes of all extension files say by themselves.
Status check_ext_files(file::Disk& disk, const std::string& directory, const std::function<void(Finding)>& report);

}  // namespace tern::store
