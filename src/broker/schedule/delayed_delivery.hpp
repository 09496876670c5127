#pragma once
// Hands delayed messages over when they are due: queue (level - 1) of SCHEDULE_TOPIC_XXXX holds the messages of a
// level, the tag field of their queue entries is the due time. Progress is delayOffset.json.

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "tern/base/clock.hpp"
#include "tern/base/wakeup.hpp"
#include "tern/file/metadata_file.hpp"
#include "tern/store/store.hpp"

#include "broker/data_version.hpp"
#include "broker/schedule/delay_levels.hpp"
#include "broker/send/send_stage.hpp"

namespace tern::broker {

/// Stepped by the timed thread. At any time at most one delivered group per level is on its way, so progress is a plain
/// number per level: it moves when the delivery has been stored, never before.
class DelayedDelivery {
 public:
  using OnIoThread = std::function<void(std::size_t io_thread, std::function<void(SendStage&)>)>;
  DelayedDelivery(const Clock& clock, store::Store& store, const DelayLevels& levels, const BrokerIdentity& identity,
                  file::Disk& disk, std::string path, OnIoThread on_io_thread);
  [[nodiscard]] std::optional<std::string> load();

  /// Delivers what is due now, at most `budget` messages per level. Nothing early: also not when the clock goes back.
  StepResult step(int budget);
  /// Woken when something was scheduled, or a delivery has been stored.
  Wakeup& wakeup() { return wakeup_; }

  [[nodiscard]] std::int64_t offset(int level) const;
  /// Progress as it is now, with the version of the last save.
  [[nodiscard]] protocol::Json to_json() const;
  /// On the blocking thread. Progress is saved only once what it stands for is on the disk: a call notes the progress,
  /// and a later one, when the log is durable up to there, writes it. At a clean stop call it twice, after the log is
  /// closed.
  Status save();

 private:
  struct Level {
    std::atomic<std::int64_t> offset{0};  // next to deliver; stored by the delivery's io thread, read by step and save
    std::atomic<bool> is_under_way{false};  // release by the io thread that ended it, acquire by step
    std::int64_t retry_at_ms = 0;           // timed thread, as the two below
    std::int64_t held_end = 0;  // messages before this offset are due at held_until_ms (steady) at the latest
    std::int64_t held_until_ms = 0;
  };
  /// Messages of one level on their way to one io thread.
  struct Delivery;
  struct Candidate {
    std::vector<std::int64_t> offsets;
    store::LogPosition delivered_by;  // everything that the offsets stand for is below
  };
  std::int64_t step_level(int level, int budget, std::int64_t now);
  /// When the message of a queue entry is due.
  [[nodiscard]] std::int64_t due_of(const store::QueueEntry& entry) const;
  [[nodiscard]] std::vector<std::int64_t> offsets() const;
  [[nodiscard]] protocol::Json to_json(const std::vector<std::int64_t>& offsets) const;

  const Clock& clock_;
  store::Store& store_;
  const DelayLevels& levels_;
  const BrokerIdentity& identity_;
  file::MetadataFile file_;
  const OnIoThread on_io_thread_;
  std::vector<Level> state_;  // by level - 1
  Wakeup wakeup_;
  mutable std::mutex save_mutex_;
  DataVersion version_;  // guarded by save_mutex_, as all below
  std::vector<std::int64_t> saved_;
  std::optional<Candidate> candidate_;
  // Of the file: what we keep and do not read, and the progress of levels that messageDelayLevel does not have by now.
  protocol::Json others_ = protocol::Json::object();
  protocol::Json other_levels_ = protocol::Json::object();
};

}  // namespace tern::broker
