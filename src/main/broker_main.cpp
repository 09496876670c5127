// The broker's process: reads the settings, builds the objects, starts the threads, waits, and stops in reverse.

#include <arpa/inet.h>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "tern/base/check.hpp"
#include "tern/base/clock.hpp"
#include "tern/base/runtime_config.hpp"
#include "tern/file/disk.hpp"
#include "tern/file/settings_file.hpp"
#include "tern/file/sigbus.hpp"
#include "tern/remoting/server.hpp"

#include "broker/broker.hpp"
#include "broker/config/apache_broker_keys.hpp"
#include "main/daemon.hpp"
#include "main/threads.hpp"
#include "store/put/apache_lock_keys.hpp"
#include "store/put/spin.hpp"

namespace tern {
namespace {

constexpr std::int64_t kDrainPatienceMs = 5'000;
constexpr int kFastListenerBelow = 2;  // the fast listener's port is listenPort - 2
constexpr std::string_view kImportantKeys[] = {
    "brokerClusterName", "brokerName",    "brokerIP1",      "listenPort", "namesrvAddr",
    "storePathRootDir",  "flushDiskType", "putMessageLock", "ioThreads",  "logFile"};
constexpr daemon::Program kProgram{"tern-broker", "TernMQ's broker: stores messages and hands them out.",
                                   kImportantKeys};

struct Settings {
  broker::BrokerOptions broker;
  broker::FilterOptions filters;
  broker::TransactionOptions transactions;
  broker::ReplyOptions replies;
  broker::ResetOptions resets;
  broker::TimerOptions timers;
  broker::PopOptions pop;
  broker::AssignmentOptions assignment;
  store::StoreOptions store;
  store::ApacheLockKeys lock_keys;
  remoting::NetworkOptions network;
  daemon::LogSettings log;
};

void declare(Settings& settings, OptionSet& options) {
  options.add("Broker", broker::broker_option_rows(), settings.broker);
  options.add("Filters", broker::filter_option_rows(), settings.filters);
  options.add("Transactions", broker::transaction_option_rows(), settings.transactions);
  options.add("Replies", broker::reply_option_rows(), settings.replies);
  options.add("Offset resets", broker::reset_option_rows(), settings.resets);
  options.add("Timers", broker::timer_option_rows(), settings.timers);
  options.add("POP", broker::pop_option_rows(), settings.pop);
  options.add("Assignment", broker::assignment_option_rows(), settings.assignment);
  options.add("Store", store::store_option_rows(), settings.store);
  options.add("Commit log", store::log_option_rows(), settings.store.log);
  options.add("Put lock", store::apache_lock_rows(), settings.lock_keys);
  options.add("Consume queues", store::queue_option_rows(), settings.store.queues);
  options.add("Key index", store::index_option_rows(), settings.store.index);
  options.add("Network", remoting::network_option_rows(), settings.network);
  options.add("Log", daemon::log_option_rows(), settings.log);
  options.add_foreign(broker::apache_broker_keys());
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data() : "DEFAULT_BROKER";
}

// The first IPv4 address of an interface that is up and not loopback, as Apache's brokerIP1 defaults to; else
// 127.0.0.1.
std::string first_address() {
  std::string address = "127.0.0.1";
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return address;
  for (const auto* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    if ((entry->ifa_flags & IFF_UP) == 0 || (entry->ifa_flags & IFF_LOOPBACK) != 0) continue;
    std::array<char, INET_ADDRSTRLEN> text{};
    const auto* in = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
    if (::inet_ntop(AF_INET, &in->sin_addr, text.data(), text.size()) != nullptr) {
      address = text.data();
      break;
    }
  }
  ::freeifaddrs(list);
  return address;
}

void complete(Settings& settings) {
  auto& store = settings.store;
  auto& broker = settings.broker;
  if (store.root.empty()) {
    const char* home = std::getenv("HOME");
    store.root = file::join(home != nullptr ? home : ".", "store");
  }
  if (store.log.directory.empty()) store.log.directory = file::join(store.root, "commitlog");
  if (store.queues.directory.empty()) store.queues.directory = file::join(store.root, "consumequeue");
  store.queues.batch_directory = file::join(store.root, "batchconsumequeue");
  if (store.index.directory.empty()) store.index.directory = file::join(store.root, "index");
  if (broker.broker_name.empty()) broker.broker_name = host_name();
  if (broker.advertised_address.empty()) broker.advertised_address = first_address();
  if (broker.ha_address.empty()) broker.ha_address = broker.advertised_address;
  store.identity = {broker.cluster_name, broker.broker_name, broker.broker_id};
}

struct Listeners {
  std::uint16_t main = 0;
  std::uint16_t fast = 0;
};

// False, after the reason was logged, if a port is taken.
bool listen(const broker::BrokerOptions& options, remoting::Network& network, broker::Broker& broker, Listeners& to) {
  const auto bind = [&](int port, remoting::Listener kind, std::uint16_t& bound) {
    const auto result = network.listen(options.bind_address, static_cast<std::uint16_t>(port), kind, broker);
    if (!result) {
      log_error("listenPort={}: cannot listen on {}:{}{}: {}", options.listen_port, options.bind_address, port,
                kind == remoting::Listener::kFast ? " (the fast listener, listenPort - 2)" : "", result.error().text());
      return false;
    }
    bound = *result;
    return true;
  };
  if (!bind(options.listen_port, remoting::Listener::kMain, to.main)) return false;
  const int fast = options.listen_port == 0 ? 0 : options.listen_port - kFastListenerBelow;
  return bind(fast, remoting::Listener::kFast, to.fast);
}

std::string spin_text(const store::LogOptions& log) {
  const auto ns = store::spin_ns();
  const auto key = log.spin_limit_was_set
                       ? fmt::format(", unless spinLockCollisionRetreatOptimalDegree={} says otherwise", log.spin_limit)
                       : std::string();
  return fmt::format("a spin costs {:.1f} ns, k up to {}{}", ns, store::spins_per_context_switch(ns), key);
}

int serve(Settings& settings, const std::string& settings_file, OptionSet& options, daemon::Signals& signals) {
  SystemClock clock;
  const auto disk = file::make_real_disk();
  file::SettingsFile kept(*disk, settings_file);
  RuntimeConfig config(
      options, settings.broker.update_black_list,
      settings_file.empty() ? RuntimeConfig::Keep()
                            : [&](std::span<const PropertyLine> changed) { return kept.keep(changed); });
  remoting::Network network(settings.network, clock);
  broker::BrokerIdentity identity{
      settings.broker.cluster_name, settings.broker.broker_name, settings.broker.broker_id, {}, {}, {}};
  const auto host = message::parse_host(settings.broker.advertised_address, settings.broker.listen_port);
  TERN_CHECK(host.has_value(), "brokerIP1={}", settings.broker.advertised_address);  // its row has checked it
  auto opened = broker::Broker::open(
      {settings.broker, settings.filters, settings.transactions, settings.replies, settings.resets, settings.timers,
       settings.pop, settings.assignment, settings.store, config, *disk, clock, network},
      std::move(identity));
  if (!opened) {
    // Whatever it is, it is about the store's directory or what lies in it.
    const auto& text = opened.error().text;
    const bool names_setting = text.find("storePathRootDir") != std::string::npos;
    log_error("{}{}", text, names_setting ? "" : fmt::format(" (storePathRootDir={})", settings.store.root));
    return daemon::kExitFailed;
  }
  auto& broker = **opened;
  for (const auto& warning : broker.warnings()) log_warning("{}", warning);
  Listeners listeners;
  if (!listen(settings.broker, network, broker, listeners)) {
    static_cast<void>(broker.close());  // nothing was served; the port is what went wrong
    return daemon::kExitFailed;
  }
  auto store_host = *host;
  store_host.port = listeners.main;
  const auto& report = broker.open_report();
  auto& store = broker.store();
  if (store.log().watermarks().published().value == 0) {
    log_info("store opened in {} ms: it is empty", report.took_ms);
  } else {
    log_info("store opened in {} ms: {} stop before, {}, {} records read", report.took_ms,
             report.was_clean ? "clean" : "no clean", report.used_side_file ? "state file used" : "state file not used",
             report.scanned_records);
  }

  std::vector<std::thread> io_threads;
  Status closed;
  {
    daemon::StepThread segments("segments", store.log().segments_wakeup(), [&] { return store.segments_step(); });
    daemon::StepThread flush("flush", store.log().flush_wakeup(), [&] { return store.flush_step(); });
    daemon::StepThread upkeep("upkeep", store.upkeep_wakeup(), [&] { return store.upkeep_step(); });
    daemon::StepThread blocking("blocking", broker.blocking().wakeup(), [&] { return broker.blocking().step(); });
    daemon::StepThread cold("cold-reads", broker.cold_reads().wakeup(), [&] { return broker.cold_reads().step(); });
    broker.begin(store_host, fmt::format("{}:{}", settings.broker.ha_address, listeners.main + 1));
    daemon::StepThread timed("timed", broker.timed_wakeup(), [&] { return broker.timed_step(); });
    io_threads = daemon::start_io_threads(network);

    const auto fast_host = fmt::format("{}:{}", settings.broker.advertised_address, listeners.fast);
    daemon::log_start_table(
        kProgram, std::array<std::pair<std::string, std::string>, 11>{{
                      {"broker", fmt::format("{} / {} / {}", settings.broker.cluster_name, settings.broker.broker_name,
                                             settings.broker.broker_id)},
                      {"listener", fmt::format("{}:{}", settings.broker.bind_address, listeners.main)},
                      {"advertised", store_host.text()},
                      {"fast listener", fast_host},
                      {"nameservers", settings.broker.nameserver_addresses},
                      {"store", settings.store.root},
                      {"flush policy", std::string(store.log().flush_policy())},
                      {"put lock", std::string(store.log().put_strategy())},
                      {"put lock spins", spin_text(settings.store.log)},
                      {"io threads", std::to_string(network.io_threads())},
                      {"authentication", "off"},
                  }});
    daemon::print_ready(kProgram, fmt::format("listen={} fast={}", store_host.text(), fast_host));

    log_info("signal {}: draining", signals.wait());
    network.stop_accepting();
    broker.drain();
    timed.stop();
    network.stop(kDrainPatienceMs);
    for (auto& thread : io_threads) thread.join();
  }
  closed = broker.close();
  if (!closed) {
    log_error("the store could not be closed cleanly: {}", closed.error().text());
    return daemon::kExitFailed;
  }
  log_info("stopped");
  return 0;
}

int run(int argc, const char* const* argv) {
  daemon::CommandLine command_line;
  if (const auto status = daemon::parse_command_line(kProgram, argc, argv, command_line)) return *status;
  Settings settings;
  OptionSet options("broker");
  declare(settings, options);
  std::vector<std::string> notices;
  if (const auto status = daemon::read_settings(kProgram, command_line, options, notices)) return *status;
  static_cast<void>(store::spin_ns());  // now: beside other threads it would be measured wrong
  if (!daemon::start_log(settings.log)) return daemon::kExitFailed;
  daemon::raise_descriptor_limit();
  for (const auto& notice : notices) log_info("{}", notice);
  complete(settings);
  store::choose_put_strategy(options, settings.lock_keys, settings.store.log);
  file::name_sigbus();
  daemon::Signals signals;
  const int status = serve(settings, daemon::resolved_path(command_line.settings_file), options, signals);
  flush_log();
  return status;
}

}  // namespace
}  // namespace tern

int main(int argc, char** argv) {
  try {
    return tern::run(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "tern-broker: %s\n", problem.what());
    return tern::daemon::kExitFailed;
  }
}
