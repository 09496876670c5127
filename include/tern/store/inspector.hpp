#pragma once
// Looks at a store without touching it: what it consists of, whether it is whole, what a position or a queue holds.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tern/file/disk.hpp"
#include "tern/message/record.hpp"
#include "tern/store/side_file.hpp"
#include "tern/store/store.hpp"

namespace tern::store {

/// A file below <root>/config. The store does not read JSON; who can says what is wrong with a content.
struct MetadataRule {
  std::string name;         // "topics.json"; empty: all files that no other rule names
  bool must_exist = false;  // as soon as the log has messages
  std::function<std::optional<std::string>(std::string_view content)> check;
};

struct InspectOptions {
  std::string root;
  // Empty: the usual ones in `root`.
  std::string log_directory;
  std::string queue_directory;
  std::string batch_queue_directory;
  std::string index_directory;
  // As configured; 0: taken from the files themselves.
  std::int64_t segment_size_bytes = 0;
  std::int64_t queue_file_size_bytes = 0;
  std::int64_t batch_queue_file_size_bytes = 0;
  // As configured; 0: the defaults. An index file does not say how many slots it has, so files of another size are then
  // passed over.
  std::int64_t index_slots = 0;
  std::int64_t index_entries_max = 0;
  std::vector<MetadataRule> metadata;
};

/// One thing that was found: damage, or something that is as it may be but worth knowing.
struct Finding {
  bool is_damage = true;
  std::string file;
  std::int64_t at = -1;      // the first byte in doubt; -1: the whole file
  std::int64_t size = 0;     // how many bytes are; 0: not known
  LogPosition position{-1};  // the same byte, or the record in question, as a position of the log
  std::string text;
};

enum class StoreUse : std::uint8_t {
  kStopped,  // by a clean stop: nothing but the truth may be there
  kRunning,  // a process holds its lock: what is not saved yet is not looked at
  kCrashed,  // neither: the next start cuts what was torn and builds what is missing
};

struct StoreOverview {
  std::string root;
  StoreUse use = StoreUse::kStopped;
  std::optional<std::int64_t> lock_holder;  // process id, 0 if not known
  std::optional<StoreIdentity> identity;
  std::optional<SideState> state;  // of <root>/tern/state, whether its digest fits or not
  bool state_fits = false;         // its digest is that of the log
  std::optional<Checkpoint> checkpoint;

  std::int64_t segment_size_bytes = 0;
  struct Segment {
    std::string path;
    LogPosition start;
    std::int64_t size = 0;
    std::optional<std::int64_t> first_store_timestamp;  // if a whole record begins it
    LogPosition records_end{-1};  // -1: not known; of the last with records, what the state file knows
  };
  std::vector<Segment> segments;

  std::int64_t queue_file_size_bytes = 0;
  std::int64_t batch_queue_file_size_bytes = 0;
  struct Queue {
    std::string topic;
    std::int32_t id = 0;
    QueueKind kind = QueueKind::kSimple;
    QueueBounds bounds;  // as the files say it; those of a running store are up to a second behind
    std::size_t files = 0;
  };
  std::vector<Queue> queues;

  struct Index {
    std::string path;
    std::int64_t size = 0;
    std::int32_t entries = 0;
    LogPosition first;
    LogPosition last;
    std::int64_t first_store_timestamp = 0;
    std::int64_t last_store_timestamp = 0;
  };
  std::vector<Index> index_files;

  struct Metadata {
    std::string path;
    std::int64_t size = 0;
    std::optional<std::string> problem;
  };
  std::vector<Metadata> metadata;
  std::vector<Finding> findings;  // wrong names and sizes
};

struct VerifyReport {
  /// In the order they were met, the log's first. Of damage at most kFindingsMax, and of one file at most
  /// kFindingsPerFile, but each place where the log breaks off and each metadata file; of the rest at most
  /// kFindingsMax.
  std::vector<Finding> findings;
  std::int64_t damages = 0;          // also those beyond
  std::int64_t unnamed_damages = 0;  // of them, those in files that no finding says are damaged
  LogPosition from;
  LogPosition to;  // records were looked at up to here
  std::int64_t records = 0;
  std::int64_t records_behind_damage = 0;  // of them, behind the log's first damage: those of later segments
  LogPosition known_end;                   // where the log ends, or was known to
  std::int64_t queue_entries = 0;
  std::int64_t index_keys = 0;
  std::vector<std::string> unread;  // what stands in the store and was not looked at
  static constexpr int kFindingsMax = 100;
  static constexpr int kFindingsPerFile = 10;

  [[nodiscard]] bool is_whole() const { return damages == 0; }
  [[nodiscard]] const Finding* first_damage() const;
};

/// What stands at a position of the log.
struct Held {
  enum class Kind : std::uint8_t {
    kRecord,
    kBlank,    // the rest of a segment
    kZeros,    // nothing was written here
    kDamaged,  // what begins here is no whole record
  };
  Kind kind = Kind::kZeros;
  LogPosition start;      // of the record or blank that the position is a part of
  std::int64_t size = 0;  // of it; of zeros and damage, up to the end of the segment
  std::string file;
  std::int64_t at = 0;  // of `start` in the file
  std::string bytes;    // of a record
  std::string problem;  // of damage
};

struct HeldEntry {
  QueueOffset offset;  // the first of entry.count
  QueueEntry entry;
  std::string file;
  std::int64_t at = 0;
  std::optional<Held> held;  // nullopt: the position is not in the log
};

/// Opens files for reading only, takes no lock, creates and changes nothing; the store may be running, in another
/// process (the lock of one that runs in this process would be let go). Everything from one thread. What is wrong with
/// the store is a finding; an Error is a disk that does not answer.
class Inspector {
 public:
  /// Lists what there is. kNotFound: no store; kForeign: one of another kind.
  static boost::system::result<std::unique_ptr<Inspector>, OpenProblem> open(file::Disk& disk,
                                                                             const InspectOptions& options);
  ~Inspector();

  /// As it was found by open().
  [[nodiscard]] StoreUse use() const;
  /// Of a running store; 0: not known.
  [[nodiscard]] std::int64_t lock_holder() const;

  /// Some of what there is, looked at or copied, out of all of it.
  using Progress = std::function<void(std::int64_t done, std::int64_t total)>;

  /// `progress` counts queues, whose files are opened.
  Result<StoreOverview> overview(const Progress& progress = {});

  /// Walks the log once and compares with it every queue entry and every key; then state, checkpoint, identity and
  /// metadata. A running store is verified up to what its state file said was dispatched. `progress` counts
  /// bytes, every MiB or so.
  Result<VerifyReport> verify(const Progress& progress);

  /// kNotFound outside of the log.
  Result<Held> at(LogPosition position);
  /// Up to `count` entries from `from` on, as far as the files have them; false from `visit` ends it. kNotFound: no
  /// such queue.
  Status entries(std::string_view topic, std::int32_t id, QueueOffset from, std::int64_t count,
                 const std::function<bool(const HeldEntry&)>& visit);

 private:
  struct Parts;
  explicit Inspector(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace tern::store
