#pragma once
// Asks producers about half messages that have not ended, and keeps the progress of this as consumer offsets of
// CID_RMQ_SYS_TRANS, as Apache's broker does.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tern/base/wakeup.hpp"
#include "tern/remoting/peer.hpp"

#include "broker/clients/client_registry.hpp"
#include "broker/offsets/offset_table.hpp"
#include "broker/topics/topic_table.hpp"
#include "broker/transaction/half_message.hpp"
#include "broker/transaction/transactions.hpp"

namespace tern::broker {

/// Stepped by the timed thread. A round goes once over the half messages that stood in their queue when it began; it
/// stops at the first one that is too young to ask about. Who is asked about stands in the queue again, as a copy with
/// a higher count, before the question goes out: so the pass only goes forward, and a crash forgets nobody. At any time
/// at most one group of copies is on its way.
///
/// Bounded, each step: kGroupMax copies or kGroupBytesMax, kLookMax half messages looked at, kPastMax looked up in the
/// key index, kOpsMax op messages or kOpsBytesMax read.
class TransactionCheck {
 public:
  struct Parts {
    Transactions& transactions;
    ClientRegistry& clients;
    OffsetTable& offsets;
    TopicTable& topics;
    const Live<std::int64_t>& reserved_hours;  // fileReservedTime: older half messages are discarded
    Wakeup& wakeup;                            // of the thread that steps
  };
  /// Takes the progress up. After the store has opened and offsets have been clamped.
  explicit TransactionCheck(Parts parts);

  StepResult step();
  /// Writes all marks that wait. Before a clean stop, while the io threads run.
  void write_all_marks();
  /// Gives the offset table what is durable by now. After the log has been closed.
  void settle_progress();

  static constexpr std::size_t kGroupMax = 64;
  static constexpr std::size_t kGroupBytesMax = 1 << 20;
  static constexpr int kLookMax = 4096;
  static constexpr int kPastMax = 16;
  static constexpr int kOpsMax = 64;
  static constexpr std::size_t kOpsBytesMax = 1 << 20;

 private:
  enum class Act : std::uint8_t { kCheck, kWait, kDiscard };
  struct Item {
    std::int64_t half = 0;
    Act act = Act::kCheck;
    std::string record;
  };
  /// Copies on their way to the log, and back.
  struct Group {
    std::vector<Item> items;
    std::size_t bytes = 0;
    std::size_t settled = 0;
    bool has_failed = false;
  };
  using GroupPtr = std::shared_ptr<Group>;
  /// What is to be done about one open half message.
  enum class Verdict : std::uint8_t { kAct, kDone, kStop, kAskLater };

  void export_progress();
  /// False: there is more in the op queue.
  bool read_ops();
  /// One step of the round that is under way: milliseconds until the next.
  std::int64_t look(bool ops_are_read);
  Verdict judge(std::int64_t half, bool ops_are_read, int& looked_up, Item& item);
  void send(GroupPtr group);
  void put_back(const GroupPtr& group, std::size_t index, SendStage& stage);
  void settle(const GroupPtr& group, bool is_stored);
  void ask(const HalfMessage& half, const store::Placement& copy);

  const Parts parts_;
  TransactionMarks& marks_;
  // Timed thread.
  std::optional<std::int64_t> round_end_;  // of the round that is under way: the offset at which it ends
  std::int64_t round_ended_ms_ = 0;        // steady, of the one before
  struct Candidate {
    TransactionMarks::Progress progress;
    store::LogPosition durable_at;  // everything that the progress stands for is below
  };
  std::optional<Candidate> candidate_;
  TransactionMarks::Progress exported_;

  std::atomic<bool> is_under_way_{false};     // release by the io thread that settled the group, acquire by step
  std::atomic<std::int64_t> retry_at_ms_{0};  // relaxed: stored before that release, read behind that acquire
  std::uint64_t last_asked_ = 0;              // io thread 0, to which all groups go: whose turn it was
};

}  // namespace tern::broker
