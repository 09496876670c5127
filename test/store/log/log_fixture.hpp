#pragma once
// A commit log with its steps in the test's hands, records that can be told apart, and what came back from a scan.
//
// TERN_PUT_LOCK  the put lock of logs and stores whose test names none (the default row); scripts/test sets it

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tern/store/commit_log.hpp"
#include "tern/store/queue.hpp"

#include "store/log_segment.hpp"
#include "support/bytes.hpp"
#include "support/manual_clock.hpp"

namespace tern::store {

/// The next offset is all that the log knows of a queue.
class OffsetsOnly final : public Queue {
 public:
  explicit OffsetsOnly(std::string topic = "TA", std::int32_t id = 0) : topic_(std::move(topic)), id_(id) {}
  [[nodiscard]] const std::string& topic() const noexcept override { return topic_; }
  [[nodiscard]] std::int32_t id() const noexcept override { return id_; }
  [[nodiscard]] bool is_deleted() const noexcept override { return false; }
  Status append(QueueOffset, const QueueEntry&) override { return {}; }
  [[nodiscard]] QueueBounds bounds() const noexcept override { return {}; }
  Result<std::size_t> read(QueueOffset, std::span<QueueEntry>, bool) const override { return std::size_t{0}; }

 private:
  const std::string topic_;
  const std::int32_t id_;
};

/// kBareSize bytes plus body and properties.
inline message::RecordParts parts_of(std::string_view body, std::string_view topic = "TA",
                                     std::string_view properties = "") {
  message::RecordParts parts;
  parts.topic = topic;
  parts.born_timestamp = 1'600'000'000'000;
  parts.born_host.address = {127, 0, 0, 1};
  parts.born_host.port = 59694;
  parts.store_host.address = {127, 0, 0, 1};
  parts.store_host.port = 10911;
  parts.body = test::bytes_of(body);
  parts.properties = properties;
  return parts;
}
inline constexpr std::int64_t kBareSize = 93;  // of a record of topic TA without body and properties

inline LogOptions small_log(std::string directory, std::int64_t segment_size = 4096) {
  LogOptions options;
  options.directory = std::move(directory);
  options.segment_size_bytes = segment_size;
  options.prepare_ahead_bytes = 8192;
  options.hot_bytes = 8192;
  if (const auto* const put_lock = std::getenv("TERN_PUT_LOCK")) options.put_strategy = std::string_view(put_lock);
  return options;
}

struct Scanned {
  std::vector<std::string> bodies;
  std::vector<LogPosition> positions;
  std::vector<std::int64_t> queue_offsets;
  std::vector<std::int64_t> store_timestamps;
  LogPosition end;
};

inline Scanned scan_all(CommitLog& log, message::BodyCheck check = message::BodyCheck::kVerifyCrc) {
  Scanned scanned;
  const auto end = log.scan(log.min_position(), check, [&](const message::RecordView& record, LogPosition position) {
    scanned.bodies.push_back(test::text_of(record.body));
    scanned.positions.push_back(position);
    scanned.queue_offsets.push_back(record.queue_offset);
    scanned.store_timestamps.push_back(record.store_timestamp);
    return true;
  });
  EXPECT_TRUE(end) << end.error().text();
  if (end) scanned.end = *end;
  return scanned;
}

/// A log that is opened, scanned and started where the scan ended.
struct OpenedLog {
  std::unique_ptr<CommitLog> log;
  Scanned found;
  std::string problem;
};

inline OpenedLog open_log(file::Disk& disk, const Clock& clock, const LogOptions& options) {
  OpenedLog opened;
  auto log = CommitLog::open(disk, clock, options, opened.problem);
  if (!log) {
    if (opened.problem.empty()) opened.problem = log.error().text();
    return opened;
  }
  opened.found = scan_all(**log);
  const auto last = opened.found.store_timestamps.empty() ? 0 : opened.found.store_timestamps.back();
  if (const auto started = (*log)->start(opened.found.end, (*log)->min_position(), last); !started) {
    opened.problem = started.error().text();
    return opened;
  }
  opened.log = std::move(*log);
  return opened;
}

/// Everything that the segments thread would do by now.
inline void prepare(CommitLog& log) {
  while (log.segments_step().done > 0) {
  }
}

/// One group of records with these bodies. The records are in `batch`.
inline void append(CommitLog& log, AppendBatch& batch, const std::shared_ptr<Queue>& queue,
                   const std::vector<std::string>& bodies) {
  batch.clear();
  batch.begin_group();
  for (const auto& body : bodies) EXPECT_TRUE(batch.stage(parts_of(body), queue));
  log.append(batch);
}

/// One record; its placement, or its error.
inline boost::system::result<Placement, Errc> append(CommitLog& log, const std::shared_ptr<Queue>& queue,
                                                     const std::string& body) {
  AppendBatch batch;
  append(log, batch, queue, {body});
  const auto& record = batch.records().front();
  if (record.error) return *record.error;
  return record.placement;
}

}  // namespace tern::store
