#include "broker/transaction/transaction_check.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "tern/base/log.hpp"
#include "tern/message/topic_name.hpp"

#include "broker/transaction/past_ends.hpp"

namespace tern::broker {
namespace {

constexpr std::int64_t kIdleMs = 1000;  // the longest sleep
constexpr std::int64_t kRetryMs = 100;  // after copies that could not be stored
constexpr std::int64_t kEndingMs = 10;  // until an end that is being stored is looked at again
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int32_t kQueueId = 0;  // all half messages and marks stand in the first queue

// "12,15,": whatever else stands in the body is passed over.
std::vector<std::int64_t> marks_in(std::string_view text, std::int64_t half_end) {
  std::vector<std::int64_t> halves;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    std::int64_t half = -1;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), half);
    const bool is_number = error == std::errc{} && end == word.data() + word.size();
    if (is_number && half >= 0 && half < half_end) halves.push_back(half);
  }
  return halves;
}

store::QueueBounds bounds_of(const store::QueuePtr& queue) {
  return queue ? queue->bounds() : store::QueueBounds{};
}

}  // namespace

TransactionCheck::TransactionCheck(Parts parts) : parts_(parts), marks_(parts.transactions.marks) {
  const auto& store = parts_.transactions.store;
  const auto begin = [&](std::string_view topic) {
    const auto bounds = bounds_of(store.find_queue(topic, kQueueId));
    const auto saved = parts_.offsets.find(message::kTransactionGroup, topic, kQueueId);
    return std::clamp(saved.value_or(bounds.min.value), bounds.min.value, bounds.max.value);
  };
  exported_ = {begin(message::kTransactionHalfTopic), begin(message::kTransactionOpTopic)};
  marks_.start(exported_.half, exported_.op);
  round_ended_ms_ = parts_.transactions.clock.steady_ms();
}

StepResult TransactionCheck::step() {
  const auto& options = parts_.transactions.options;
  StepResult result;
  result.next_ms = kIdleMs;
  const std::int64_t now = parts_.transactions.clock.steady_ms();
  export_progress();
  if (const auto waiting = marks_.waiting(); waiting.bytes > 0) {
    const std::int64_t wait_ms = waiting.since_ms + options.op_interval_ms.get() - now;
    if (wait_ms <= 0)
      write_all_marks();
    else
      result.next_ms = std::min(result.next_ms, wait_ms);
  }
  const bool ops_are_read = read_ops();
  if (!ops_are_read) result.next_ms = 1;
  // Acquire: pairs with the release in settle(), so that what the group did is seen.
  if (is_under_way_.load(std::memory_order_acquire)) return result;
  const auto next_in = [&](std::int64_t ms) {
    result.next_ms = std::min(result.next_ms, std::max<std::int64_t>(ms, 1));
  };
  if (const std::int64_t retry_at = retry_at_ms_.load(std::memory_order_relaxed); now < retry_at) {
    next_in(retry_at - now);
    return result;
  }
  static_cast<void>(marks_.advance());
  if (!round_end_) {
    const std::int64_t wait_ms = round_ended_ms_ + options.check_interval_ms.get() - now;
    if (wait_ms > 0) {
      next_in(wait_ms);
      return result;
    }
    round_end_ = bounds_of(parts_.transactions.store.find_queue(message::kTransactionHalfTopic, kQueueId)).max.value;
  }
  next_in(look(ops_are_read));
  return result;
}

void TransactionCheck::export_progress() {
  const auto& watermarks = parts_.transactions.store.log().watermarks();
  if (candidate_ && candidate_->durable_at <= watermarks.durable()) {
    const auto& [half, op] = candidate_->progress;
    if (half != exported_.half)
      parts_.offsets.commit(message::kTransactionGroup, message::kTransactionHalfTopic, kQueueId, half);
    if (op != exported_.op)
      parts_.offsets.commit(message::kTransactionGroup, message::kTransactionOpTopic, kQueueId, op);
    exported_ = candidate_->progress;
    candidate_.reset();
  }
  if (candidate_) return;
  // The progress first: what it stands for was published before it moved.
  const auto progress = marks_.progress();
  if (progress != exported_) candidate_ = Candidate{progress, watermarks.published()};
}

void TransactionCheck::settle_progress() {
  export_progress();
  export_progress();
}

void TransactionCheck::write_all_marks() {
  parts_.transactions.on_io_thread(
      0, [&transactions = parts_.transactions](SendStage& stage) { write_marks(transactions, stage, 0); });
}

bool TransactionCheck::read_ops() {
  auto& store = parts_.transactions.store;
  const auto queue = store.find_queue(message::kTransactionOpTopic, kQueueId);
  if (!queue) return true;
  std::size_t bytes = 0;
  for (int count = 0;; ++count) {
    const auto bounds = queue->bounds();
    const std::int64_t at = std::max(marks_.op_next(), bounds.min.value);
    if (at >= bounds.max.value) return true;
    if (count == kOpsMax || bytes >= kOpsBytesMax) return false;
    std::array<store::QueueEntry, 1> entry;
    const auto got = queue->read({at}, entry, false);
    std::vector<std::int64_t> halves;
    if (!got || *got != 1) {
      if (!got) log_warning("op message {} cannot be found: {}", at, got.error().text());
      return true;  // as far as they can be read
    }
    if (const auto record = store.record_of(*queue, {at}, entry[0])) {
      bytes += record->size();
      const auto view = message::parse_record(std::as_bytes(std::span(*record)), message::BodyCheck::kSkip);
      if (message::find_property(view->properties, message::property::kTags) == "d") {
        const std::string_view text(reinterpret_cast<const char*>(view->body.data()), view->body.size());
        halves = marks_in(text, bounds_of(store.find_queue(message::kTransactionHalfTopic, kQueueId)).max.value);
      }
    } else if (record.error().code != store::Errc::kNotFound) {
      log_warning("op message {} at {} cannot be read: {}", at, entry[0].position, record.error().text());
      return true;
    }
    // A bound is reached: half messages at the head are asked about, though there may be marks for them, or nothing
    // would ever move.
    if (!marks_.read_op(at, halves)) return true;
  }
}

std::int64_t TransactionCheck::look(bool ops_are_read) {
  const auto& transactions = parts_.transactions;
  const auto bounds = bounds_of(transactions.store.find_queue(message::kTransactionHalfTopic, kQueueId));
  marks_.pass_to(std::min(bounds.min.value, bounds.max.value));
  std::int64_t at = marks_.advance();
  auto group = std::make_shared<Group>();
  int looked_up = 0;
  std::int64_t next_ms = 1;
  for (int looked = 0; looked < kLookMax && at < *round_end_; ++looked) {
    if (group->items.size() == kGroupMax || group->bytes >= kGroupBytesMax) break;
    const auto state = marks_.state(at);
    if (state == TransactionMarks::State::kOver) {
      ++at;
      continue;
    }
    if (state == TransactionMarks::State::kEnding) {
      next_ms = kEndingMs;
      break;
    }
    Item item;
    item.half = at;
    const auto verdict = judge(at, ops_are_read, looked_up, item);
    if (verdict == Verdict::kStop) {
      round_end_ = at;
      break;
    }
    if (verdict == Verdict::kAskLater) break;
    if (verdict == Verdict::kAct) {
      group->bytes += item.record.size();
      group->items.push_back(std::move(item));
    }
    ++at;
  }
  if (!group->items.empty()) {
    send(std::move(group));
    return kIdleMs;
  }
  if (at >= *round_end_) {
    round_end_.reset();
    round_ended_ms_ = transactions.clock.steady_ms();
    return transactions.options.check_interval_ms.get();
  }
  return next_ms;
}

// kDone: nothing has to be done any more. kStop: it is too young, or cannot be read now. kAskLater: not all marks are
// read, or enough was looked up for one step.
TransactionCheck::Verdict TransactionCheck::judge(std::int64_t half, bool ops_are_read, int& looked_up, Item& item) {
  const auto& transactions = parts_.transactions;
  auto& store = transactions.store;
  const auto queue = store.find_queue(message::kTransactionHalfTopic, kQueueId);
  std::array<store::QueueEntry, 1> entry;
  const auto got = queue ? queue->read({half}, entry, false) : Result<std::size_t>(0);
  if (!got || *got != 1) {
    log_warning("half message {} cannot be found{}{}", half, got ? "" : ": ", got ? "" : got.error().text());
    return Verdict::kStop;
  }
  auto record = store.record_of(*queue, {half}, entry[0]);
  if (!record && record.error().code != store::Errc::kNotFound) {
    log_warning("half message {} at {} cannot be read: {}", half, entry[0].position, record.error().text());
    return Verdict::kStop;
  }
  item.record = record ? std::move(*record) : std::string();
  const auto view = parse_half_message(std::as_bytes(std::span(item.record)));
  if (!view) {  // it has left the log
    marks_.resolve(half);
    return Verdict::kDone;
  }
  const std::int64_t age_ms = transactions.clock.wall_ms() - view->record.born_timestamp;
  const std::int64_t timeout_ms = transactions.options.timeout_ms.get();
  if (view->checks >= transactions.options.checks_max.get() || age_ms > parts_.reserved_hours.get() * kHourMs) {
    item.act = Act::kDiscard;
  } else if (!view->immunity_seconds.empty()) {
    if (age_ms <= view->immunity_ms().value_or(timeout_ms)) item.act = Act::kWait;
  } else if (age_ms >= 0 && age_ms <= timeout_ms) {
    return Verdict::kStop;
  }
  if (!ops_are_read) return Verdict::kAskLater;
  if (!transactions.may_lack_marks(entry[0].position.value)) return Verdict::kAct;
  if (looked_up++ == kPastMax) return Verdict::kAskLater;
  const auto past = find_past_end(store, *view);
  for (const auto copy : past.copies) marks_.link(half, copy);
  if (past.is_committed) {
    marks_.end(half, transactions.clock.steady_ms());
    return Verdict::kDone;
  }
  if (!past.copies.empty()) {
    marks_.resolve(half);
    return Verdict::kDone;
  }
  return Verdict::kAct;
}

void TransactionCheck::send(GroupPtr group) {
  is_under_way_.store(true, std::memory_order_relaxed);
  parts_.transactions.on_io_thread(0, [this, group = std::move(group)](SendStage& stage) {
    for (std::size_t i = 0; i < group->items.size(); ++i) {
      // Ended since: its mark lets head pass, or will.
      if (marks_.state(group->items[i].half) != TransactionMarks::State::kOpen)
        settle(group, true);
      else
        put_back(group, i, stage);
    }
  });
}

void TransactionCheck::put_back(const GroupPtr& group, std::size_t index, SendStage& stage) {
  const auto& item = group->items[index];
  const auto half = *parse_half_message(std::as_bytes(std::span(item.record)));
  if (item.act == Act::kDiscard) parts_.topics.ensure(message::kTransactionDiscardTopic, 1, 0, false);
  const auto done = [this, group, index, half](const PutOutcome& outcome) {
    const auto& stored = group->items[index];
    if (outcome.is_stored() && stored.act == Act::kDiscard) marks_.resolve(stored.half);
    if (outcome.is_stored() && stored.act != Act::kDiscard) {
      const auto state =
          marks_.copied(stored.half, outcome.placement.queue_offset.value, parts_.transactions.clock.steady_ms());
      if (state == TransactionMarks::State::kOpen && stored.act == Act::kCheck) ask(half, outcome.placement);
    }
    settle(group, outcome.is_stored());
  };
  auto& properties = stage.scratch();
  const auto parts = item.act == Act::kDiscard ? discarded_parts(half)
                     : item.act == Act::kWait  ? immune_parts(half, properties)
                                               : checked_parts(half, properties);
  if (stage.send(parts, false, done)) return;
  // Its copy would have more properties than a record can hold, which our own half messages leave room for.
  log_warning("half message {} cannot be put back: its properties are full; it is discarded", item.half);
  parts_.topics.ensure(message::kTransactionDiscardTopic, 1, 0, false);
  group->items[index].act = Act::kDiscard;
  if (!stage.send(discarded_parts(half), false, done)) {
    marks_.resolve(item.half);
    settle(group, true);
  }
}

void TransactionCheck::settle(const GroupPtr& group, bool is_stored) {
  group->has_failed |= !is_stored;
  if (++group->settled < group->items.size()) return;
  if (group->has_failed)
    retry_at_ms_.store(parts_.transactions.clock.steady_ms() + kRetryMs, std::memory_order_relaxed);
  is_under_way_.store(false, std::memory_order_release);
  parts_.wakeup.notify();
}

void TransactionCheck::ask(const HalfMessage& half, const store::Placement& copy) {
  if (half.group.empty() || half.topic.empty()) return;
  // Without one the question is put in a later round, which counts it all the same: so does Apache's broker.
  const auto peer = parts_.clients.producer_behind(half.group, last_asked_);
  if (!peer) return;
  last_asked_ = peer->id();
  peer->notify(check_request(half, copy.queue_offset.value, copy.position.value, parts_.transactions.identity.name));
}

}  // namespace tern::broker
