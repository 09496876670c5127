#include "broker/blocking_answer.hpp"

#include <memory>

namespace tern::broker {

using protocol::ResponseCode;

protocol::Response refuse_overload(const WorkQueue& queue) {
  return protocol::refuse(ResponseCode::kSystemBusy,
                          "[OVERLOAD]system busy, start flow control for a while: {} requests wait for the disk ({})",
                          queue.limits().depth_max, queue.limits().depth_key);
}

protocol::Response refuse_late(const WorkQueue::Lateness& lateness) {
  return protocol::refuse(
      ResponseCode::kSystemBusy,
      "[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: {}ms, size of queue: {}",
      lateness.waited_ms, lateness.depth);
}

void answer_blocking(WorkQueue& queue, remoting::Reply reply, std::function<void(remoting::Reply)> work) {
  auto waiting = std::make_shared<remoting::Reply>(std::move(reply));
  const bool taken = queue.post([waiting, work = std::move(work)] { work(std::move(*waiting)); },
                                [waiting](const WorkQueue::Lateness& late) { (*waiting)(refuse_late(late)); });
  if (!taken) (*waiting)(refuse_overload(queue));
}

}  // namespace tern::broker
