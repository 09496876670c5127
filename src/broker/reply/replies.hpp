#pragma once
// Request and reply: what the processor of replies looks at.

#include <functional>

#include "tern/base/clock.hpp"

#include "broker/clients/client_calls.hpp"
#include "broker/clients/client_registry.hpp"
#include "broker/reply/reply_options.hpp"
#include "broker/send/send_message.hpp"

namespace tern::broker {

/// Constant after construction, but for what has its own lock.
struct Replies {
  using OnIoThread = std::function<void(std::size_t io_thread, std::function<void(SendStage&)>)>;
  static constexpr std::int64_t kPushTimeoutMs = 10'000;

  const ReplyOptions& options;
  const Clock& clock;
  SendServices& sends;
  ClientRegistry& clients;
  ClientCalls& calls;
  OnIoThread on_io_thread;
};

}  // namespace tern::broker
