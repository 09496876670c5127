#pragma once
// What the files of queues say, for recovery, and which of a queue's entries stay, for those who cut it. No queue is
// changed here: what follows is the table's business. By one caller at a time.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "tern/store/queue.hpp"

#include "store/queue_ext_file.hpp"
#include "store/queue_file.hpp"

namespace tern::store {

/// Calls `found` for each queue that has files, and stops at the first that cannot be read; `problem`, if given, then
/// gets the text for the operator. Unless `is_synced`, what the files hold is first written and synced again.
/// `next_serial` is counted on: the descriptors that this opens are not kept.
using QueueFound = std::function<void(std::string_view topic, std::int32_t id, const QueueFiles::Extent& extent)>;
Status scan_queue_files(file::Disk& disk, QueueFiles& files, std::atomic<std::uint64_t>& next_serial, bool is_synced,
                        std::string* problem, const QueueFound& found);

struct QueueCut {
  QueueOffset max;      // behind the last entry that stays
  LogPosition end{-1};  // of its record; -1 if none stays
};
/// Which entries stay if the log ends at `end`. Reads backwards, for those that go are few.
Result<QueueCut> find_cut(const Queue& queue, LogPosition end);

struct QueueBegin {
  QueueOffset min;        // of the first entry that stays
  LogPosition first{-1};  // its record; -1 if none stays
};
/// Which entries of `bounds` stay if the log begins at `begin`. By binary search.
Result<QueueBegin> find_begin(const Queue& queue, const QueueBounds& bounds, LogPosition begin);

/// Where in the extension files the unit of entry `from` goes: behind that of the last entry in [min, from) that has
/// one. If none has, the queue's extension files hold nothing of use, and are removed.
Result<std::int64_t> find_ext_end(QueueFiles& files, QueueExtFiles& ext, const QueueName& name, std::int64_t min,
                                  std::int64_t from);

}  // namespace tern::store
