#pragma once
// Which records of the log are whole: the reader's side of docs/format/commit_log_record.md, for recovery.

#include <functional>

#include "tern/message/record.hpp"

#include "store/log_segment.hpp"

namespace tern::store {

/// CommitLog::scan() over the segments of a list. Trusts no byte: whatever the files hold, it ends, without an error.
Result<LogPosition> scan_log(const SegmentList& segments, LogPosition from, message::BodyCheck check,
                             const std::function<bool(const message::RecordView&, LogPosition)>& visit);

}  // namespace tern::store
