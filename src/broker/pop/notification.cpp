// NOTIFICATION (200054): is there a message for the group, now or within a time? POLLING_INFO (200055): how many wait.
#include <algorithm>

#include "broker/pop/pop_message.hpp"
#include "broker/pop/requests.hpp"

namespace tern::broker {
namespace {

using protocol::optional;
using protocol::required;
using protocol::Response;

constexpr std::int64_t kPollMsMax = 120'000;
constexpr std::int64_t kTimeMax = std::int64_t{1} << 53;  // so that sums do not overflow

struct Fields {
  std::string_view group;
  std::string_view topic;
  std::int32_t queue_id = -1;
  std::int64_t poll_ms = 0;
  std::int64_t born_ms = 0;
  bool is_order = false;
  std::string_view attempt_id;
};
using F = Fields;
constexpr auto kFields = protocol::fields<F>(required("consumerGroup", &F::group), required("topic", &F::topic),
                                             required("queueId", &F::queue_id), required("pollTime", &F::poll_ms),
                                             required("bornTime", &F::born_ms), optional("order", &F::is_order),
                                             optional("attemptId", &F::attempt_id));
constexpr auto kInfoFields = protocol::fields<F>(required("consumerGroup", &F::group), required("topic", &F::topic),
                                                 required("queueId", &F::queue_id));

Response answer(bool has_message, bool is_full) {
  return protocol::ok().field("hasMsg", has_message).field("pollingFull", is_full);
}

}  // namespace

void notification(const remoting::Request& request, remoting::Reply reply, Pop& pop) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  auto checked = check_readable(pop, fields->group, fields->topic, fields->queue_id, *request.peer, "notification");
  if (checked.refusal) return reply(std::move(*checked.refusal));
  auto made = std::make_shared<PopRequest>();
  made->kind = PopRequest::Kind::kNotification;
  made->peer = request.peer;
  made->io_thread = request.io_thread;
  made->group = fields->group;
  made->topic = fields->topic;
  made->queue_id = fields->queue_id;
  made->is_order = fields->is_order;
  made->attempt_id = fields->attempt_id;
  if (has_message(pop, *made)) return reply(answer(true, false));
  const std::int64_t poll_ms = std::clamp<std::int64_t>(fields->poll_ms, 0, kPollMsMax);
  const std::int64_t passed_ms = pop.clock.wall_ms() - std::clamp(fields->born_ms, -kTimeMax, kTimeMax);
  const std::int64_t wait_ms = std::clamp<std::int64_t>(poll_ms - passed_ms, 0, poll_ms);
  if (wait_ms == 0) return reply(answer(false, false));
  made->deadline_ms = pop.clock.steady_ms() + wait_ms;
  made->reply = std::move(reply);
  const PopHold::Limits limits{pop.options.parked_per_key_max.get(), pop.options.parked_max.get(),
                               pop.broker_options.parked_pulls_bytes_max.get()};
  if (!pop.hold->park(made, limits)) made->reply(answer(false, true));
}

void resume_notification(PopRequest& request, bool is_expired) {
  request.reply(answer(!is_expired, false));
}

Response polling_info(const remoting::Request& request, Pop& pop) {
  const auto fields = kInfoFields.decode(request.header);
  if (!fields) return protocol::refuse(fields.error());
  auto checked = check_readable(pop, fields->group, fields->topic, fields->queue_id, *request.peer, "polling info");
  if (checked.refusal) return std::move(*checked.refusal);
  return protocol::ok().field("pollingNum", pop.hold->parked(fields->group, fields->topic, fields->queue_id));
}

}  // namespace tern::broker
