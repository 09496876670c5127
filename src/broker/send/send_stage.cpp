#include "broker/send/send_stage.hpp"

#include <utility>

#include "tern/base/check.hpp"

namespace tern::broker {
namespace {

using protocol::ResponseCode;

// What may wait for the log's tail to be prepared, per io thread. Beyond it senders are told that the broker is busy.
constexpr std::size_t kStalledBytesMax = 64 << 20;

}  // namespace

protocol::Response refuse_put(store::Errc why, const store::Store& store, const BrokerOptions& options) {
  switch (why) {
    case store::Errc::kNotReady:
      return protocol::refuse(ResponseCode::kSystemBusy,
                              "[PC_SYNCHRONIZED]broker busy, start flow control for a while");
    case store::Errc::kRecordTooLarge:
      return protocol::refuse(
          ResponseCode::kMessageIllegal,
          "the message is illegal, maybe msg body or properties length not matched. msg body length limit {}B, "
          "msg properties length limit 32KB. A message or batch must also fit a log segment (mappedFileSizeCommitLog).",
          options.message_size_max.get());
    case store::Errc::kDiskFull:
      return protocol::refuse(
          ResponseCode::kServiceNotAvailable,
          "service not available now. It may be caused by one of the following reasons: the broker's disk is full "
          "[CL: {:5.2f}]. Sends are refused above diskSpaceWarningLevelRatio or below storeFreeBytesMin",
          store.disk_used_percent() / 100);
    case store::Errc::kClockBehind:
      return protocol::refuse(
          ResponseCode::kServiceNotAvailable,
          "service not available now. The last stored message is more than 5 s ahead of this machine's clock "
          "(acceptClockBehind)");
    case store::Errc::kReadOnly:
      return protocol::refuse(ResponseCode::kServiceNotAvailable,
                              "service not available now. The store is read-only: {}", store.log().read_only_reason());
    default:
      return protocol::refuse(ResponseCode::kSystemError, "UNKNOWN_ERROR");
  }
}

SendStage::SendStage(store::Store& store, const BrokerOptions& options, const BrokerIdentity& identity,
                     const Clock& clock, std::uint64_t unique_key_seed)
    : store_(store),
      options_(options),
      identity_(identity),
      clock_(clock),
      unique_keys_(unique_key_seed),
      batch_(fresh_batch()) {}

bool SendStage::send(remoting::Reply& reply, std::span<const message::RecordParts> parts, bool wait_for_durable,
                     std::string_view unique_key, std::int32_t queue_id, std::string recall_handle) {
  batch_->records.begin_group();
  store::QueuePtr queue;
  for (const auto& part : parts) {
    if (!queue) queue = store_.queue(part.topic, part.queue_id);
    if (!batch_->records.stage(part, queue)) {
      batch_->records.drop_group();
      return false;
    }
  }
  const bool is_inner_batch = (parts.front().sys_flag & message::kSysInnerBatch) != 0;
  batch_->waiters.push_back({std::move(reply),
                             {},
                             wait_for_durable,
                             {unique_key.begin(), unique_key.end()},
                             clock_.steady_ms(),
                             is_inner_batch,
                             queue_id,
                             std::move(recall_handle)});
  end_send();
  return true;
}

bool SendStage::send(const message::RecordParts& part, bool wait_for_durable, Done done) {
  batch_->records.begin_group();
  if (!batch_->records.stage(part, store_.queue(part.topic, part.queue_id))) {
    batch_->records.drop_group();
    return false;
  }
  batch_->waiters.push_back({{}, std::move(done), wait_for_durable, {}, clock_.steady_ms()});
  end_send();
  return true;
}

void SendStage::end_send() {
  if (options_.group_append && !batch_->records.is_full()) return;
  append(batch_);
  has_appended_ = true;
}

bool SendStage::append() {
  const bool has_appended = std::exchange(has_appended_, false);
  if (batch_->records.empty() && stalled_.empty()) return has_appended;
  while (!stalled_.empty()) {
    auto oldest = std::move(stalled_.front());
    stalled_.pop_front();
    stalled_bytes_ -= oldest->records.bytes();
    const std::size_t before = stalled_.size();
    append(oldest);
    if (stalled_.size() > before) {  // it came back, at the end: it belongs in front
      auto again = std::move(stalled_.back());
      stalled_.pop_back();
      stalled_.push_front(std::move(again));
      break;
    }
  }
  if (!batch_->records.empty()) append(batch_);
  return true;
}

std::unique_ptr<SendStage::Batch> SendStage::fresh_batch() {
  if (spare_) return std::move(spare_);
  auto batch = std::make_unique<Batch>();
  batch->records.append_crcs(store_.appends_crc());
  return batch;
}

void SendStage::append(std::unique_ptr<Batch>& batch) {
  const bool is_current = &batch == &batch_;
  auto work = std::move(batch);
  if (is_current) batch_ = fresh_batch();
  if (is_current && !stalled_.empty()) return stall(std::move(work));  // not before those that wait already

  store_.append(work->records);
  settle(*work);
  // From the first group that found no prepared space on, all wait; the batch is given again as it is.
  if (!work->records.is_settled()) return stall(std::move(work));
  work->records.clear();
  work->waiters.clear();
  work->answered = 0;
  spare_ = std::move(work);
}

void SendStage::stall(std::unique_ptr<Batch> batch) {
  if (stalled_bytes_ + batch->records.bytes() > kStalledBytesMax) {
    refuse_busy(*batch);
    return;
  }
  batch->records.own_bodies();
  stalled_bytes_ += batch->records.bytes();
  stalled_.push_back(std::move(batch));
}

void SendStage::refuse_busy(Batch& batch) {
  for (; batch.answered < batch.waiters.size(); ++batch.answered) {
    answer(batch.waiters[batch.answered], {store::Errc::kNotReady, false, {}}, {});
  }
}

void SendStage::settle(Batch& batch) {
  const auto records = batch.records.records();
  const std::size_t settled = batch.records.groups().size() - batch.records.pending_groups().size();
  const bool acknowledges_durable = store_.log().acknowledges_durable();
  for (; batch.answered < settled; ++batch.answered) {
    const auto& group = batch.records.groups()[batch.answered];
    auto& waiter = batch.waiters[batch.answered];
    const auto& first = records[group.first];
    PutOutcome outcome{first.error, false, first.placement};
    std::string ids;
    if (outcome.is_stored() && group.count > 1 && !waiter.done && !waiter.reply.is_one_way()) {
      for (std::uint32_t r = group.first; r < group.first + group.count; ++r) {
        if (r > group.first) ids += ',';
        message::append_offset_message_id(identity_.store_host, records[r].placement.position.value, ids);
      }
    }
    const auto& last = records[group.first + group.count - 1];
    const auto end = last.placement.position + last.total_size;
    if (outcome.is_stored() && acknowledges_durable && waiter.wait_for_durable) {
      durable_.push_back({end, std::move(waiter), outcome, std::move(ids)});
    } else if (outcome.is_stored() && end > store_.log().watermarks().published()) {
      // Whoever publishes it posts a wake-up to this thread, which comes after this turn.
      published_.push_back({end, std::move(waiter), outcome, std::move(ids)});
    } else {
      answer(waiter, outcome, std::move(ids));
    }
  }
}

void SendStage::answer_published() {
  const auto published = store_.log().watermarks().published();
  while (!published_.empty() && published_.front().end <= published) {
    auto& wait = published_.front();
    answer(wait.waiter, wait.outcome, std::move(wait.message_ids));
    published_.pop_front();
  }
}

void SendStage::answer_durable() {
  const auto durable = store_.log().watermarks().durable();
  while (!durable_.empty() && durable_.front().end <= durable) {
    auto& wait = durable_.front();
    answer(wait.waiter, wait.outcome, std::move(wait.message_ids));
    durable_.pop_front();
  }
  if (durable_.empty() || store_.log().read_only_reason().empty()) return;
  for (auto& wait : durable_) answer(wait.waiter, {store::Errc::kReadOnly, false, {}}, {});
  durable_.clear();
}

void SendStage::expire() {
  const std::int64_t now = clock_.steady_ms();
  while (!durable_.empty() && now - durable_.front().waiter.since_ms > options_.sync_flush_timeout_ms.get()) {
    auto& wait = durable_.front();
    wait.outcome.flush_timed_out = true;
    answer(wait.waiter, wait.outcome, std::move(wait.message_ids));
    durable_.pop_front();
  }
  const std::int64_t busy_ms = store_.log().not_ready_for_ms();
  if (stalled_.empty() || busy_ms <= store_.page_cache_busy_ms()) return;
  for (auto& batch : stalled_) refuse_busy(*batch);
  stalled_.clear();
  stalled_bytes_ = 0;
}

void SendStage::answer(Waiter& waiter, const PutOutcome& outcome, std::string message_ids) {
  if (waiter.done) return waiter.done(outcome);
  if (waiter.reply.is_one_way()) return waiter.reply.forget();
  auto response = outcome.error ? refuse_put(*outcome.error, store_, options_) : protocol::ok();
  if (outcome.is_stored()) {
    if (outcome.flush_timed_out) response.code = static_cast<std::int32_t>(ResponseCode::kFlushDiskTimeout);
    const std::string_view unique_key(waiter.unique_key.data(), waiter.unique_key.size());
    if (message_ids.empty()) {
      response.fields.add(
          "msgId", message::offset_message_id_text(identity_.store_host, outcome.placement.position.value).view());
    } else {
      response.fields.add("msgId", message_ids);
    }
    response.fields.add("queueId", waiter.queue_id);
    response.fields.add("queueOffset", outcome.placement.queue_offset.value);
    if (!unique_key.empty()) response.fields.add("transactionId", unique_key);
    if (!waiter.recall_handle.empty()) response.fields.add("recallHandle", waiter.recall_handle);
    if (waiter.is_inner_batch) response.fields.add("batchUniqId", unique_key);
  }
  response.fields.add("MSG_REGION", options_.region_id);
  response.fields.add("TRACE_ON", options_.trace_on ? "true" : "false");
  waiter.reply(std::move(response));
}

}  // namespace tern::broker
