#pragma once
// What every verb of ternctl shares: one io thread, calls that wait for their answer, routes.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tern/base/clock.hpp"
#include "tern/protocol/json.hpp"
#include "tern/remoting/server.hpp"

namespace tern::cli {

/// Something a verb cannot go on after: printed by main as "ternctl: ...".
struct Failure {
  std::string text;
  int status = 1;  // to exit with
};
template <class T>
using Outcome = boost::system::result<T, Failure>;
[[noreturn]] void throw_exception_from_error(const Failure& failure, const boost::source_location& where);

/// Queues that clients ask for when a send creates its topic.
inline constexpr int kNewTopicQueues = 4;

/// One readable or writable queue of a topic.
struct RouteQueue {
  std::string broker_name;
  std::string address;  // of the master
  int queue_id = 0;
};
struct Route {
  std::vector<RouteQueue> readable;
  std::vector<RouteQueue> writable;
};

/// A network with one io thread for the life of the verb. Calls from the verb's thread wait; the asynchronous ones run
/// their handler on the io thread.
class Session {
 public:
  explicit Session(std::string nameservers);
  ~Session();

  [[nodiscard]] const Clock& clock() const { return clock_; }
  /// Connects, or reuses the connection.
  remoting::Client& client(const std::string& address);
  Outcome<remoting::Answer> call(const std::string& address, protocol::Outgoing request,
                                 std::int64_t timeout_ms = 5000);
  /// The same to any of the nameservers, in order.
  Outcome<remoting::Answer> ask_nameserver(const std::function<protocol::Outgoing()>& make);
  /// Route of a topic, or of the topic that new ones are made after (TBW102).
  Outcome<Route> route(const std::string& topic, bool for_sending);
  void post(std::function<void()> work) { network_.post(0, std::move(work)); }

 private:
  SystemClock clock_;
  remoting::NetworkOptions options_;
  remoting::Network network_;
  std::vector<std::string> nameservers_;
  std::map<std::string, std::unique_ptr<remoting::Client>> clients_;
  std::thread thread_;
};

/// A line on standard error that is redrawn on a terminal and printed every second otherwise. From one thread.
class Progress {
 public:
  Progress(const Clock& clock, std::string what, std::int64_t total)
      : Progress(clock, what, total, clock.steady_ms()) {}
  /// Of something that was begun before.
  Progress(const Clock& clock, std::string what, std::int64_t total, std::int64_t started_ms);
  void update(std::int64_t done);
  void finish(std::int64_t done);

 private:
  void print(std::int64_t done, std::int64_t now);
  const Clock& clock_;
  const std::string what_;
  const std::int64_t total_;
  const std::int64_t started_ms_;
  std::int64_t next_ms_ = 0;
  bool is_terminal_ = false;
};

}  // namespace tern::cli
