#include <algorithm>
#include <atomic>
#include <chrono>
#include <sys/resource.h>
#include <thread>
#include <utility>

#include "tern/base/check.hpp"
#include "tern/remoting/server.hpp"

#include "remoting/connect_attempt.hpp"
#include "remoting/connection.hpp"
#include "remoting/io_thread.hpp"
#include "remoting/listening_socket.hpp"
#include "remoting/network_state.hpp"

namespace tern::remoting {
namespace {

std::int64_t connections_allowed(const NetworkOptions& options) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return options.connections_max;
  // The rest is for files, and for refusing connections politely.
  const auto possible = static_cast<std::int64_t>(limit.rlim_cur / 8 * 7);
  if (possible < options.connections_max) {
    log_info("networkConnectionsMax is {}, but {} descriptors (ulimit -n) allow {} connections",
             options.connections_max, limit.rlim_cur, possible);
  }
  return std::min<std::int64_t>(options.connections_max, possible);
}

std::size_t io_thread_count(const NetworkOptions& options) {
  if (options.io_threads > 0) return static_cast<std::size_t>(options.io_threads);
  return std::max<std::size_t>(1, std::thread::hardware_concurrency() / 2);
}

}  // namespace

NetworkState::NetworkState(const NetworkOptions& network_options, const Clock& network_clock)
    : options(network_options), clock(network_clock), connections_max(connections_allowed(network_options)) {
  const std::size_t count = io_thread_count(options);
  for (std::size_t i = 0; i < count; ++i) io_threads.push_back(std::make_unique<IoThread>(*this, i));
}

NetworkState::~NetworkState() = default;

std::int64_t NetworkState::held(Budget budget) const {
  std::int64_t sum = 0;
  for (const auto& io : io_threads) {
    const auto& cell = budget == Budget::kReceiving ? io->counters().receiving_bytes : io->counters().unsent_bytes;
    sum += cell.load(std::memory_order_relaxed);
  }
  return sum;
}

class Network::Impl {
 public:
  Impl(const NetworkOptions& options, const Clock& clock) : state(options, clock) {}

  std::vector<std::unique_ptr<ListeningSocket>> listening;  // before state: its operations refer to them
  NetworkState state;
  std::atomic<std::size_t> next_io_thread{0};  // relaxed: spreads connections that are made at the same time

  IoThread& io(std::size_t index) {
    TERN_CHECK(index < state.io_threads.size(), "io thread {} of {}", index, state.io_threads.size());
    return *state.io_threads[index];
  }
  IoThread& least_loaded() {
    const std::size_t count = state.io_threads.size();
    const std::size_t first = next_io_thread.fetch_add(1, std::memory_order_relaxed);
    IoThread* best = nullptr;
    std::int64_t fewest = 0;
    for (std::size_t i = 0; i < count; ++i) {
      IoThread& candidate = *state.io_threads[(first + i) % count];
      const std::int64_t connections = candidate.counters().connections.load(std::memory_order_relaxed);
      if (best == nullptr || connections < fewest) {
        best = &candidate;
        fewest = connections;
      }
    }
    return *best;
  }
};

Network::Network(const NetworkOptions& options, const Clock& clock) : impl_(std::make_unique<Impl>(options, clock)) {}
Network::~Network() = default;

std::size_t Network::io_threads() const {
  return impl_->state.io_threads.size();
}

Result<std::uint16_t> Network::listen(const std::string& address, std::uint16_t port, Listener listener,
                                      Handler& handler) {
  io_role.assert_held();  // before run()
  auto socket = std::make_unique<ListeningSocket>(impl_->state, listener, handler);
  const auto taken = socket->open(address, port);
  if (!taken) return taken.error();
  impl_->listening.push_back(std::move(socket));
  for (auto& io : impl_->state.io_threads) io->add_handler(handler);
  return *taken;
}

void Network::run(std::size_t io_thread) {
  impl_->io(io_thread).run();
}

void Network::post(std::size_t io_thread, std::function<void()> work) {
  impl_->io(io_thread).post(std::move(work));
}

void Network::after(std::size_t io_thread, std::int64_t delay_ms, std::function<void()> work) {
  IoThread& io = impl_->io(io_thread);
  const std::int64_t due_ns = impl_->state.clock.steady_ns() + std::max<std::int64_t>(delay_ms, 0) * 1'000'000;
  io.post([&io, due_ns, work = std::move(work)] {
    io_role.assert_held();
    io.at(due_ns, work);
  });
}

void Network::every(std::size_t io_thread, std::int64_t period_ms, std::function<void()> work) {
  io_role.assert_held();  // before run()
  impl_->io(io_thread).every(period_ms, std::move(work));
}

void Network::connect(const std::string& address, std::int64_t timeout_ms, Connected done, Handler* on_request,
                      std::function<void()> closed) {
  IoThread& io = impl_->least_loaded();
  // Shared, so that `done` is still here if the io thread takes no letters any more.
  const auto shared_done = std::make_shared<Connected>(std::move(done));
  const bool taken = io.post([&io, address, timeout_ms, shared_done, on_request, closed = std::move(closed)] {
    io_role.assert_held();
    std::make_shared<ConnectAttempt>(io, std::move(*shared_done), on_request, closed)->start(address, timeout_ms);
  });
  if (!taken) (*shared_done)(error(Errc::kClosed));
}

void Network::stop_accepting() {
  impl_->io(0).post([this] {
    io_role.assert_held();
    for (auto& socket : impl_->listening) socket->close();
  });
  for (auto& io : impl_->state.io_threads) {
    io->post([&io = *io] {
      io_role.assert_held();
      io.stop_reading();
    });
  }
}

void Network::stop(std::int64_t patience_ms) {
  using std::chrono::steady_clock;
  TERN_CHECK(IoThread::current() == nullptr, "an io thread cannot wait for itself");
  stop_accepting();
  for (auto& io : impl_->state.io_threads) {
    io->post([&io = *io] {
      io_role.assert_held();
      io.drain();
    });
  }
  const auto busy = [](const std::unique_ptr<IoThread>& io) { return io->is_running() && !io->is_drained(); };
  const auto deadline = steady_clock::now() + std::chrono::milliseconds(patience_ms);
  for (;;) {
    const auto ticket = impl_->state.drained.ticket();
    if (std::none_of(impl_->state.io_threads.begin(), impl_->state.io_threads.end(), busy)) break;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
    if (left <= 0) break;
    impl_->state.drained.wait(ticket, left);
  }
  for (auto& io : impl_->state.io_threads) {
    io->post([&io = *io] {
      io_role.assert_held();
      io.finish();
    });
  }
}

NetworkCounters Network::counters() const {
  NetworkCounters sum;
  for (const auto& io : impl_->state.io_threads) {
    const IoCounters& own = io->counters();
    const auto add = [](std::int64_t& to, const IoCounters::Cell& cell) { to += cell.load(std::memory_order_relaxed); };
    add(sum.connections, own.connections);
    add(sum.accepted, own.accepted);
    add(sum.refused_connections, own.refused_connections);
    add(sum.bad_frames, own.bad_frames);
    add(sum.dropped_for_budget, own.dropped_for_budget);
    add(sum.idle_closed, own.idle_closed);
    add(sum.receiving_bytes, own.receiving_bytes);
    add(sum.unsent_bytes, own.unsent_bytes);
    add(sum.turns, own.turns);
    add(sum.requests, own.requests);
  }
  return sum;
}

}  // namespace tern::remoting
