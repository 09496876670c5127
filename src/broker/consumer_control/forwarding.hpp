#pragma once
// A request that is for one consumer and not for the broker: passed on over the consumer's connection, and its answer
// passed back as it is.

#include <span>
#include <string_view>

#include "tern/remoting/request.hpp"

#include "broker/clients/client_calls.hpp"
#include "broker/clients/client_registry.hpp"

namespace tern::broker {

/// The request as the consumer gets it: all ext fields, but with those of `replaced` in the place of their namesakes.
[[nodiscard]] protocol::Outgoing forwarded(const protocol::CommandHeader& header,
                                           std::span<const protocol::ExtField> replaced = {});

/// Sends it to the member of the group with this id. Any thread. Answers what the consumer answers: code, remark, ext
/// fields, body and version; SYSTEM_ERROR if it is not online or too old, CONSUME_MESSAGE_TIMEOUT if it says nothing.
void ask_consumer(const ClientRegistry& clients, ClientCalls& calls, std::string_view group, std::string_view client_id,
                  protocol::Outgoing request, remoting::Reply reply);

}  // namespace tern::broker
