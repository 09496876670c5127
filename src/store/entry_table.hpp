#pragma once
// The queues of one kind, as what all kinds are: rows of entries in files and in memory.

#include <memory>
#include <string>

#include "tern/store/queue.hpp"

#include "store/entry_layout.hpp"

namespace tern::store {

/// A table whose queues count entries, whatever these stand for: its offsets are their numbers in the files, entry n at
/// byte n * layout.size. That is what a simple queue is; a batch queue is made of one.
Result<std::unique_ptr<QueueTable>> open_entry_table(file::Disk& disk, const QueueOptions& options,
                                                     const EntryLayout& layout, std::string& problem);

}  // namespace tern::store
