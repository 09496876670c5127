#pragma once
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tern/store/store.hpp"

namespace tern::store {

/// Opens what is on the disk and makes it whole: on the opening thread, before anything is served. Two ways:
/// - our side file fits the log (its digest does): queues are what it says, and only the log above its position is
/// read;
/// - otherwise (Apache's broker ran meanwhile, or the file is gone): every record is read once, and each queue is
/// compared
///   with it, or built anew.
class Store::Recovery {
 public:
  Recovery(Store& store, OpenReport& report) : store_(store), report_(report) {}
  boost::system::result<void, OpenProblem> run();
  /// What the state on the disk covers: 0 if there is none, or none that is believed.
  [[nodiscard]] LogPosition covered() const { return report_.used_side_file ? side_->dispatched : LogPosition{0}; }
  /// Of the log's last record, as far as it is known. No record is to be stored with an earlier time than the log's
  /// last_store_timestamp(), but that may be of a record that a power cut took.
  [[nodiscard]] std::int64_t newest_record_timestamp() const;

 private:
  using Outcome = boost::system::result<void, OpenProblem>;
  /// A queue beside the log. Its entries are read some at a time: one read for each would cost more than all the rest.
  struct Compared {
    QueueOffset end;  // behind its last record that was read
    bool is_met = false;
    std::vector<QueueEntry> ahead;  // entries from offset ahead_from on, of which the first ahead_used are done with
    QueueOffset ahead_from;
    std::size_t ahead_used = 0;
  };
  Outcome lock_directory();
  using IdentityStep = decltype(&claim_identity);
  Outcome with_identity(IdentityStep step);
  Outcome refuse_foreign_stores();
  Outcome open_log();
  Outcome tell_claimed();
  Outcome open_parts();
  Outcome complete_index(bool had_keys);
  Outcome check_queue_file_sizes();
  /// The topics' attributes against the queues that there are.
  Outcome check_kinds();
  /// Whether a record with keys stands behind the one at `after`, in front of `before`, and not far away.
  Result<bool> has_keys_between(LogPosition after, LogPosition before);
  Outcome read_log(LogPosition from, LogPosition must_reach, bool compare);
  Status enter_compared(const message::RecordView& record, LogPosition position);
  /// The entry at `offset`, as it was found in the files; null if it cannot be read.
  const QueueEntry* found_entry(QueueOffset offset);
  Status begin_rebuild(LogPosition known);
  Outcome save_only_durable(LogPosition known);
  /// Up to where the log must be whole, by what stands in it.
  Result<LogPosition> known_end();
  [[nodiscard]] LogPosition last_entered() const;
  Outcome unreadable(const Error& error) const;
  Outcome segments_missing(LogPosition known) const;
  Outcome damaged_at(LogPosition tail, std::string_view what) const;
  /// The segment's path, and the byte in it.
  [[nodiscard]] std::pair<std::string, std::int64_t> place_of(LogPosition position) const;
  void tell_cut(LogPosition tail);
  /// Of the queues of which the log that was read holds nothing: entries that point into it.
  Status cut_left_overs();
  Outcome continue_known_queues();
  Outcome continue_emptied_queues();
  void say_progress(LogPosition at, LogPosition end);

  Store& store_;
  OpenReport& report_;
  std::optional<SideState> side_;
  bool has_queue_files_ = false;  // that side_ says; else they are compared with the log, or built anew
  LogPosition known_durable_;     // what the side file says, believed or not
  std::int64_t last_store_timestamp_ = 0;
  std::int64_t scanned_timestamp_ = 0;  // the latest of the records that were read
  std::int64_t next_progress_ms_ = 0;
  std::int64_t checkpoint_timestamp_ = 0;  // Apache's checkpoint: records up to this time were on the disk
  QueuePtr queue_;
  std::vector<IndexKey> keys_;
  std::map<QueuePtr, Compared> compared_;  // the queues of which the log that was read holds records
  Compared* comparing_ = nullptr;          // that of queue_
  Status failure_;
};

/// Why the directory is a store of a kind that this program does not read.
std::optional<std::string> foreign_store(file::Disk& disk, const std::string& root);

/// Where a log's whole records end, and when the youngest of them was stored.
struct LogEnd {
  LogPosition tail;
  LogPosition min_position;
  std::int64_t segment_size = 0;
  std::int64_t last_stored = 0;
};
/// What Apache's checkpoint vouches for: records stored up to then. After a crash less, as Apache's recovery has it.
[[nodiscard]] std::int64_t flushed_time(std::int64_t checkpoint_timestamp, bool was_clean);
/// Whether records must be missing behind that end.
[[nodiscard]] bool is_before_checkpoint(const LogEnd& end, std::int64_t checkpoint_timestamp, bool was_clean);

inline constexpr std::int64_t kDigestBytes = 4096;
/// Where the bytes begin that tie a side file to its log: the last kDigestBytes below `position`, or as many as there
/// are in their segment. Not beyond it, because retention may remove the one before at any time.
inline LogPosition digest_from(LogPosition position, LogPosition min_position, std::int64_t segment_size) {
  if (position <= min_position) return position;
  const auto segment = min_position + (position - 1 - min_position) / segment_size * segment_size;
  return std::max(segment, position - kDigestBytes);
}
/// Their CRC-32. kNotFound below min_position.
Result<std::uint32_t> digest_below(const CommitLog& log, LogPosition position);

}  // namespace tern::store
