// END_TRANSACTION (37): a producer commits a half message, rolls it back, or does not know. What is committed becomes a
// message of its real topic; then a mark in the op queue says that the half message is done. Of one transaction the
// first decision counts: a second one is answered with success and changes nothing.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "tern/message/topic_name.hpp"

#include "broker/blocking_answer.hpp"
#include "broker/transaction/half_message.hpp"
#include "broker/transaction/past_ends.hpp"
#include "broker/transaction/requests.hpp"

namespace tern::broker {
namespace {

using protocol::Response;
using protocol::ResponseCode;

struct Fields {
  std::string_view group;
  std::int64_t half_offset = 0;
  std::int64_t position = 0;
  std::int32_t decision = 0;
  bool from_check = false;
};
constexpr auto kFields = protocol::fields<Fields>(protocol::required("producerGroup", &Fields::group),
                                                  protocol::required("tranStateTableOffset", &Fields::half_offset),
                                                  protocol::required("commitLogOffset", &Fields::position),
                                                  protocol::required("commitOrRollback", &Fields::decision),
                                                  protocol::optional("fromTransactionCheck", &Fields::from_check));

constexpr std::int32_t kUnknown = 0;
constexpr std::int32_t kCommit = message::kSysTransactionCommit;
constexpr std::int32_t kRollback = message::kSysTransactionRollback;

/// One request on its way: from its io thread perhaps to the blocking thread, and back.
struct Job {
  remoting::Reply reply;
  std::string group;
  Fields fields;  // the group in them is this one
  store::PinnedBytes record;
  PastEnd past;
};
using JobPtr = std::shared_ptr<Job>;

// The record at a position that a client named, if it stands in the hot tail; checked as Store::record_at does.
std::optional<store::PinnedBytes> hot_record(const store::CommitLog& log, store::LogPosition position) {
  constexpr std::int64_t kFrontSize = 8;
  const auto front_bytes = log.hot(position, kFrontSize);
  if (!front_bytes) return std::nullopt;
  const auto front = message::peek_record(front_bytes->bytes);
  if (!front || front->magic == message::kMagicBlank) return std::nullopt;
  auto record = log.hot(position, front->total_size);
  if (!record) return std::nullopt;
  const auto view = message::parse_record(record->bytes, message::BodyCheck::kSkip);
  if (!view || view->physical_offset != position.value) return std::nullopt;
  return record;
}

Response not_found(std::int64_t position, std::string_view why) {
  return protocol::refuse(ResponseCode::kSystemError, "Find prepared transaction message failed: commitLogOffset {} {}",
                          position, why);
}

// nullopt: the half message is the one that the request means, and it may be ended by it.
std::optional<Response> refusal(const Job& job, const HalfMessage& half, const Transactions& transactions) {
  const auto& fields = job.fields;
  if (!fields.from_check && !half.immunity_seconds.empty()) {
    const std::int64_t age_ms = transactions.clock.wall_ms() - half.record.born_timestamp;
    const std::int64_t limit_ms = std::max(half.immunity_ms().value_or(0), transactions.options.timeout_ms.get());
    if (age_ms > limit_ms) {
      return protocol::refuse(ResponseCode::kIllegalOperation,
                              "Message commit fail [producer end]. The half message was born {} ms ago, and "
                              "CHECK_IMMUNITY_TIME_IN_SECONDS={} with transactionTimeOut={} allows {} ms: wait for the "
                              "broker to ask",
                              age_ms, half.immunity_seconds, transactions.options.timeout_ms.get(), limit_ms);
    }
  }
  if (half.group.empty() || fields.group != half.group) {
    return protocol::refuse(ResponseCode::kSystemError,
                            "The producer group wrong: producerGroup is \"{}\", the half message at commitLogOffset {} "
                            "is of \"{}\"",
                            fields.group, fields.position, half.group);
  }
  if (fields.half_offset != half.record.queue_offset) {
    return protocol::refuse(ResponseCode::kSystemError,
                            "The transaction state table offset wrong: tranStateTableOffset is {}, the half message at "
                            "commitLogOffset {} has {}",
                            fields.half_offset, fields.position, half.record.queue_offset);
  }
  if (fields.decision == kCommit && !half.can_be_committed()) {
    return not_found(fields.position, fmt::format("holds a half message that names no place to go to: REAL_TOPIC is "
                                                  "\"{}\", REAL_QID {}",
                                                  half.topic.substr(0, message::kTopicLengthMax), half.queue_id));
  }
  return std::nullopt;
}

// As Apache words it here, which is not as for a send.
Response refuse_commit(store::Errc why, const Transactions& transactions) {
  auto response = refuse_put(why, transactions.store, transactions.broker_options);
  if (why != store::Errc::kNotReady) return response;
  return protocol::refuse(ResponseCode::kSystemError, "OS page cache busy, please try another machine");
}

void commit(const JobPtr& job, const HalfMessage& half, SendStage& stage, Transactions& transactions) {
  const std::int64_t offset = half.record.queue_offset;
  const auto parts = committed_parts(half, stage.scratch());
  const bool is_staged = stage.send(parts, false, [job, offset, &stage, &transactions](const PutOutcome& outcome) {
    if (!outcome.is_stored()) {
      transactions.marks.abandon(offset);
      return job->reply(refuse_commit(*outcome.error, transactions));
    }
    mark_ended(transactions, stage, offset);
    job->reply(protocol::ok());
  });
  if (is_staged) return;
  transactions.marks.abandon(offset);
  job->reply(refuse_commit(store::Errc::kRecordTooLarge, transactions));
}

// On the request's io thread, with the record.
void finish(const JobPtr& job, SendStage& stage, Transactions& transactions) {
  const auto half = parse_half_message(job->record.bytes);
  if (!half) return job->reply(not_found(job->fields.position, "holds no half message"));
  if (auto response = refusal(*job, *half, transactions)) return job->reply(std::move(*response));
  const std::int64_t offset = half->record.queue_offset;
  for (const auto copy : job->past.copies) transactions.marks.link(offset, copy);
  switch (transactions.marks.begin_end(offset)) {
    case TransactionMarks::Begin::kOver:
      return job->reply(protocol::ok());
    case TransactionMarks::Begin::kFull:
      return job->reply(protocol::refuse(ResponseCode::kSystemBusy,
                                         "too many ended transactions wait for their marks, the limit is {}",
                                         TransactionMarks::kEndingMax));
    case TransactionMarks::Begin::kTaken:
      break;
  }
  if (job->fields.decision == kCommit && !job->past.is_committed) return commit(job, *half, stage, transactions);
  mark_ended(transactions, stage, offset);
  job->reply(protocol::ok());
}

}  // namespace

void end_transaction(const remoting::Request& request, remoting::Reply reply, SendStage& stage,
                     Transactions& transactions) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  if (fields->decision == kUnknown) return reply.forget();
  if (fields->decision != kCommit && fields->decision != kRollback) {
    return reply(protocol::refuse(ResponseCode::kSystemError,
                                  "commitOrRollback field wrong: {} is none of 0 (unknown), 8 (commit), 12 (rollback)",
                                  fields->decision));
  }
  auto job = std::make_shared<Job>();
  job->group = fields->group;
  job->fields = *fields;
  job->fields.group = job->group;
  const bool looks_up =
      transactions.may_lack_marks(fields->position) || transactions.marks.is_past(fields->half_offset);
  if (!looks_up) {
    if (auto record = hot_record(transactions.store.log(), {fields->position})) {
      job->reply = std::move(reply);
      job->record = std::move(*record);
      return finish(job, stage, transactions);
    }
  }
  job->reply = std::move(reply);
  const auto find = [job, looks_up, io_thread = request.io_thread, &transactions] {
    auto bytes = transactions.store.record_at({job->fields.position});
    if (!bytes) return job->reply(not_found(job->fields.position, "is no message of this broker's log"));
    const auto kept = std::make_shared<const std::string>(std::move(*bytes));
    job->record = {kept, std::as_bytes(std::span(*kept))};
    if (const auto half = parse_half_message(job->record.bytes); half && looks_up)
      job->past = find_past_end(transactions.store, *half);
    transactions.on_io_thread(io_thread, [job, &transactions](SendStage& there) { finish(job, there, transactions); });
  };
  const bool is_taken =
      transactions.blocking.post(find, [job](const WorkQueue::Lateness& late) { job->reply(refuse_late(late)); });
  if (!is_taken) job->reply(refuse_overload(transactions.blocking));
}

}  // namespace tern::broker
