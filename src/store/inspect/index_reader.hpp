#pragma once
// Index files for those who only look: their entries in log order, and whether slots and chains belong to them.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/index_file.hpp"
#include "store/inspect/store_files.hpp"

namespace tern::store {

Result<IndexHeader> read_index_header(file::Disk& disk, const std::string& path);

/// Reads one file whole and reports what contradicts itself. What was not synced when a process ended may be torn: what
/// concerns entries of records at or behind `settled` is passed over. Slots take four bytes each in memory.
/// `progress` gets bytes.
struct IndexCheck {
  const IndexShape& shape;
  LogPosition settled;
  std::function<void(Finding)> report;
  std::function<void(std::int64_t bytes)> progress;
};
Status check_index_file(file::Disk& disk, const std::string& path, const IndexCheck& check);

/// All entries that the headers count, over all files, up to the first of a record at or behind `settled`: from there
/// on they may be torn.
class IndexEntries {
 public:
  IndexEntries(file::Disk& disk, std::vector<FoundFile> files, const IndexShape& shape)
      : disk_(disk), files_(std::move(files)), shape_(shape) {}
  void stop_at(LogPosition settled) { settled_ = settled; }

  struct Item {
    IndexEntry entry;
    std::int32_t number = 0;
    std::int64_t begin_timestamp = 0;        // of its file
    std::optional<std::int64_t> end_before;  // store time at which the file before it ends, if that is there
    const FoundFile* file = nullptr;
    std::int64_t at = 0;  // in the file
  };
  /// nullopt behind the last; valid until next().
  Result<std::optional<Item>> peek();
  void next() { ++number_; }

 private:
  /// Whether there was another file.
  Result<bool> begin_file();

  file::Disk& disk_;
  const std::vector<FoundFile> files_;
  const IndexShape shape_;
  LogPosition settled_{INT64_MAX};
  bool has_ended_ = false;
  std::int64_t last_position_ = 0;
  std::size_t next_file_ = 0;
  std::unique_ptr<file::File> file_;
  IndexHeader header_;
  std::optional<std::int64_t> end_before_;
  std::int32_t number_ = 1;
  std::vector<std::byte> bytes_;
  std::int32_t bytes_from_ = 0;  // number of the first entry in bytes_
};

}  // namespace tern::store
