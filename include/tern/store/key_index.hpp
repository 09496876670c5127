#pragma once
// Messages by key: Apache's IndexFile, one hash table per file.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/clock.hpp"
#include "tern/file/disk.hpp"
#include "tern/store/types.hpp"

namespace tern::store {

struct IndexOptions {
  std::string directory;              // <root>/index
  bool is_enabled = true;             // messageIndexEnable
  std::int64_t hash_slots = 0;        // maxHashSlotNum
  std::int64_t entries_max = 0;       // maxIndexNum
  std::size_t pending_max = 1 << 18;  // entries that wait for upkeep: 24 bytes each
};

/// A key of a record, as dispatch hands it over: 24 bytes, no text.
struct IndexKey {
  std::int32_t hash = 0;  // key_hash(topic, key)
  LogPosition position;
  std::int64_t store_timestamp = 0;
};

/// |java_hash(topic#key)|, 0 for the one value that has no absolute.
[[nodiscard]] std::int32_t key_hash(std::string_view topic, std::string_view key) noexcept;
/// The hashes of a record's keys in Apache 5.5.0's order: unique key, each of KEYS, #T#tag.
void collect_keys(std::string_view topic, std::string_view properties, LogPosition position,
                  std::int64_t store_timestamp, std::vector<IndexKey>& to);

/// add() from the holder of the dispatch role; write_step and retention from the upkeep thread; query from any thread
/// that may ask the disk (never an io thread). Entries are found from add() on, also while they wait to be written.
class KeyIndex {
 public:
  /// Unless `last_exit_was_clean` (or a trusted side file stands for it), files with an end later than the checkpoint's
  /// are removed, as Apache's broker does. `synced_to` is for a dirty exit with a trusted side file: its `indexed`.
  /// Then what the newest file holds of later records is looked through, and forgotten if a power cut has torn it.
  static Result<std::unique_ptr<KeyIndex>> open(file::Disk& disk, const Clock& clock, const IndexOptions& options,
                                                bool last_exit_was_clean, std::int64_t checkpoint_index_timestamp,
                                                std::string& problem, LogPosition synced_to = {-1});
  virtual ~KeyIndex() = default;
  /// The records of a file's oldest and newest entry.
  struct Extent {
    LogPosition first;
    LogPosition last;
  };
  /// Of every file that is searched and has entries, oldest first.
  [[nodiscard]] virtual std::vector<Extent> extents() const = 0;
  /// While opening: removes the file that begins with this record, and all newer ones.
  virtual Status remove_from(LogPosition first) = 0;
  /// Recovery, once it knows where the log ends: forgets what points at or past `end`, durably. Other records will
  /// stand there.
  virtual Status truncate_to(LogPosition end) = 0;
  virtual void add(std::span<const IndexKey> keys) = 0;  // in log order
  [[nodiscard]] virtual bool is_pending_full() const noexcept = 0;
  /// Returns how many entries it moved to the files. Fewer than the budget: all that had been pending at the call.
  virtual Result<std::size_t> write_step(std::size_t budget_entries) = 0;
  /// Positions of records that may have the key, newest first, at most `count_max`, with store time in [begin, end].
  struct Found {
    std::vector<LogPosition> positions;
    std::int64_t last_timestamp = 0;
    LogPosition last_position;
  };
  virtual Result<Found> query(std::string_view topic, std::string_view key, int count_max, std::int64_t begin_ms,
                              std::int64_t end_ms) = 0;
  /// All added keys of records before this position are in the index files (durable after sync()). The largest position
  /// there is if nothing waits: take the minimum with what has been dispatched.
  [[nodiscard]] virtual LogPosition written_to() const noexcept = 0;
  virtual Status sync() = 0;
  /// The first sync that failed, if any: none after it succeeds. Upkeep thread.
  [[nodiscard]] virtual Status sync_status() const = 0;
  virtual Status forget_before(LogPosition min_position) = 0;
  [[nodiscard]] virtual std::int64_t checkpoint_timestamp()
      const noexcept = 0;  // for Apache's checkpoint file: end of what is synced
  /// Store time (ms) of the last record of the last file that is full and synced, or of the first one in a file behind
  /// it, to which more keys will be added; 0 if there is no file, the largest there is if keys are not indexed.
  [[nodiscard]] virtual std::int64_t finished_timestamp() const noexcept = 0;
};

}  // namespace tern::store
