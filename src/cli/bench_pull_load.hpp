#pragma once
// Pulls over many queues at a time, each with one pull under way: what consuming, and reading back, have in common.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tern/base/clock.hpp"
#include "tern/remoting/bulk_client.hpp"

#include "cli/bench_frames.hpp"
#include "cli/session.hpp"

namespace tern::cli {

/// One reader of one queue.
struct PullCursor {
  int queue_id = 0;
  std::int64_t begin = 0;   // where it starts, and starts again
  std::int64_t end = -1;    // where it stops; -1: at the end of the queue, wherever that is by then
  std::int64_t offset = 0;  // of the next pull
  std::size_t connection = 0;
  std::size_t shape = 0;  // which template
  bool under_way = false;
  bool done = false;
  std::int64_t sent_ns = 0;
};

/// What to do when a queue has no more.
enum class AtEnd : std::uint8_t {
  kStop,   // that cursor is done
  kAgain,  // from its beginning
  kWait,   // ask again; the template should let the server wait
};

class PullLoad final : public remoting::BulkClient::Receiver {
 public:
  /// Code 0: `body` is what was found. Called before the next pull goes out.
  using OnFound = std::function<void(const PullCursor&, std::span<const std::byte> body, std::int64_t now_ns)>;

  PullLoad(const Clock& clock, AtEnd at_end, OnFound on_found);

  remoting::BulkClient& client() { return client_; }
  /// What comes on that connection is another's: whoever sends beside the pulls shares their wait.
  void share(std::size_t connection, remoting::BulkClient::Receiver& other) { shared_ = {connection, &other}; }
  std::size_t add_shape(FrameTemplate shape);
  void add(PullCursor cursor);
  /// Sends the first pulls.
  void start();
  /// No more pulls; those under way are still answered.
  void stop() { stopping_ = true; }
  void step(std::int64_t wait_ns) { client_.step(wait_ns); }
  /// All cursors are done, or nothing can come any more.
  [[nodiscard]] bool is_finished() const { return under_way_ == 0; }
  /// The first thing that went wrong, empty if nothing did.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] std::int64_t found() const { return found_; }
  [[nodiscard]] std::int64_t missed() const { return missed_; }

  void received(std::size_t connection, const protocol::CommandHeader& header, std::span<const std::byte> body,
                std::int64_t now_ns) override;
  void ended(std::size_t connection, const Error& why) override;

 private:
  void pull(std::size_t index, std::int64_t now_ns);
  void fail(std::string problem);

  struct Shared {
    std::size_t connection = 0;
    remoting::BulkClient::Receiver* other = nullptr;
  };

  const Clock& clock_;
  const AtEnd at_end_;
  const OnFound on_found_;
  remoting::BulkClient client_;
  Shared shared_;
  std::vector<FrameTemplate> shapes_;
  std::vector<PullCursor> cursors_;
  std::size_t under_way_ = 0;
  std::int64_t found_ = 0;   // answers with messages
  std::int64_t missed_ = 0;  // without
  bool stopping_ = false;
  std::string problem_;
};

/// The number in an ext field; nullopt if it is absent or no number.
[[nodiscard]] std::optional<std::int64_t> number_field(const protocol::CommandHeader& header, std::string_view key);

/// Connects `count` times, or says why not.
Outcome<void> connect_all(remoting::BulkClient& client, const std::string& address, int count);

}  // namespace tern::cli
