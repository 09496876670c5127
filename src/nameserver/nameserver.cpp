#include "tern/nameserver/nameserver.hpp"

#include <array>
#include <map>
#include <span>

#include "nameserver/services.hpp"

namespace tern::nameserver {

struct Nameserver::State {
  State(const NameserverOptions& options, OptionSet& settings, const Clock& clock, file::Disk& disk, Notify notify)
      : since{clock.steady_ms()},
        table(options),
        bodies(table),
        kv(disk, expand_home(options.kv_config_path)),
        config(settings, options.update_black_list),
        notices(options, std::move(notify)),
        liveness(clock, table, notices),
        services(clock, options, since, table, bodies, kv, config, notices, liveness),
        processors(std::array{processor_rows()}) {}

  const ServingSince since;
  RouteTable table;
  RouteBodies bodies;
  KvConfig kv;
  RuntimeConfig config;
  const MinimumNotices notices;
  BrokerLiveness liveness;
  Services services;
  const remoting::ProcessorTable<Services> processors;
};

Nameserver::Nameserver(const NameserverOptions& options, OptionSet& settings, const Clock& clock, file::Disk& disk,
                       Notify notify)
    : state_(std::make_unique<State>(options, settings, clock, disk, std::move(notify))) {}
Nameserver::~Nameserver() = default;

std::optional<std::string> Nameserver::open() {
  return state_->kv.open();
}

void Nameserver::handle(const remoting::Request& request, remoting::Reply reply) {
  state_->processors.dispatch(state_->services, request, std::move(reply));
}
void Nameserver::end_of_turn(std::size_t /*io_thread*/) {}
void Nameserver::peer_closed(const remoting::PeerPtr& peer) {
  state_->liveness.connection_closed(peer);
}

void Nameserver::step_liveness() {
  state_->liveness.step();
}
StepResult Nameserver::step_saving() {
  return state_->kv.step();
}
Wakeup& Nameserver::saving_wakeup() {
  return state_->kv.wakeup();
}

namespace {

// The connections over which brokers are told. When there are too many, all are dropped: they come back as needed.
class BrokerConnections {
 public:
  explicit BrokerConnections(remoting::Network& network) : network_(network) {}

  void notify(const std::string& address, protocol::Outgoing request) {
    constexpr std::int64_t kTimeoutMs = 300;
    find(address)->notify(std::move(request), kTimeoutMs);
  }

 private:
  static constexpr std::size_t kConnectionsMax = 256;

  std::shared_ptr<remoting::Client> find(const std::string& address) {
    const MutexLock lock(lock_);
    if (clients_.size() >= kConnectionsMax && !clients_.contains(address)) clients_.clear();
    auto& client = clients_[address];
    if (!client) client = std::make_shared<remoting::Client>(network_, address);
    return client;
  }

  remoting::Network& network_;
  Mutex lock_;
  std::map<std::string, std::shared_ptr<remoting::Client>> clients_ TERN_GUARDED_BY(lock_);
};

}  // namespace

Nameserver::Notify notify_over(remoting::Network& network) {
  return
      [connections = std::make_shared<BrokerConnections>(network)](
          const std::string& address, protocol::Outgoing request) { connections->notify(address, std::move(request)); };
}

}  // namespace tern::nameserver
