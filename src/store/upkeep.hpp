#pragma once
#include <set>

#include "tern/base/log.hpp"
#include "tern/store/store.hpp"

namespace tern::store {

/// What keeps a running store in shape, in slices: queue files and index written, side file and checkpoint saved, space
/// watched, old segments removed. All of it on the upkeep thread.
class Store::Upkeep {
 public:
  /// `covered`: what the state on the disk covers, 0 if there is none.
  Upkeep(Store& store, LogPosition covered, std::int64_t newest_timestamp);
  StepResult step();
  /// Writes until dispatch may go on.
  void make_room();
  /// Any thread. The saved state forgets the topic first: otherwise, after a crash, it would speak of queue files that
  /// the topic's next life has replaced.
  Status remove_topic(std::string_view topic) TERN_EXCLUDES(state_lock_);
  /// Clean stop: everything written, synced, saved; abort removed if `log_is_synced`.
  Status finish(bool log_is_synced);

 private:
  /// A save goes through these in order, so that what the side file says is on the disk before it says it.
  enum class Round : std::uint8_t { kIdle, kWriting, kSyncing };
  void begin_round() TERN_EXCLUDES(state_lock_);
  Status advance_round() TERN_EXCLUDES(state_lock_);
  Status save(const SideState& state) TERN_REQUIRES(state_lock_);
  /// The queues as they stood at `dispatched`.
  Result<SideState> snapshot() const;
  /// Notes how far, by store time, queues and log are on the disk once `state` is saved.
  void note_covered_time(LogPosition dispatched);
  [[nodiscard]] LogPosition pending_dispatched() const TERN_EXCLUDES(state_lock_);
  /// How far the state could be saved now: dispatched and durable.
  [[nodiscard]] LogPosition savable_to() const;
  void watch_space();
  void remove_expired() TERN_EXCLUDES(state_lock_);
  void forget_removed();
  void report(const char* what, const Status& status);

  Store& store_;
  const std::int64_t lag_bytes_max_;  // arrived since the last save, or not yet in the key index's files
  LogPosition indexed_;               // the key index is on the disk up to here
  std::int64_t next_index_sync_ms_ = 0;
  mutable Mutex state_lock_;
  SideFile side_file_ TERN_GUARDED_BY(state_lock_);
  SideState pending_ TERN_GUARDED_BY(state_lock_);
  Round round_ = Round::kIdle;
  /// A store time, and a position behind the last record up to that time.
  struct TimeMark {
    LogPosition position;
    std::int64_t timestamp = 0;
  };
  TimeMark last_mark_;
  std::int64_t covered_timestamp_ = 0;
  LogPosition saved_;
  LogPosition begun_;  // savable_to() when the last save was begun, whatever became of it
  LogPosition covered_ TERN_GUARDED_BY(state_lock_);  // the state on the disk says where queues stood here
  std::int64_t next_round_ms_ = 0;
  std::int64_t next_space_ms_ = 0;
  bool refuses_for_space_ = false;  // as was logged last
  std::int64_t next_retention_ms_ = 0;
  bool expires_now_ = false;  // whatever the hour
  std::set<int> delete_hours_;
  LogRateLimit failures_;
};

}  // namespace tern::store
