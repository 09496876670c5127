// CHANGE_MESSAGE_INVISIBLETIME (200053): a message shall come again that long from now, and not before. It gets a
// checkpoint of its own, after which the old one is told that it is done.
#include <algorithm>
#include <memory>

#include "broker/pop/pop_ack.hpp"
#include "broker/pop/requests.hpp"

namespace tern::broker {
namespace {

using protocol::required;
using protocol::Response;
using protocol::ResponseCode;

struct Fields : PopReceiptFields {
  std::int64_t invisible_ms = 0;
};
using F = Fields;
constexpr auto kFields = protocol::fields<F>(required("consumerGroup", static_cast<std::string_view F::*>(&F::group)),
                                             required("topic", static_cast<std::string_view F::*>(&F::topic)),
                                             required("queueId", static_cast<std::int32_t F::*>(&F::queue_id)),
                                             required("extraInfo", static_cast<std::string_view F::*>(&F::receipt)),
                                             required("offset", static_cast<std::int64_t F::*>(&F::offset)),
                                             required("invisibleTime", &F::invisible_ms));

Response with_receipt(Response response, std::int64_t pop_time, std::int64_t invisible_ms, std::int32_t revive_queue) {
  response.fields.add("popTime", pop_time);
  response.fields.add("invisibleTime", invisible_ms);
  response.fields.add("reviveQid", std::int64_t{revive_queue});
  return response;
}
Response with_zeros(Response response) {
  return with_receipt(std::move(response), 0, 0, 0);
}

struct Job {
  remoting::Reply reply;
  PopAckName old;
  std::int64_t offset = 0;
  Checkpoint checkpoint;
  std::int32_t revive_queue = 0;
  PopLedger::Id id = 0;
};
using JobPtr = std::shared_ptr<Job>;

void refuse(Pop& pop, const JobPtr& job, store::Errc error) {
  job->reply(with_zeros(refuse_put(error, pop.store, pop.broker_options)));
}

void stored(Pop& pop, const JobPtr& job, SendStage& stage, const PutOutcome& outcome) {
  if (!outcome.is_stored()) {
    pop.ledger.abandon(job->id);
    pop.ledger.end_ack(job->old.named(), {job->offset}, false);
    return refuse(pop, job, *outcome.error);
  }
  pop.ledger.stored(job->id, outcome.placement.queue_offset.value, outcome.placement.position,
                    pop.clock.steady_ms() + job->checkpoint.invisible_ms);
  write_acknowledgement(pop, stage, job->old, {job->offset}, [&pop, job](std::optional<store::Errc> error) {
    if (!error) {
      return job->reply(
          with_receipt(protocol::ok(), job->checkpoint.pop_time, job->checkpoint.invisible_ms, job->revive_queue));
    }
    // The old one counts as before; the new one must not bring the message a second time.
    const PopLedger::Named fresh{job->old.named().queue, job->checkpoint.start_offset, job->checkpoint.pop_time};
    static_cast<void>(pop.ledger.begin_ack(fresh, {job->offset}));
    pop.ledger.end_ack(fresh, {job->offset}, true);
    refuse(pop, job, *error);
  });
}

}  // namespace

void change_invisible_time(const remoting::Request& request, remoting::Reply reply, SendStage& stage, Pop& pop) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(with_zeros(protocol::refuse(fields.error())));
  auto checked = check_receipt(pop, *fields, 0);
  if (checked.refusal) return reply(with_zeros(std::move(*checked.refusal)));
  if (fields->invisible_ms < 0 || fields->invisible_ms > kInvisibleMsMax) {
    return reply(
        with_zeros(protocol::refuse(ResponseCode::kInvalidParameter, "invisibleTime is {} ms; allowed are 0 to {}",
                                    fields->invisible_ms, kInvisibleMsMax)));
  }
  const auto& receipt = checked.receipt;
  if (receipt.revive_queue == kOrderReviveQueue) {
    const PopQueueName name{fields->group, fields->topic, fields->queue_id};
    if (!pop.orders.change(name, fields->offset, receipt.pop_time, fields->invisible_ms))
      return reply(with_zeros(protocol::ok()));
    pop.timed_wakeup.notify();
    const std::int64_t passed_ms = pop.clock.wall_ms() - receipt.pop_time;
    return reply(with_receipt(protocol::ok(), receipt.pop_time, passed_ms + fields->invisible_ms, kOrderReviveQueue));
  }
  auto job = std::make_shared<Job>();
  job->old = {std::string(fields->group), std::string(fields->topic), fields->queue_id, receipt.start_offset,
              receipt.pop_time};
  job->offset = fields->offset;
  const auto revive_queue = pop.ledger.revive_queue_of(job->old.named());
  const bool is_of_message = receipt.queue_id == fields->queue_id && receipt.offset == fields->offset;
  // Stale, forged, or of another queue: there is nothing to change, and nothing is to be made of the zeros.
  if (!is_of_message || !revive_queue || pop.ledger.begin_ack(job->old.named(), {fields->offset}).empty())
    return reply(with_zeros(protocol::ok()));
  job->revive_queue = *revive_queue;
  auto& checkpoint = job->checkpoint;
  checkpoint.topic = job->old.topic;
  checkpoint.group = job->old.group;
  checkpoint.broker = pop.identity.name;
  checkpoint.queue_id = fields->queue_id;
  checkpoint.start_offset = fields->offset;
  checkpoint.deltas = {0};
  checkpoint.invisible_ms = fields->invisible_ms;
  checkpoint.pop_time = std::max(pop.clock.wall_ms(), receipt.pop_time);
  const auto end = pop.store.queue(pop.revive_topic, job->revive_queue)->bounds().max.value;
  std::optional<PopLedger::Id> id;
  while (!(id = pop.ledger.begin(checkpoint, job->revive_queue, end))) ++checkpoint.pop_time;  // another has that name
  job->id = *id;
  job->reply = std::move(reply);
  const bool is_staged =
      write_revive_record(pop, stage, job->revive_queue, checkpoint_text(checkpoint, pop.clock.wall_ms()),
                          [&pop, job, &stage](const PutOutcome& outcome) { stored(pop, job, stage, outcome); });
  if (!is_staged) stored(pop, job, stage, {store::Errc::kRecordTooLarge, false, {}});
}

}  // namespace tern::broker
