#pragma once
// How other threads reach an io thread: letters under a mutex, one wake-up for all that came since it last looked.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/thread_annotations.hpp"
#include "tern/protocol/command.hpp"
#include "tern/remoting/peer.hpp"

#include "remoting/asio.hpp"

namespace tern::remoting {

class Connection;

/// One thing for an io thread to do: `work`, or something for a connection.
struct Letter {
  enum class Kind : std::uint8_t { kWork, kAnswer, kForgotten, kNotify, kCall, kClose };
  Kind kind = Kind::kWork;
  std::int32_t opaque = 0;         // kCall
  std::size_t head_size = 0;       // of an encoded header, in Mail::heads
  std::int64_t timeout_ms = 0;     // kCall
  std::shared_ptr<Connection> to;  // not kWork
  protocol::Body body;
  std::function<void()> work;
  AnswerHandler done;  // kCall
};

/// Letters in order of arrival. The encoded headers stand behind one another in `heads`, so a letter owns no text.
struct Mail {
  std::vector<Letter> letters;
  std::string heads;
  /// Keeps its memory for the next batch, unless a burst has made it large.
  void clear() {
    letters.clear();
    heads.clear();
    if (letters.capacity() > 4096 || heads.capacity() > 1024 * 1024) *this = {};
  }
};

/// Outlives its io thread: whoever still holds a connection may write to it, and is refused once it is closed.
class Mailbox {
 public:
  /// `wake` runs on `context`, once for all letters put since the last take().
  Mailbox(asio::io_context& context, std::function<void()> wake) : context_(&context), wake_(std::move(wake)) {}

  /// False if closed: then the letter is untouched. Any thread.
  bool put(Letter&& letter, std::string_view head = {}) TERN_EXCLUDES(lock_);
  /// Moves all letters to `mail`, which must be empty. The io thread.
  void take(Mail& mail) TERN_EXCLUDES(lock_);
  /// As take(), and refuses letters from now on.
  void close(Mail& mail) TERN_EXCLUDES(lock_);

 private:
  Mutex lock_;
  // The context is posted to under the lock, because close() under the lock is what allows it to be destroyed.
  asio::io_context* context_ TERN_GUARDED_BY(lock_);
  bool closed_ TERN_GUARDED_BY(lock_) = false;
  bool woken_ TERN_GUARDED_BY(lock_) = false;
  Mail mail_ TERN_GUARDED_BY(lock_);
  OperationSlot slot_;  // one wake-up at a time is under way: `woken_`
  const std::function<void()> wake_;
};

}  // namespace tern::remoting
