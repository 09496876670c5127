#pragma once
// A connection that goes nowhere and remembers that it was closed.

#include <atomic>
#include <memory>
#include <string>

#include "tern/remoting/peer.hpp"

namespace tern::test {

class FakePeer final : public remoting::Peer {
 public:
  [[nodiscard]] static std::shared_ptr<FakePeer> make() {
    static std::atomic<std::uint64_t> next{1};
    auto peer = std::make_shared<FakePeer>();
    peer->id_ = next++;
    return peer;
  }
  [[nodiscard]] std::uint64_t id() const noexcept override { return id_; }
  [[nodiscard]] const message::Host& remote() const noexcept override { return host_; }
  [[nodiscard]] std::string remote_text() const override { return "127.0.0.1:1"; }
  [[nodiscard]] std::size_t io_thread() const noexcept override { return 0; }
  [[nodiscard]] bool is_open() const noexcept override { return is_open_; }
  [[nodiscard]] bool takes_answers() const noexcept override { return true; }
  void notify(protocol::Outgoing /*request*/) override {}
  void call(protocol::Outgoing /*request*/, std::int64_t /*timeout_ms*/, remoting::AnswerHandler done) override {
    done(remoting::error(remoting::Errc::kClosed));
  }
  void close() override { is_open_ = false; }

 private:
  std::uint64_t id_ = 0;
  message::Host host_{};
  bool is_open_ = true;
};

}  // namespace tern::test
