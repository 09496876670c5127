#pragma once
// One walk over a store that compares everything with everything else. For Inspector::verify().

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "store/inspect/ext_units.hpp"
#include "store/inspect/index_reader.hpp"
#include "store/inspect/log_reader.hpp"
#include "store/inspect/queue_reader.hpp"
#include "store/inspect/store_files.hpp"

namespace tern::store {

/// What the small files of a store say; read before the large ones are listed.
struct StoreFacts {
  StoreUse use = StoreUse::kStopped;
  std::optional<std::int64_t> lock_holder;
  std::optional<SideState> state;
  std::string state_problem;  // there is a state file, and it cannot be read
  bool state_fits = false;    // its digest is that of the log
  std::optional<Checkpoint> checkpoint;
  bool has_apache_been_here = false;  // since this store was made, or before
};

class Verification {
 public:
  Verification(file::Disk& disk, const InspectOptions& options, const StoreFacts& facts, const StoreFiles& files,
               VerifyReport& report, const Inspector::Progress& progress);
  Status run();

 private:
  /// A queue's entries while the log is walked.
  struct Walked {
    explicit Walked(QueueReader with) : reader(std::move(with)), next(reader.begin()) {}
    QueueReader reader;
    std::int64_t next;  // offset of the first entry that no record has been met for
    std::int64_t first_seen = -1;
    LogPosition begins_at{-1};            // its first entry's record is there, as was seen in the log
    std::int64_t records_of_earlier = 0;  // of a topic of this name that was deleted before
    std::optional<ExtUnits> extension = {};
  };
  struct Gap {
    LogPosition from;
    LogPosition to;
  };
  using Name = std::pair<std::string, std::int32_t>;
  struct NameLess {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      const int order = std::string_view(a.first).compare(b.first);
      return order != 0 ? order < 0 : a.second < b.second;
    }
  };
  using NameView = std::pair<std::string_view, std::int32_t>;

  void damage(const Place& place, std::int64_t size, LogPosition position, std::string text);
  void note(std::string file, std::string text, LogPosition position = {-1});
  void add(Finding finding);
  /// Also beyond the most that are named. A repair has to know where the log breaks off, once in each segment, and of
  /// both versions of a metadata file whether they are whole.
  void add_always(Finding finding);
  void advance(std::int64_t bytes);

  void set_bounds();
  Status walk_log();
  /// The records of the segment end at `at` without a blank: damage, or the end of the log?
  Result<bool> is_damage(LogPosition at);
  [[nodiscard]] bool is_older_than_checkpoint(LogPosition at) const;
  Status look_at_tail();
  Status check_record(const message::RecordView& record, LogPosition position);
  Status check_entry(const message::RecordView& record, LogPosition position);
  /// Whether the record is of a topic that was deleted and then made again: the queue's first entry is that of a later
  /// record, which has no larger offset.
  Result<bool> is_of_earlier(LogPosition position, std::int64_t offset, const std::optional<QueueEntry>& next,
                             Walked& walked);
  /// The same in a batch queue, whose entries do not stand where a record's offset says.
  Status check_batch_entry(const message::RecordView& record, LogPosition position, Walked& walked);
  /// The tag code of the queue's entry `next`, there or in the unit that it names.
  Status check_tags(const message::RecordView& record, LogPosition position, const QueueEntry& entry, Walked& walked);
  Status check_keys(const message::RecordView& record, LogPosition position);
  void check_key(const IndexEntries::Item& item, const message::RecordView& record);
  /// Over entries that are there to be before the log's first record; the next one, if there is one.
  Result<std::optional<QueueEntry>> next_entry(Walked& walked);
  /// Of entries [walked.next, to), for which no record was met. False: the rest need not be looked at.
  Status pass_unmatched(Walked& walked, std::int64_t to);
  bool unmatched(const Walked& walked, std::int64_t offset, const QueueEntry& entry);
  void missing_file(const std::string& path, LogPosition position, const std::string& text);
  [[nodiscard]] const std::string& directory_of_missing(const Name& name) const;
  Status finish_queues();
  void finish_missing_queues();
  Status finish_keys();
  Status check_index();
  void check_state();
  Status check_metadata();
  Status list_unread();
  Status check_checkpoint();
  [[nodiscard]] bool is_strict(const message::RecordView& record, LogPosition position) const;
  [[nodiscard]] bool is_skipped(LogPosition position) const;
  /// Whether retention has taken what stood there since the files were listed.
  [[nodiscard]] bool is_gone(LogPosition position);

  file::Disk& disk_;
  const InspectOptions& options_;
  const StoreFacts& facts_;
  const StoreFiles& files_;
  VerifyReport& report_;
  const Inspector::Progress& progress_;
  std::map<std::string, int, std::less<>> named_;  // damaged files, and how many findings say so
  int named_damages_ = 0;
  int notes_ = 0;
  std::int64_t done_bytes_ = 0;
  std::int64_t total_bytes_ = 0;

  LogReader log_;
  LogPosition walk_to_;         // no record at or behind it is looked at
  LogPosition must_reach_;      // a record below it that is not whole is damage
  LogPosition strict_to_;       // records below it are in their queue...
  LogPosition keys_strict_to_;  // ... and have their keys
  bool has_saved_positions_ = false;
  std::int64_t flushed_time_ = 0;  // without a state file: so are those up to this store time
  LogPosition stopped_at_;         // behind the last whole record
  std::vector<Gap> gaps_;          // damaged, up to where it went on
  LogPosition gone_below_;         // what retention has removed meanwhile
  std::int64_t last_store_timestamp_ = 0;

  std::map<Name, Walked, NameLess> queues_;
  Walked* last_queue_ = nullptr;  // of the last record
  struct Missing {
    LogPosition first;
    std::int64_t records = 0;
  };
  std::map<Name, Missing> missing_queues_;
  std::set<std::string> missing_files_;
  std::string extension_;  // the directory of extension files, if there is one

  IndexEntries keys_;
  std::vector<Finding> index_findings_;  // of the files by themselves
  std::vector<IndexKey> expected_;
  LogPosition keys_from_{INT64_MAX};  // the first that is indexed
  LogPosition last_keyed_{-1};        // of an entry that a record was met for
  std::int64_t records_before_keys_ = 0;
  std::string last_index_path_;
  std::int64_t counted_bytes_ = 0;  // not yet told to progress_
};

}  // namespace tern::store
