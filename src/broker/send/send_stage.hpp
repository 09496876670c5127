#pragma once
// The sends of one io thread between request and answer: staged in the turn's batch, appended once at its end, answered
// when the flush policy's event has happened.

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "tern/base/clock.hpp"
#include "tern/message/message_id.hpp"
#include "tern/remoting/request.hpp"
#include "tern/store/store.hpp"

#include "broker/identity.hpp"

namespace tern::broker {

/// What became of one send: a single message or a whole batch.
struct PutOutcome {
  std::optional<store::Errc> error;
  bool flush_timed_out = false;  // stored, but whether it is on the disk is unknown
  store::Placement placement;    // of the first record
  [[nodiscard]] bool is_stored() const { return !error; }
};

/// One per io thread; only that thread calls it. Its batch is appended at the end of the turn, or earlier when it is
/// full; with groupAppendEnable=false, with each send.
class SendStage {
 public:
  SendStage(store::Store& store, const BrokerOptions& options, const BrokerIdentity& identity, const Clock& clock,
            std::uint64_t unique_key_seed);

  /// A producer's send. `parts` in order are one group; `unique_key` goes back as transactionId if not empty, and
  /// `queue_id` in any case: a delayed message stands in another queue. `recall_handle` goes back if not empty. False
  /// if a record cannot be built: the caller still has the reply.
  bool send(remoting::Reply& reply, std::span<const message::RecordParts> parts, bool wait_for_durable,
            std::string_view unique_key, std::int32_t queue_id, std::string recall_handle = {});
  /// A send of the broker itself (retry, delayed delivery, dead letter). `done` runs on this thread.
  using Done = std::function<void(const PutOutcome&)>;
  bool send(const message::RecordParts& part, bool wait_for_durable, Done done);

  /// Appends what is staged, answers what may be answered now. True if dispatch() should run.
  bool append();
  /// The published position has moved past records that another thread had appended before (CommitLog::on_published).
  void answer_published();
  /// The durable position has moved, or the log has become read-only.
  void answer_durable();
  /// Waits that are older than syncFlushTimeout are answered FLUSH_DISK_TIMEOUT; stalled groups that are older than
  /// osPageCacheBusyTimeOutMills are answered busy. From a tick.
  void expire();
  [[nodiscard]] bool has_stalled() const { return !stalled_.empty(); }
  [[nodiscard]] message::UniqueKeyMaker& unique_keys() { return unique_keys_; }
  [[nodiscard]] std::string& scratch() { return scratch_; }  // for property strings; valid until the next use
  [[nodiscard]] bool appends_crc() const { return store_.appends_crc(); }
  [[nodiscard]] std::size_t waiting() const { return durable_.size() + published_.size(); }

 private:
  /// Who waits for a group.
  struct Waiter {
    remoting::Reply reply;
    Done done;
    bool wait_for_durable = false;
    boost::container::small_vector<char, 48> unique_key;  // Java's have 32 characters
    std::int64_t since_ms = 0;
    bool is_inner_batch = false;  // the key is that of one record with several messages
    std::int32_t queue_id = 0;
    std::string recall_handle = {};
  };
  struct Batch {
    store::AppendBatch records;
    std::vector<Waiter> waiters;  // one per group
    std::size_t answered = 0;     // groups whose outcome has been dealt with
  };
  struct Wait {
    store::LogPosition end;
    Waiter waiter;
    PutOutcome outcome;
    std::string message_ids;  // of a group of several records
  };

  void end_send();
  void append(std::unique_ptr<Batch>& batch);
  /// Deals with the groups that have got their outcome since the last time.
  void settle(Batch& batch);
  void refuse_busy(Batch& batch);
  void answer(Waiter& waiter, const PutOutcome& outcome, std::string message_ids);
  void stall(std::unique_ptr<Batch> batch);
  std::unique_ptr<Batch> fresh_batch();

  store::Store& store_;
  const BrokerOptions& options_;
  const BrokerIdentity& identity_;
  const Clock& clock_;
  message::UniqueKeyMaker unique_keys_;
  std::string scratch_;
  std::unique_ptr<Batch> spare_;
  std::unique_ptr<Batch> batch_;
  bool has_appended_ = false;                   // in this turn, before its end
  std::deque<std::unique_ptr<Batch>> stalled_;  // in order; nothing new goes before them
  std::size_t stalled_bytes_ = 0;
  // Both by position, because one thread's placements grow.
  std::deque<Wait> durable_;
  std::deque<Wait> published_;  // appended, but somebody in front is still copying
};

/// The answer of a send that was not stored, as Apache's broker words it.
protocol::Response refuse_put(store::Errc why, const store::Store& store, const BrokerOptions& options);

}  // namespace tern::broker
