#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "tern/base/thread_annotations.hpp"
#include "tern/remoting/server.hpp"

namespace tern::remoting {
namespace {

constexpr std::int64_t kConnectTimeoutMs = 3000;
constexpr std::size_t kWaitingMax = 10'000;  // calls that wait for one connection

using Now = std::chrono::steady_clock;

}  // namespace

/// States: no connection; connecting, with calls that wait for it; connected. Held by the Client and by what is under
/// way, so answers may come after the Client is gone.
class Client::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(Network& network, std::string address, Handler* on_request)
      : network_(network), address_(std::move(address)), on_request_(on_request) {}

  void call(protocol::Outgoing request, std::int64_t timeout_ms, AnswerHandler done) {
    submit({std::move(request), Now::now() + std::chrono::milliseconds(timeout_ms), std::move(done)}, timeout_ms);
  }
  void notify(protocol::Outgoing request, std::int64_t timeout_ms) {
    submit({std::move(request), Now::now() + std::chrono::milliseconds(timeout_ms), nullptr}, timeout_ms);
  }

  void close() {
    PeerPtr peer;
    std::vector<Waiting> waiting;
    {
      const MutexLock lock(lock_);
      closed_ = true;
      peer = std::move(peer_);
      waiting = std::move(waiting_);
    }
    if (peer != nullptr) peer->close();
    fail(std::move(waiting), error(Errc::kClosed));
  }

  [[nodiscard]] const std::string& address() const { return address_; }

 private:
  struct Waiting {
    protocol::Outgoing request;
    Now::time_point deadline;
    AnswerHandler done;  // empty: one-way
    std::uint64_t id = 0;
  };

  void submit(Waiting call, std::int64_t timeout_ms) TERN_EXCLUDES(lock_) {
    PeerPtr peer;
    bool connect = false;
    std::uint64_t id = 0;
    {
      const MutexLock lock(lock_);
      if (peer_ != nullptr && peer_->is_open()) {
        peer = peer_;
      } else if (waiting_.size() < kWaitingMax) {
        call.id = ++last_id_;
        id = call.id;
        waiting_.push_back(std::move(call));
        connect = !std::exchange(connecting_, true);
      }
    }
    if (peer != nullptr) return send(*peer, std::move(call));
    if (id == 0) {
      if (call.done) call.done(error(Errc::kOverBudget, static_cast<std::int64_t>(kWaitingMax)));
      return;
    }
    network_.after(0, timeout_ms, [self = shared_from_this(), id] { self->give_up(id); });
    if (!connect) return;
    network_.connect(
        address_, kConnectTimeoutMs,
        [self = shared_from_this()](Result<PeerPtr> result) { self->connected(std::move(result)); }, on_request_);
  }

  /// The time of a call is over. If it still waits for the connection, it waits no more.
  void give_up(std::uint64_t id) TERN_EXCLUDES(lock_) {
    std::vector<Waiting> late;
    {
      const MutexLock lock(lock_);
      const auto call =
          std::find_if(waiting_.begin(), waiting_.end(), [id](const Waiting& one) { return one.id == id; });
      if (call == waiting_.end()) return;
      late.push_back(std::move(*call));
      waiting_.erase(call);
    }
    fail(std::move(late), error(Errc::kTimeout));
  }

  void connected(Result<PeerPtr> result) TERN_EXCLUDES(lock_) {
    std::vector<Waiting> waiting;
    bool unwanted = false;
    {
      const MutexLock lock(lock_);
      connecting_ = false;
      waiting = std::move(waiting_);
      waiting_.clear();
      unwanted = closed_;
      if (result && !unwanted) peer_ = *result;
    }
    if (!result) return fail(std::move(waiting), result.error());
    for (auto& call : waiting) send(**result, std::move(call));
    if (unwanted) (*result)->close();
  }

  static void send(Peer& peer, Waiting call) {
    if (!call.done) return peer.notify(std::move(call.request));
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(call.deadline - Now::now()).count();
    peer.call(std::move(call.request), left, std::move(call.done));
  }

  static void fail(std::vector<Waiting> waiting, const Error& reason) {
    for (auto& call : waiting) {
      if (call.done) call.done(reason);
    }
  }

  Network& network_;
  const std::string address_;
  Handler* const on_request_;
  Mutex lock_;
  PeerPtr peer_ TERN_GUARDED_BY(lock_);
  std::vector<Waiting> waiting_ TERN_GUARDED_BY(lock_);  // for the connection that is being made
  std::uint64_t last_id_ TERN_GUARDED_BY(lock_) = 0;
  bool connecting_ TERN_GUARDED_BY(lock_) = false;
  bool closed_ TERN_GUARDED_BY(lock_) = false;
};

Client::Client(Network& network, std::string address, Handler* on_request)
    : impl_(std::make_shared<Impl>(network, std::move(address), on_request)) {}
Client::~Client() {
  impl_->close();
}

void Client::call(protocol::Outgoing request, std::int64_t timeout_ms, AnswerHandler done) {
  impl_->call(std::move(request), timeout_ms, std::move(done));
}
void Client::notify(protocol::Outgoing request, std::int64_t timeout_ms) {
  impl_->notify(std::move(request), timeout_ms);
}
const std::string& Client::address() const {
  return impl_->address();
}

}  // namespace tern::remoting
