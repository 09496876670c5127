#pragma once
// Delivers messages at a time of their own. Until then they stand in queue 0 of rmq_sys_wheel_timer; from there they
// are entered into the wheel, and when their slot is due they become messages of their real topic.

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "tern/base/clock.hpp"
#include "tern/base/thread_annotations.hpp"
#include "tern/base/wakeup.hpp"
#include "tern/file/metadata_file.hpp"
#include "tern/store/store.hpp"

#include "broker/send/send_stage.hpp"
#include "broker/timer/timer_checkpoint.hpp"
#include "broker/timer/timer_log.hpp"
#include "broker/timer/timer_message.hpp"
#include "broker/timer/timer_metrics.hpp"
#include "broker/timer/timer_options.hpp"
#include "broker/timer/timer_wheel.hpp"

namespace tern::broker {

/// Stepped by the timed thread. Nothing is early, also not when the clock goes back: a slot is delivered once its whole
/// time is over, by the wall clock. At any time at most one group of deliveries is on its way to the log.
///
/// What is saved is a moment at which nothing was on its way: which messages of the queue have been entered, the units
/// of the timer log up to there, the slots that wait. It is written once all that it stands for is durable. So a start
/// continues from the files and replays the queue from there: after a clean stop nothing is missing and nothing comes
/// twice; after a kill what was delivered since the last save, and the slot under way, may come again.
///
/// Bounded, each step: kGroupMax messages or kGroupBytesMax delivered, kLookMax entered, kWalkMax units of a slot
/// looked at. In memory: the slots that wait, kUnwrittenMax bytes of units, and the positions of one slot's messages.
class Timers {
 public:
  using OnIoThread = std::function<void(std::size_t io_thread, std::function<void(SendStage&)>)>;
  struct Parts {
    const Clock& clock;
    store::Store& store;
    const TimerOptions& options;
    const BrokerIdentity& identity;
    file::Disk& disk;
    std::string root;  // of the store
    OnIoThread on_io_thread;
    Wakeup& wakeup;  // of the thread that steps
  };
  explicit Timers(Parts parts);
  ~Timers();
  /// Before serving, after the store has opened. The text says why start-up must stop.
  [[nodiscard]] std::optional<std::string> load();

  StepResult step();
  /// A timer message is on its way into the log. Any thread.
  void nudge();

  /// From the timed thread: true if save() has something to do now; then it, or abandon_save(), must follow.
  [[nodiscard]] bool begin_save();
  void abandon_save() { is_saving_.store(false, std::memory_order_relaxed); }
  /// On the blocking thread.
  Status save();
  /// At a clean stop, after the log is closed and all other threads have ended: puts back what was on its way, and
  /// saves.
  Status save_all();

  /// Messages whose TIMER_OUT_MS is this. Any thread, as all below.
  [[nodiscard]] std::int64_t count_at(std::int64_t out_ms) const;
  struct Counts {
    std::int64_t waiting = 0;         // in the wheel
    std::int64_t offset_behind = 0;   // in the queue, not entered
    std::int64_t read_behind_ms = 0;  // how long the first slot that is due has been so
    std::int64_t entered = 0;         // since the start
    std::int64_t delivered = 0;
  };
  [[nodiscard]] Counts counts() const;
  [[nodiscard]] protocol::Json metrics() const;

  static constexpr std::size_t kGroupMax = 512;
  static constexpr std::size_t kGroupBytesMax = 1 << 20;
  static constexpr int kLookMax = 1024;
  static constexpr std::size_t kLookBytesMax = 4 << 20;
  static constexpr int kWalkMax = 4096;
  static constexpr int kCancelsReadMax = 256;
  static constexpr std::size_t kCancelsMax = 200'000;  // of one slot, and the next of one key: more is not heeded
  static constexpr std::size_t kCancelKeyMax = 1024;
  static constexpr int kSlotsMax = 1024;
  static constexpr int kPlaceMax = 64;           // slots tried for a message whose own has no place in the file
  static constexpr std::int64_t kRetryMs = 100;  // after what could not be stored or read
  static constexpr std::int64_t kUnwrittenMax = 4 << 20;

 private:
  /// One message that is due.
  struct Due {
    std::int64_t position = 0;  // of its record in the log
    std::int32_t size = 0;
    std::int64_t entered_ms = 0;  // INT64_MAX: never
    bool rolls = false;
    bool is_counted = false;            // in the metrics
    std::string topic = {};             // where it belongs; known once its record was read
    std::int64_t old_precision_ms = 0;  // other than 0: of its TIMER_OUT_MS, which becomes one of today's
  };
  struct Item {
    Due due;
    std::string record;
    bool is_settled = false;
  };
  /// On its way to an io thread and back.
  struct Group {
    std::vector<Item> items;
    std::size_t bytes = 0;
    std::size_t settled = 0;
    std::int64_t now_ms = 0;
    bool has_failed = false;
  };
  /// The slot whose messages are being handed over.
  struct Work {
    std::int64_t slot_ms = 0;
    std::int64_t old_precision_ms = 0;  // other than 0: the slot is of that
    std::int64_t walk_at = -1;          // the next unit of the chain to look at
    std::vector<std::int64_t> units;    // of messages, the newest first: taken from the back
    std::vector<std::int64_t> cancels;  // units of those that cancel others
    std::size_t cancels_read = 0;
    std::unordered_set<std::string> cancelled;  // keys
    bool has_begun = false;                     // something was handed over
  };
  /// What is saved.
  struct Candidate {
    store::LogPosition durable_at;  // everything that it stands for is below
    TimerCheckpoint checkpoint;
    std::vector<TimerWheel::Page> pages;
    std::string metrics;
  };
  enum class Take : std::uint8_t { kTaken, kDropped, kLater };

  // ---- timers.cpp
  void take_back();
  void collect_late(Group& group);
  /// True: there is more that is due.
  bool collect_due(Group& group);
  bool pick(std::int64_t now);
  /// False: not finished.
  bool walk();
  bool read_cancels();
  /// `cancelled`: keys that its slot's other messages cancel; null: none.
  Take take(Due due, Group& group, const std::unordered_set<std::string>* cancelled);
  void retry_later() { retry_at_ms_ = parts_.clock.steady_ms() + kRetryMs; }
  void send(std::shared_ptr<Group> group);
  void put(const std::shared_ptr<Group>& group, std::size_t index, SendStage& stage);
  void settle(const std::shared_ptr<Group>& group, std::size_t index, bool is_stored);
  [[nodiscard]] bool is_full(const Group& group) const {
    return group.items.size() >= kGroupMax || group.bytes >= kGroupBytesMax;
  }
  // ---- save.cpp
  void prepare_candidate(bool is_last) TERN_EXCLUDES(mutex_);
  Status write(const Candidate& candidate);
  Status write_pages(const std::vector<TimerWheel::Page>& pages);
  void put_back(const Due& due) TERN_REQUIRES(mutex_);
  void put_back_work() TERN_REQUIRES(mutex_);
  void end_log() TERN_REQUIRES(mutex_);
  [[nodiscard]] std::int64_t first_slot(std::int64_t now) const TERN_REQUIRES(mutex_);
  // ---- enter.cpp
  /// Messages of the queue into the wheel. True: there is more.
  bool enter(std::int64_t now);
  /// False: not now.
  bool enter_one(const TimerMessage& timed, std::int64_t offset, std::int64_t now);
  /// A slot for a message that is due in `slot_ms`: that one, or an earlier one from which it will be rolled.
  std::optional<std::int64_t> place(std::int64_t slot_ms, std::int64_t now, bool& rolls) const TERN_REQUIRES(mutex_);
  [[nodiscard]] std::int64_t floor_ms(std::int64_t ms) const { return ms / precision_ms_ * precision_ms_; }
  // ---- recovery.cpp
  std::optional<std::string> load_checkpoint();
  std::optional<std::string> load_wheel() TERN_REQUIRES(mutex_);
  std::int64_t follow_log() TERN_REQUIRES(mutex_);
  std::optional<std::string> take_slots(std::vector<TimerWheel::Stored> stored, std::int64_t end) TERN_REQUIRES(mutex_);
  std::optional<std::string> rebuild(std::string_view why) TERN_REQUIRES(mutex_);

  const Parts parts_;
  const std::int64_t precision_ms_;
  const std::int64_t window_ms_;
  file::MetadataFile checkpoint_file_;
  file::MetadataFile metrics_file_;
  const std::string wheel_path_;
  TimerLog log_;

  mutable Mutex mutex_;
  TimerWheel wheel_ TERN_GUARDED_BY(mutex_);
  TimerCheckpoint point_ TERN_GUARDED_BY(mutex_);  // queue_offset is where the next message to enter is
  TimerMetrics metrics_ TERN_GUARDED_BY(mutex_);
  std::optional<Candidate> candidate_ TERN_GUARDED_BY(mutex_);
  bool has_changed_ TERN_GUARDED_BY(mutex_) = false;  // since the last candidate

  // Timed thread.
  std::optional<Work> work_;
  std::deque<Due> late_;          // to be delivered before anything else
  std::shared_ptr<Group> group_;  // the last that was sent
  std::int64_t retry_at_ms_ = 0;  // steady, as the next three
  std::int64_t next_save_ms_ = 0;
  std::int64_t look_until_ms_ = 0;
  std::int64_t save_retry_at_ms_ = 0;
  struct LastEntered {
    std::int64_t position = -1;  // -1: none since the start
    std::int32_t size = 0;
    bool has_unit = false;
  };
  LastEntered last_entered_;
  std::int64_t last_unit_end_ = 0;  // where the log ended with the last message that got a unit
  // Messages below this offset were stored when the precision was another.
  std::int64_t old_end_ = 0;
  std::int64_t old_precision_ms_ = 0;
  // Messages below this offset whose slot is before rebuild_read_ms_ were delivered before the wheel was lost.
  std::int64_t rebuild_end_ = 0;
  std::int64_t rebuild_read_ms_ = 0;

  std::atomic<bool> is_under_way_{false};  // release by the io thread that settled the group, acquire by step
  std::atomic<bool> is_nudged_{false};     // relaxed: step looks at the queue anyway
  std::atomic<bool> is_saving_{false};     // relaxed: what is saved is under mutex_
  std::atomic<bool> save_failed_{false};   // likewise
  std::atomic<std::int64_t> entered_{0};   // relaxed: numbers for people
  std::atomic<std::int64_t> delivered_{0};
  // Blocking thread.
  std::unique_ptr<file::File> wheel_file_;
  std::int64_t next_clean_ms_ = 0;
};

}  // namespace tern::broker
