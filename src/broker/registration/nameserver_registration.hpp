#pragma once
// Keeps every nameserver informed of this broker: registration at start, on change, and as a heartbeat.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tern/base/clock.hpp"
#include "tern/remoting/server.hpp"

#include "broker/identity.hpp"
#include "broker/topics/topic_table.hpp"

namespace tern::broker {

/// All calls from any thread. Nameservers are told in parallel; one that does not answer holds up no other. Names are
/// resolved anew whenever a connection has failed.
class NameserverRegistration {
 public:
  NameserverRegistration(remoting::Network& network, const BrokerOptions& options, const BrokerIdentity& identity,
                         TopicTable& topics, const Clock& clock);
  ~NameserverRegistration();

  /// Full registration with all; `done` (may be empty) runs once all have answered or failed, with the number that
  /// accepted.
  void register_all(std::function<void(int accepted)> done = {});
  /// One topic has changed: the others are not sent again (protocol reference 17.4).
  void register_topic(const TopicConfig& topic, std::function<void(int accepted)> done = {});
  /// What any of them can answer: they are asked one after the other until one does. Without any: kUnresolved.
  void ask(std::function<protocol::Outgoing()> make, std::int64_t timeout_ms, remoting::AnswerHandler done);
  /// As a clean stop does; returns when all have answered, or after `patience_ms`.
  void unregister_all(std::int64_t patience_ms);
  /// timed thread: registers again when registerNameServerPeriod has passed.
  StepResult step();
  [[nodiscard]] std::vector<std::string> addresses() const;

 private:
  struct Nameserver;
  [[nodiscard]] protocol::Outgoing registration(const protocol::Json& topics) const;
  void ask_from(std::size_t first, std::function<protocol::Outgoing()> make, std::int64_t timeout_ms,
                remoting::AnswerHandler done);
  /// `what`: for the log, a literal.
  void send_to_all(const char* what, const std::function<protocol::Outgoing()>& make, std::function<void(int)> done);

  remoting::Network& network_;
  const BrokerOptions& options_;
  const BrokerIdentity& identity_;
  TopicTable& topics_;
  const Clock& clock_;
  std::vector<std::unique_ptr<Nameserver>> nameservers_;
  std::atomic<std::int64_t> next_ms_{0};  // relaxed: a time alone
};

}  // namespace tern::broker
