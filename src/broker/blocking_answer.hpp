#pragma once
// Requests whose answer may have to wait for the disk.

#include <functional>

#include "tern/base/work_queue.hpp"
#include "tern/protocol/command.hpp"
#include "tern/remoting/request.hpp"

namespace tern::broker {

/// Runs `work` on the queue's thread, with the reply to answer. SYSTEM_BUSY instead, with the limit named, if too much
/// waits there already, or if the request's turn comes too late for anybody to wait for it.
void answer_blocking(WorkQueue& queue, remoting::Reply reply, std::function<void(remoting::Reply)> work);

/// The two refusals, for those who post work of another shape.
[[nodiscard]] protocol::Response refuse_overload(const WorkQueue& queue);
[[nodiscard]] protocol::Response refuse_late(const WorkQueue::Lateness& lateness);

}  // namespace tern::broker
