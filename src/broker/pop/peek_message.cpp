// PEEK_MESSAGE (200052): the messages that a pop would give, without receipts; nothing changes.
#include <algorithm>
#include <memory>

#include "broker/blocking_answer.hpp"
#include "broker/pop/pop_read.hpp"
#include "broker/pop/requests.hpp"

namespace tern::broker {
namespace {

using protocol::required;
using protocol::Response;
using protocol::ResponseCode;

struct Fields {
  std::string_view group;
  std::string_view topic;
  std::int32_t queue_id = -1;
  std::int32_t count_max = 32;
};
using F = Fields;
constexpr auto kFields =
    protocol::fields<F>(required("topic", &F::topic), required("queueId", &F::queue_id),
                        required("maxMsgNums", &F::count_max), required("consumerGroup", &F::group));

Response with_rest(Response response, std::int64_t rest) {
  for (const auto* name : {"popTime", "invisibleTime", "reviveQid"}) response.fields.add(name, "0");
  response.fields.add("restNum", rest);
  return response;
}

// nullopt: the disk would have to be waited for.
std::optional<Response> peek(Pop& pop, const PopRequest& request, const PopPass& pass, bool no_wait) {
  std::string messages;
  int count = 0;
  std::int64_t rest = 0;
  for (const auto& source : pass.sources) {
    const auto queue = pop.store.find_queue(source.topic->name, source.queue_id);
    if (!queue) continue;
    const auto start = next_offset(pop, request, source.topic->name, *queue);
    const std::int64_t offset = std::max(start.offset, queue->bounds().min.value);
    const std::int64_t room = pop.broker_options.pull_bytes_max.get() - static_cast<std::int64_t>(messages.size());
    std::int64_t next = offset;
    if (count < request.count_max && room > 0) {
      const auto read = read_messages(pop.store, *queue, offset,
                                      {request.count_max - count, room, pop.broker_options.filter_scan_bytes_max},
                                      MessageFilter{}, no_wait);
      if (read.status == ReadStatus::kWouldBlock) return std::nullopt;
      if (read.status == ReadStatus::kFound) {
        messages += read.messages;
        count += read.count;
        next = read.next_offset;
      }
    }
    rest += std::max<std::int64_t>(0, queue->bounds().max.value - next);
  }
  if (count == 0) {
    return with_rest(protocol::refuse(ResponseCode::kPullNotFound, "{}", to_text(ReadStatus::kNoMessageInQueue)), rest);
  }
  auto response = with_rest(protocol::ok(), rest);
  response.remark = to_text(ReadStatus::kFound);
  response.body = std::move(messages);
  return response;
}

}  // namespace

void peek_message(const remoting::Request& request, remoting::Reply reply, Pop& pop) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(with_rest(protocol::refuse(fields.error()), 0));
  auto checked = check_readable(pop, fields->group, fields->topic, fields->queue_id, *request.peer, "peek");
  if (checked.refusal) return reply(with_rest(std::move(*checked.refusal), 0));
  const auto made = std::make_shared<PopRequest>();
  made->group = fields->group;
  made->topic = fields->topic;
  made->queue_id = fields->queue_id;
  made->count_max = std::clamp<int>(fields->count_max, 1, pop.broker_options.pull_count_max.get());
  // The queues in order, what comes again last.
  constexpr std::uint32_t kInOrder = 99;
  const auto pass = std::make_shared<PopPass>(begin_pass(pop, *made, kInOrder));
  if (auto response = peek(pop, *made, *pass, true)) return reply(std::move(*response));
  answer_blocking(pop.cold_reads, std::move(reply),
                  [&pop, made, pass](remoting::Reply to) { to(std::move(*peek(pop, *made, *pass, false))); });
}

}  // namespace tern::broker
