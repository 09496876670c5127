#pragma once
// Which records of the log are whole: the reader's side of docs/format/commit_log_record.md, for recovery.

#include <functional>

#include "tern/message/record.hpp"

#include "store/log_segment.hpp"

namespace tern::store {

/// How far one segment's records are whole, from `from` on (a record's start).
struct SegmentScan {
  LogPosition records_end;  // behind the last whole record
  bool is_filled = false;   // a blank takes the rest, or nothing is left
  bool was_ended = false;   // by `visit`
};
/// `readable_end`: where the file ends, if that is before the segment does.
Result<SegmentScan> scan_segment(const LogSegment& segment, LogPosition readable_end, LogPosition from,
                                 message::BodyCheck check,
                                 const std::function<bool(const message::RecordView&, LogPosition)>& visit);

/// CommitLog::scan() over the segments of a list. Trusts no byte: whatever the files hold, it ends, without an error.
Result<LogPosition> scan_log(const SegmentList& segments, LogPosition from, message::BodyCheck check,
                             const std::function<bool(const message::RecordView&, LogPosition)>& visit);

}  // namespace tern::store
