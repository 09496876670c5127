#pragma once
#include "tern/remoting/request.hpp"

#include "broker/pop/pop.hpp"

namespace tern::broker {

/// POP_MESSAGE (200050).
void pop_message(const remoting::Request& request, remoting::Reply reply, SendStage& stage, Pop& pop);
/// A request that waited comes back, on its io thread, of which `stage` is.
void resume_pop(PopRequestPtr request, bool is_expired, SendStage& stage, Pop& pop);
/// A notification that waited: there is a message now, or its time is over.
void resume_notification(PopRequest& request, bool is_expired);
/// Whether there may be a message for the request in a queue that no other pop is reading.
bool has_message(Pop& pop, const PopRequest& request);

}  // namespace tern::broker
