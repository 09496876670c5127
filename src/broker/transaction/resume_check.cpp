// RESUME_CHECK_HALF_MESSAGE (323): an administrator wants producers to be asked again about a half message that was
// given up, or has been asked about often: it becomes a new half message, whose count begins at 0. One that has been
// committed stays as it is.
#include <memory>

#include "tern/message/message_id.hpp"

#include "broker/blocking_answer.hpp"
#include "broker/transaction/half_message.hpp"
#include "broker/transaction/past_ends.hpp"
#include "broker/transaction/requests.hpp"

namespace tern::broker {
namespace {

using protocol::ResponseCode;

struct Fields {
  std::string_view message_id;
};
constexpr auto kFields = protocol::fields<Fields>(protocol::required("msgId", &Fields::message_id));

constexpr std::string_view kFailed = "Put message back to RMQ_SYS_TRANS_HALF_TOPIC failed.";

struct Job {
  remoting::Reply reply;
  std::string record;
  HalfPlace place = HalfPlace::kHalfTopic;
};
using JobPtr = std::shared_ptr<Job>;

std::optional<HalfMessage> half_of(const Job& job) {
  return parse_half_message(std::as_bytes(std::span(job.record)), job.place);
}

// On io thread 0, where all copies are made.
void put_back(const JobPtr& job, SendStage& stage, Transactions& transactions) {
  const auto half = *half_of(*job);
  const std::int64_t offset = half.record.queue_offset;
  // Of one that the pass has not left behind, the new one becomes a copy, so that both can end but once.
  const bool is_known = job->place == HalfPlace::kHalfTopic && !transactions.marks.is_past(offset);
  const auto done = [job, offset, is_known, &transactions](const PutOutcome& outcome) {
    if (!outcome.is_stored()) {
      auto why = refuse_put(*outcome.error, transactions.store, transactions.broker_options);
      return job->reply(protocol::refuse(ResponseCode::kSystemError, "{} {}", kFailed, why.remark));
    }
    const auto copy = outcome.placement.queue_offset.value;
    if (is_known && transactions.marks.state(offset) == TransactionMarks::State::kOver)
      transactions.marks.link(offset, copy);
    else if (is_known)
      static_cast<void>(transactions.marks.copied(offset, copy, transactions.clock.steady_ms()));
    job->reply(protocol::ok());
  };
  if (stage.send(resumed_parts(half, stage.scratch()), false, done)) return;
  job->reply(protocol::refuse(ResponseCode::kSystemError, "{} Its properties leave no room for the count", kFailed));
}

void find(const JobPtr& job, std::int64_t position, Transactions& transactions) {
  auto record = transactions.store.record_at({position});
  if (record) {
    job->record = std::move(*record);
    if (!half_of(*job)) job->place = HalfPlace::kDiscardTopic;
  }
  const auto half = half_of(*job);
  if (!half) {
    return job->reply(protocol::refuse(ResponseCode::kSystemError,
                                       "{} At {} there is no half message, and none that was given up", kFailed,
                                       position));
  }
  if (find_past_end(transactions.store, *half).is_committed) {
    return job->reply(protocol::refuse(ResponseCode::kSystemError, "{} The half message at {} has been committed",
                                       kFailed, position));
  }
  transactions.on_io_thread(0, [job, &transactions](SendStage& stage) { put_back(job, stage, transactions); });
}

}  // namespace

void resume_check(const remoting::Request& request, remoting::Reply reply, Transactions& transactions) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  const auto id = message::parse_offset_message_id(fields->message_id);
  if (!id) {
    return reply(protocol::refuse(ResponseCode::kSystemError,
                                  "{} msgId [{}] is no id that says where a message stands: 32 or 56 hex digits",
                                  kFailed, fields->message_id));
  }
  answer_blocking(transactions.blocking, std::move(reply),
                  [position = id->physical_offset, &transactions](remoting::Reply to) {
                    const auto job = std::make_shared<Job>();
                    job->reply = std::move(to);
                    find(job, position, transactions);
                  });
}

}  // namespace tern::broker
