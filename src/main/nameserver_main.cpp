// The nameserver's process: reads the settings, builds the objects, starts the threads, waits, and stops in reverse.

#include <array>
#include <cstdio>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "tern/base/clock.hpp"
#include "tern/file/disk.hpp"
#include "tern/nameserver/nameserver.hpp"
#include "tern/remoting/server.hpp"

#include "main/daemon.hpp"
#include "main/threads.hpp"
#include "nameserver/config/apache_nameserver_keys.hpp"

namespace tern {
namespace {

constexpr std::int64_t kDrainPatienceMs = 5'000;
constexpr std::string_view kImportantKeys[] = {"listenPort", "bindAddress", "kvConfigPath", "ioThreads", "logFile"};
constexpr daemon::Program kProgram{"tern-nameserver", "TernMQ's nameserver: tells clients where topics are.",
                                   kImportantKeys};

struct Settings {
  nameserver::NameserverOptions nameserver;
  remoting::NetworkOptions network;
  daemon::LogSettings log;
};

void declare(Settings& settings, OptionSet& options) {
  options.add("Nameserver", nameserver::nameserver_option_rows(), settings.nameserver);
  options.add("Network", remoting::network_option_rows(), settings.network);
  options.add("Log", daemon::log_option_rows(), settings.log);
  options.add_foreign(nameserver::apache_nameserver_keys());
}

int serve(Settings& settings, OptionSet& options, daemon::Signals& signals) {
  const auto& own = settings.nameserver;
  const SystemClock clock;
  const auto disk = file::make_real_disk();
  remoting::Network network(settings.network, clock);
  nameserver::Nameserver server(own, options, clock, *disk, nameserver::notify_over(network));
  if (const auto damage = server.open()) {
    log_error("{}", *damage);
    return daemon::kExitFailed;
  }
  const auto port =
      network.listen(own.bind_address, static_cast<std::uint16_t>(own.listen_port), remoting::Listener::kMain, server);
  if (!port) {
    log_error("listenPort={}: cannot listen on {}:{}: {} (port 0 lets the system pick a free one)", own.listen_port,
              own.bind_address, own.listen_port, port.error().code.message());
    return daemon::kExitFailed;
  }
  network.every(0, own.liveness_scan_period_ms, [&server] { server.step_liveness(); });

  const auto address = daemon::reachable_address(own.bind_address, *port);
  daemon::log_start_table(kProgram, std::array<std::pair<std::string, std::string>, 5>{{
                                        {"listener", fmt::format("{}:{}", own.bind_address, *port)},
                                        {"advertised", address},
                                        {"io threads", std::to_string(network.io_threads())},
                                        {"key-value configuration", nameserver::expand_home(own.kv_config_path)},
                                        {"authentication", "off"},
                                    }});
  daemon::StepThread saving("saving", server.saving_wakeup(), [&server] { return server.step_saving(); });
  auto io_threads = daemon::start_io_threads(network);
  daemon::print_ready(kProgram, "listen=" + address);

  log_info("signal {}: draining", signals.wait());
  network.stop_accepting();
  network.stop(kDrainPatienceMs);
  for (auto& thread : io_threads) thread.join();
  saving.stop();
  server.step_saving();  // what came after its last step
  log_info("stopped");
  return 0;
}

int run(int argc, const char* const* argv) {
  daemon::CommandLine command_line;
  if (const auto status = daemon::parse_command_line(kProgram, argc, argv, command_line)) return *status;
  Settings settings;
  OptionSet options("nameserver");
  declare(settings, options);
  std::vector<std::string> notices;
  if (const auto status = daemon::read_settings(kProgram, command_line, options, notices)) return *status;
  if (!daemon::start_log(settings.log)) return daemon::kExitFailed;
  daemon::raise_descriptor_limit();
  for (const auto& notice : notices) log_info("{}", notice);
  daemon::Signals signals;
  const int status = serve(settings, options, signals);
  flush_log();
  return status;
}

}  // namespace
}  // namespace tern

int main(int argc, char** argv) {
  try {
    return tern::run(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "tern-nameserver: %s\n", problem.what());
    return tern::daemon::kExitFailed;
  }
}
