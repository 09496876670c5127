#pragma once
// Which half messages have ended, and which stand for which. The durable truth is in two queues: half messages, and
// marks of ended ones (op messages). Here is what one pass over both needs, and what the op queue does not say yet.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "tern/base/thread_annotations.hpp"

namespace tern::broker {

/// All calls from any thread. Half messages are named by their offsets in the half queue.
///
/// `head` is the first half message that is not done. A later one that is done is one bit. A half message that is put
/// back ("copied") is done, and its copy stands for it: of a chain of copies the ends of all are one end, so what
/// commits a transaction late, by the offset of an earlier copy, ends the last one too. The chains of the newest
/// kCopiesMax offsets are known; what became of older ones has to be looked up (past_ends.hpp).
class TransactionMarks {
 public:
  static constexpr std::size_t kEndingMax = 200'000;     // ends under way, or not yet read back from the op queue
  static constexpr std::size_t kCopiesMax = 65'536;      // offsets whose chains are known
  static constexpr std::size_t kOpsMax = 1'000'000;      // op messages that are read and not done
  static constexpr std::int64_t kWindowMax = 1LL << 26;  // bits: half messages from head to the last that is done

  /// Before serving: the pass begins here.
  void start(std::int64_t head, std::int64_t op_offset);

  // ---- ending a transaction
  enum class Begin : std::uint8_t {
    kTaken,  // nobody else ends it now: end() or abandon() must follow
    kOver,   // it has ended, or is being ended, by whatever offset of its chain
    kFull,   // kEndingMax
  };
  [[nodiscard]] Begin begin_end(std::int64_t half);
  /// Head has passed it, and why is not known any more.
  [[nodiscard]] bool is_past(std::int64_t half) const;
  /// Not stored: it is open again.
  void abandon(std::int64_t half);
  /// What it led to is in the log. From now on its mark waits to be written. Without begin_end() for what is found to
  /// have ended long ago.
  void end(std::int64_t half, std::int64_t now_ms);
  /// `copy` was found to be a copy of `half`.
  void link(std::int64_t half, std::int64_t copy);

  // ---- writing marks
  using Batch = std::vector<std::int64_t>;
  /// The oldest marks, as many as take about `bytes_max` (each ends with a comma); empty if none waits.
  [[nodiscard]] Batch take(std::size_t bytes_max);
  /// They could not be stored: they wait again.
  void give_back(const Batch& batch, std::int64_t now_ms);
  struct Waiting {
    std::size_t bytes = 0;
    std::int64_t since_ms = 0;  // steady, of the oldest
  };
  [[nodiscard]] Waiting waiting() const;

  // ---- the pass (timed thread, and for copied() the io thread that stored the copy)
  enum class State : std::uint8_t {
    kOpen,
    kEnding,  // its end is being stored: known in an instant
    kOver,
  };
  [[nodiscard]] State state(std::int64_t half) const;
  /// Moves head over what is done.
  [[nodiscard]] std::int64_t advance();
  /// Everything below is done: it has left the log.
  void pass_to(std::int64_t half);
  /// Done without a mark: discarded, gone, or another stands for it.
  void resolve(std::int64_t half);
  /// The copy of `half` is stored. kOpen: ask its producers; the other two: it ends with it.
  State copied(std::int64_t half, std::int64_t copy, std::int64_t now_ms);
  /// The marks of the op message at `op_offset`, the next one. False: one of the bounds is reached, read it again
  /// later.
  [[nodiscard]] bool read_op(std::int64_t op_offset, std::span<const std::int64_t> halves);
  [[nodiscard]] std::int64_t op_next() const;

  /// From where another pass, after a crash now or by another broker, must begin so as to miss nothing, if the log
  /// keeps what is in it now.
  struct Progress {
    std::int64_t half = 0;
    std::int64_t op = 0;
    friend bool operator==(const Progress&, const Progress&) = default;
  };
  [[nodiscard]] Progress progress();
  /// Ends under way, or not yet read back.
  [[nodiscard]] std::size_t ending() const;

 private:
  enum class End : std::uint8_t { kUnderWay, kMarked };
  /// One transaction that was put back, reached by each of its offsets.
  struct Chain {
    std::int64_t last = 0;       // the copy that stands for all
    std::int64_t ended_by = -1;  // the offset that begin_end() was called with last
    bool is_over = false;
  };
  using ChainPtr = std::shared_ptr<Chain>;
  struct Op {
    std::int64_t offset = 0;
    std::int64_t largest = 0;  // of its marks
  };

  [[nodiscard]] ChainPtr chain_of(std::int64_t half) const TERN_REQUIRES(mutex_);
  [[nodiscard]] State state_locked(std::int64_t half) const TERN_REQUIRES(mutex_);
  ChainPtr link_locked(std::int64_t half, std::int64_t copy) TERN_REQUIRES(mutex_);
  void remember(std::int64_t half, const ChainPtr& chain) TERN_REQUIRES(mutex_);
  void mark(std::int64_t half, std::int64_t now_ms) TERN_REQUIRES(mutex_);
  [[nodiscard]] bool bit(std::int64_t half) const TERN_REQUIRES(mutex_);
  void set_bit(std::int64_t half) TERN_REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::int64_t head_ TERN_GUARDED_BY(mutex_) = 0;
  std::int64_t base_ TERN_GUARDED_BY(mutex_) = 0;  // of bits_: a multiple of 64, not above head_
  std::deque<std::uint64_t> bits_ TERN_GUARDED_BY(mutex_);
  std::map<std::int64_t, End> ending_ TERN_GUARDED_BY(mutex_);  // until their marks are read back
  std::deque<std::int64_t> unwritten_ TERN_GUARDED_BY(mutex_);
  std::size_t unwritten_bytes_ TERN_GUARDED_BY(mutex_) = 0;
  std::int64_t unwritten_since_ms_ TERN_GUARDED_BY(mutex_) = 0;
  std::unordered_map<std::int64_t, ChainPtr> chains_ TERN_GUARDED_BY(mutex_);
  std::deque<std::int64_t> chained_ TERN_GUARDED_BY(mutex_);  // the keys of chains_, oldest first
  std::deque<Op> ops_ TERN_GUARDED_BY(mutex_);                // read and not done
  std::int64_t op_next_ TERN_GUARDED_BY(mutex_) = 0;
  std::int64_t half_progress_ TERN_GUARDED_BY(mutex_) = 0;  // the last that progress() gave
};

}  // namespace tern::broker
