#pragma once
// The broker: every capability's state, joined to the store below and the network above. Owned by main.

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "broker/arrivals.hpp"
#include "broker/pop/reviver.hpp"
#include "broker/registration/nameserver_registration.hpp"
#include "broker/services.hpp"
#include "broker/transaction/transaction_check.hpp"

namespace tern::broker {

/// Serves requests as remoting::Handler on the io threads. The steps below run on main's threads.
/// Order: construct (tables load, the store opens), bind the listeners, begin(), run threads; drain(), join, close().
class Broker final : public remoting::Handler {
 public:
  struct Problem {
    std::string text;  // for the operator; start-up stops with it
  };
  struct Parts {
    BrokerOptions& options;
    FilterOptions& filter_options;
    TransactionOptions& transaction_options;
    ReplyOptions& reply_options;
    ResetOptions& reset_options;
    TimerOptions& timer_options;
    PopOptions& pop_options;
    AssignmentOptions& assignment_options;
    store::StoreOptions& store_options;
    RuntimeConfig& settings;
    file::Disk& disk;
    Clock& clock;
    remoting::Network& network;
  };
  /// Loads the tables and opens the store. `identity.store_host` may still lack its port.
  static boost::system::result<std::unique_ptr<Broker>, Problem> open(Parts parts, BrokerIdentity identity);
  ~Broker() override;

  /// The listeners are bound: the identity is complete. Registers with the nameservers, starts ticks.
  void begin(message::Host store_host, std::string ha_address);

  void handle(const remoting::Request& request, remoting::Reply reply) override;
  void end_of_turn(std::size_t io_thread) override;
  void peer_closed(const remoting::PeerPtr& peer) override;

  [[nodiscard]] store::Store& store() { return *store_; }
  WorkQueue& blocking() { return blocking_; }
  WorkQueue& cold_reads() { return cold_reads_; }
  /// timed thread: delayed delivery, transaction checks, POP, expiry of clients, periodic saves and registrations.
  StepResult timed_step();
  Wakeup& timed_wakeup();

  /// Clean stop, in order: drain() leaves the nameservers, answers the pulls that wait and writes the marks of ended
  /// transactions; close() follows when the io threads have ended.
  void drain();
  Status close();
  [[nodiscard]] const store::OpenReport& open_report() const { return report_; }
  [[nodiscard]] std::vector<std::string> warnings() const { return warnings_; }

 private:
  explicit Broker(Parts parts, BrokerIdentity identity, DelayLevels levels);
  boost::system::result<void, Problem> load();
  void on_io_thread(std::size_t io_thread, std::function<void(SendStage&)> work);
  void dispatch_on(std::size_t io_thread);
  void wake_io_threads();
  void notify_members(const std::vector<std::string>& groups);

  // Constant after construction.
  Parts parts_;
  BrokerIdentity identity_;
  DelayLevels levels_;
  store::OpenReport report_;
  std::vector<std::string> warnings_;

  WorkQueue blocking_;
  WorkQueue cold_reads_;
  TopicTable topics_;
  GroupTable groups_;
  ClientRegistry clients_;
  ClientCalls client_calls_;
  ConsumerFilters filters_;
  OffsetTable offsets_;
  QueueLocks locks_;
  RequestModes modes_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<PullHold> hold_;
  std::unique_ptr<SendServices> send_;
  std::unique_ptr<SendBackServices> send_back_;
  std::unique_ptr<PullServices> pull_;
  std::unique_ptr<DelayedDelivery> delayed_;
  std::unique_ptr<Timers> timers_;
  std::unique_ptr<RecallServices> recall_;
  std::unique_ptr<Transactions> transactions_;
  std::unique_ptr<TransactionCheck> transaction_check_;
  std::unique_ptr<Replies> replies_;
  std::unique_ptr<OffsetReset> offset_reset_;
  std::unique_ptr<Statistics> statistics_;
  std::unique_ptr<PopOrders> pop_orders_;
  std::unique_ptr<Pop> pop_;
  std::unique_ptr<Reviver> reviver_;
  std::unique_ptr<Arrivals> arrivals_;
  std::unique_ptr<BrokerStatus> status_;
  std::unique_ptr<NameserverRegistration> registration_;
  std::unique_ptr<Assignments> assignments_;
  Services services_;

  std::vector<std::unique_ptr<std::atomic<bool>>> wake_posted_;  // by io thread: one wake-up under way is enough
  // Owned by the timed thread.
  std::int64_t next_expiry_ms_ = 0, next_offsets_save_ms_ = 0, next_delay_save_ms_ = 0, next_filters_save_ms_ = 0,
               next_statistics_ms_ = 0, next_orders_save_ms_ = 0;
};
[[noreturn]] void throw_exception_from_error(const Broker::Problem& problem, const boost::source_location& where);

}  // namespace tern::broker
