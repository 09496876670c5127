#pragma once
// Our own files under <root>/tern/: how far the log is known to be durable, and where each queue stood there. Believed
// only if the digest shows that they belong to the log as it is. docs/format/side_file.md.

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "tern/file/disk.hpp"
#include "tern/store/queue.hpp"
#include "tern/store/types.hpp"

namespace tern::store {

struct SideState {
  LogPosition durable;                    // the log is whole and synced below
  LogPosition dispatched;                 // queues and index files hold everything below, synced; <= durable
  LogPosition indexed;                    // the key index holds everything below, synced; <= dispatched
  std::int64_t last_store_timestamp = 0;  // no record below dispatched has a later one
  bool is_clean = false;                  // written by a clean stop: durable is the end of the log
  bool only_durable = false;              // of queues and index nothing is known: they were being built anew
  std::uint32_t digest = 0;               // CRC-32 of the last <= 4096 bytes below `dispatched` in their segment
  struct QueueState {
    std::string topic;
    std::int32_t id = 0;
    QueueBounds bounds;
    std::int64_t next_offset = 0;            // kept even when the queue holds nothing any more
    QueuePositions positions = {};           // read after bounds; with them opening asks no queue file
    std::optional<EntryRange> entries = {};  // of a batch queue
  };
  std::vector<QueueState> queues;
};

/// <root>/tern/state: binary, versioned, CRC at the end. save() replaces it atomically and durably: after a crash
/// load() gives the state before or the new one. One owner at a time (opening thread, then upkeep).
class SideFile {
 public:
  SideFile(file::Disk& disk, std::string directory);
  /// nullopt: none, or not whole (the reason goes to `why`): the caller scans.
  std::optional<SideState> load(std::string& why);
  Status save(const SideState& state);
  Status remove();

 private:
  file::Disk& disk_;
  std::string directory_;
  bool is_directory_durable_ = false;
};

/// <root>/tern/identity: cluster, broker name and id of the owner.
struct StoreIdentity {
  std::string cluster;
  std::string broker_name;
  std::int64_t broker_id = 0;
  friend bool operator==(const StoreIdentity&, const StoreIdentity&) = default;
};
/// kForeign, with both names in `problem`, if the directory has another identity; without one it is nobody's. Writes
/// nothing.
Status check_identity(file::Disk& disk, const std::string& directory, const StoreIdentity& identity,
                      std::string& problem);
/// The same, and adopts a directory without identity.
Status claim_identity(file::Disk& disk, const std::string& directory, const StoreIdentity& identity,
                      std::string& problem);

/// Who owns the directory, without claiming it; nullopt: nobody yet. kDamaged, with file and line in `problem`.
Result<std::optional<StoreIdentity>> load_identity(file::Disk& disk, const std::string& directory,
                                                   std::string& problem);

/// Apache's <root>/checkpoint: 4096 bytes.
struct Checkpoint {
  std::int64_t log_timestamp = 0;
  std::int64_t queue_timestamp = 0;
  std::int64_t index_timestamp = 0;
  std::int64_t master_flushed_offset = 0;
  std::int64_t confirm_offset = 0;
  std::int64_t queue_position = 0;
};
Result<std::optional<Checkpoint>> load_checkpoint(file::Disk& disk, const std::string& path);
Status save_checkpoint(file::Disk& disk, const std::string& path, const Checkpoint& checkpoint);

}  // namespace tern::store
