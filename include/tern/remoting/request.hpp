#pragma once
// What a processor gets: a request, and the means to answer it once.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "tern/protocol/command.hpp"
#include "tern/protocol/fields.hpp"
#include "tern/remoting/peer.hpp"

namespace tern::remoting {

enum class Listener : std::uint8_t { kMain = 1, kFast = 2 };

/// A request. What its views show (texts of the header, body) stays until the turn of its io thread ends, that is until
/// Handler::end_of_turn has returned. The Request itself, `header` and `peer` are references that end with handle():
/// what is staged for the end of the turn copies the views, the header or the PeerPtr, as it needs them.
struct Request {
  const protocol::CommandHeader& header;
  std::span<const std::byte> body;
  const PeerPtr& peer;
  Listener listener = Listener::kMain;
  std::size_t io_thread = 0;
  std::int64_t received_ns = 0;  // Clock::steady_ns of the first event of its turn, the same for all requests of a turn
  [[nodiscard]] std::string_view body_text() const { return {reinterpret_cast<const char*>(body.data()), body.size()}; }
};

/// The right to answer one request, once, from any thread. Move-only. Destroyed unanswered it answers SYSTEM_ERROR. For
/// a one-way request it swallows the answer. Answers given on the request's own io thread leave with the end of the
/// turn; others cross to it in batches.
class Reply {
 public:
  /// What carries it: the connection, known to remoting alone. Tests give their own.
  class Sink {
   public:
    virtual ~Sink() = default;
    virtual void answer(std::int32_t opaque, protocol::Response response) = 0;
    /// The right was given up: nothing will come for this request.
    virtual void forgotten() {}
  };
  Reply() = default;  // nothing to answer
  Reply(std::shared_ptr<Sink> sink, std::int32_t opaque, bool is_one_way)
      : sink_(std::move(sink)), opaque_(opaque), is_one_way_(is_one_way) {}
  Reply(Reply&& other) noexcept = default;
  /// Answers SYSTEM_ERROR first, if an answer is still owed here.
  Reply& operator=(Reply&& other) noexcept;
  ~Reply();

  void operator()(protocol::Response response);
  [[nodiscard]] bool pending() const { return sink_ != nullptr; }
  [[nodiscard]] bool is_one_way() const { return is_one_way_; }
  /// Gives the right up without an answer: the connection is gone, or the protocol wants silence.
  void forget();

 private:
  std::shared_ptr<Sink> sink_;
  std::int32_t opaque_ = 0;
  bool is_one_way_ = false;
};

}  // namespace tern::remoting
