#pragma once
// The nameserver: tells clients where topics are, from what brokers say. Give it to a Network as the handler of a
// listener.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tern/base/clock.hpp"
#include "tern/base/options.hpp"
#include "tern/base/wakeup.hpp"
#include "tern/file/disk.hpp"
#include "tern/nameserver/options.hpp"
#include "tern/remoting/server.hpp"

namespace tern::nameserver {

/// Owned by main. handle() and its kind run on io threads, step_liveness() on any one thread, step_saving() on a thread
/// that may block. `options` must be filled; `settings` is what remote administration sees. All references outlive it.
class Nameserver final : public remoting::Handler {
 public:
  /// Sends a one-way request to a broker's "host:port", or drops it. Called on io threads and by step_liveness().
  using Notify = std::function<void(const std::string& address, protocol::Outgoing request)>;
  Nameserver(const NameserverOptions& options, OptionSet& settings, const Clock& clock, file::Disk& disk,
             Notify notify);
  ~Nameserver() override;

  /// Reads the key-value configuration. Before serving. The text says what is damaged; then it must not serve.
  [[nodiscard]] std::optional<std::string> open();

  void handle(const remoting::Request& request, remoting::Reply reply) override;
  void end_of_turn(std::size_t io_thread) override;
  void peer_closed(const remoting::PeerPtr& peer) override;

  /// Removes brokers that have fallen silent. Every `liveness_scan_period_ms`.
  void step_liveness();
  /// Writes what has changed of the key-value configuration, and answers those who changed it. When saving_wakeup()
  /// says so, and once more before the network stops.
  StepResult step_saving();
  Wakeup& saving_wakeup();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A Notify over the network. Holds one connection per address, and few of them: brokers are told only when one of
/// their name comes or goes.
[[nodiscard]] Nameserver::Notify notify_over(remoting::Network& network);

}  // namespace tern::nameserver
