#pragma once
// Brings messages back whose invisible time has passed: copies in the group's retry topic, after which an
// acknowledgement says in the revive topic that the originals are done. And what POP finds there at the start.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tern/base/wakeup.hpp"

#include "broker/pop/pop.hpp"

namespace tern::broker {

/// Stepped by the timed thread. Its progress is, as Apache's, an offset of CID_RMQ_SYS_REVIVE_GROUP for each queue of
/// the revive topic: the last record that is not needed any more. It moves on only once what it stands for is durable.
///
/// Bounded, each step: kGroupMax checkpoints, whose messages have kGroupBytesMax, are on their way at a time.
class Reviver final : public store::ArrivalListener {
 public:
  explicit Reviver(Pop& pop);
  /// After the store has opened and offsets have been clamped, before serving: reads the revive topic from the saved
  /// progress on. Checkpoints that were stored after the offsets had been saved last (a crash) move these on.
  void load();

  StepResult step();
  /// Records came to the revive topic by themselves: Apache's timer had them. Dispatch role.
  void arrived(const store::Arrival& arrival) override;
  void arrived_done() override {}
  /// Just before the consumer offsets are saved: notes up to where they tell of all checkpoints.
  void mark_offsets();
  /// Gives the offset table what is durable by now. After the log has been closed.
  void settle_progress();

  static constexpr std::size_t kGroupMax = 64;
  static constexpr std::size_t kGroupBytesMax = 1 << 20;
  static constexpr std::int64_t kBehindMax = 100'000;  // records that one checkpoint may keep needed

 private:
  struct Item {
    PopLedger::Due due;
    std::vector<std::int64_t> done;  // need no copy any more
    struct Copy {
      std::int64_t offset = 0;
      std::string record;
    };
    std::vector<Copy> copies;
    std::size_t unsettled = 0;
    bool has_failed = false;  // a message could not be read, or its copy not stored
  };
  struct Group {
    std::vector<Item> items;
    std::size_t open = 0;
  };
  using GroupPtr = std::shared_ptr<Group>;
  struct Place {
    std::int32_t queue_id = 0;
    std::int64_t offset = 0;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  using Progress = std::map<std::int32_t, std::int64_t>;  // by revive queue: the first needed offset

  void read_foreign();
  /// False: it cannot be read now.
  bool take_record(const store::Queue& queue, std::int64_t offset, std::int64_t raises_from);
  void raise_offset(const Checkpoint& checkpoint);
  std::size_t collect(Item& item);
  void send(const GroupPtr& group);
  void put_back(const GroupPtr& group, Item& item, const Item::Copy& copy, SendStage& stage);
  void copies_settled(const GroupPtr& group, Item& item, SendStage& stage);
  void settle(const GroupPtr& group, Item& item);
  void move_laggards();
  [[nodiscard]] Progress progress() const;
  void export_progress();

  Pop& pop_;
  // Timed thread.
  struct Candidate {
    Progress progress;
    store::LogPosition durable_at;  // everything that the progress stands for is below
  };
  std::optional<Candidate> candidate_;
  Progress exported_;
  std::atomic<bool> is_under_way_{false};  // release by the io thread that settled the group, acquire by step
  std::atomic<int> moving_{0};             // likewise, of the checkpoints that are written again

  mutable std::mutex foreign_mutex_;
  std::vector<Place> foreign_;  // guarded by foreign_mutex_: records to be read

  // mark_offsets(), on the blocking thread.
  struct Mark {
    Progress ends;
    PopLedger::Id began_before = 0;  // all checkpoints that had begun
  };
  std::optional<Mark> mark_;
};

}  // namespace tern::broker
