#include "broker/pop/reviver.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "tern/base/check.hpp"
#include "tern/base/log.hpp"
#include "tern/message/properties.hpp"
#include "tern/message/topic_name.hpp"

namespace tern::broker {
namespace {

namespace property = message::property;

constexpr std::int64_t kRetryMs = 1'000;       // after copies that could not be stored, or messages not read
constexpr std::int64_t kTimedGraceMs = 3'000;  // acknowledgements of Apache's timer come after their checkpoint
constexpr std::size_t kForeignPerStep = 1'024;
/// Group whose offset in a revive queue says up to where the saved consumer offsets tell of all checkpoints.
constexpr std::string_view kMarkGroup = "CID_RMQ_SYS_TERN_POP_MARK";

// The message of a queue offset; kNotFound if it is gone.
Result<std::string> message_at(const Pop& pop, const store::Queue& queue, std::int64_t offset,
                               store::LogPosition before) {
  std::array<store::QueueEntry, 1> entry;
  const auto bounds = queue.bounds();
  const Error gone = store::error(store::Errc::kNotFound);
  if (offset < bounds.min.value || offset >= bounds.max.value) return gone;
  const auto got = queue.read({offset}, entry, false);
  if (!got) return got.error();
  if (*got != 1) return gone;
  auto record = pop.store.record_of(queue, {offset}, entry[0]);
  // What stands behind its checkpoint is another message: the topic was removed and is there again.
  if (record && entry[0].position >= before) return gone;
  return record;
}

}  // namespace

Reviver::Reviver(Pop& pop) : pop_(pop) {}

// ---- what the revive topic says

void Reviver::load() {
  for (const auto& queue : pop_.store.queues_of(pop_.revive_topic)) {
    const auto bounds = queue->bounds();
    const auto saved = pop_.offsets.find(kReviveGroup, pop_.revive_topic, queue->id());
    const std::int64_t begin = std::clamp(saved.value_or(-1) + 1, bounds.min.value, bounds.max.value);
    // Without a mark of ours the offsets are Apache's, which does not move them on; or nothing was ever saved.
    const std::int64_t raises_from =
        pop_.offsets.find(kMarkGroup, pop_.revive_topic, queue->id()).value_or(saved ? INT64_MAX : 0);
    exported_[queue->id()] = begin;
    for (auto offset = begin; offset < bounds.max.value; ++offset) {
      if (take_record(*queue, offset, raises_from)) continue;
      log_warning("{}#{}: the record at offset {} cannot be read: what it says of popped messages is not known",
                  pop_.revive_topic, queue->id(), offset);
    }
    pop_.offsets.commit(kMarkGroup, pop_.revive_topic, queue->id(), bounds.max.value);
  }
  if (const auto open = pop_.ledger.open(); open > 0) log_info("{} checkpoints of POP are open", open);
}

bool Reviver::take_record(const store::Queue& queue, std::int64_t offset, std::int64_t raises_from) {
  // Damage stays, and must not hold up all that stands behind it.
  const auto passes = [&](const Error& why) {
    if (why.code != store::Errc::kDamaged) return why.code == store::Errc::kNotFound;
    log_error("{}#{}: the record at offset {} is damaged: what it says of popped messages is not known",
              pop_.revive_topic, queue.id(), offset);
    return true;
  };
  std::array<store::QueueEntry, 1> entry;
  const auto got = queue.read({offset}, entry, false);
  if (!got) return passes(got.error());
  if (*got != 1) return true;  // it has left the queue
  const auto bytes = pop_.store.record_of(queue, {offset}, entry[0]);
  if (!bytes) return passes(bytes.error());
  const auto record = message::parse_record(std::as_bytes(std::span(*bytes)), message::BodyCheck::kSkip);
  TERN_CHECK(record, "a record that could be read: {}", record.error().text());
  auto revive = parse_revive_record(*record);
  if (revive.acknowledgement) pop_.ledger.found(*revive.acknowledgement);
  if (!revive.checkpoint) return true;
  const auto& checkpoint = *revive.checkpoint;
  // By the wall clock, which may have gone back meanwhile: never later than one invisible time from now.
  const std::int64_t passed_ms = std::max<std::int64_t>(pop_.clock.wall_ms() - checkpoint.pop_time, 0);
  const std::int64_t left_ms = std::max<std::int64_t>(checkpoint.invisible_ms - passed_ms, 0);
  const std::int64_t due_ms = pop_.clock.steady_ms() + left_ms + (revive.was_timed ? kTimedGraceMs : 0);
  pop_.ledger.found(checkpoint, queue.id(), offset, entry[0].position, due_ms);
  if (offset >= raises_from) raise_offset(checkpoint);
  return true;
}

void Reviver::raise_offset(const Checkpoint& checkpoint) {
  const auto& c = checkpoint;
  const auto queue = pop_.store.find_queue(c.topic, c.queue_id);
  if (!queue) return;
  const std::int64_t next = std::min(c.start_offset + c.deltas.back() + 1, queue->bounds().max.value);
  const auto committed = pop_.offsets.find(c.group, c.topic, c.queue_id);
  if (committed && *committed >= next) return;
  pop_.offsets.commit(c.group, c.topic, c.queue_id, next);
}

void Reviver::arrived(const store::Arrival& arrival) {
  if (arrival.queue.topic() != pop_.revive_topic) return;
  if (!message::find_property(arrival.properties, property::kTimerOutMs)) return;
  {
    const std::lock_guard lock(foreign_mutex_);
    foreign_.push_back({arrival.queue.id(), arrival.offset.value});
  }
  pop_.timed_wakeup.notify();
}

void Reviver::read_foreign() {
  std::vector<Place> places;
  {
    const std::lock_guard lock(foreign_mutex_);
    const auto count = std::min(foreign_.size(), kForeignPerStep);
    places.assign(foreign_.begin(), foreign_.begin() + static_cast<std::ptrdiff_t>(count));
  }
  std::size_t taken = 0;
  for (const auto& place : places) {
    const auto queue = pop_.store.find_queue(pop_.revive_topic, place.queue_id);
    constexpr std::int64_t kNever = INT64_MAX;
    if (queue && !take_record(*queue, place.offset, kNever)) break;  // again in the next step
    ++taken;
  }
  // Only now: until then the progress must not pass them.
  const std::lock_guard lock(foreign_mutex_);
  foreign_.erase(foreign_.begin(), foreign_.begin() + static_cast<std::ptrdiff_t>(taken));
}

// ---- bringing back

StepResult Reviver::step() {
  StepResult result;
  result.next_ms = pop_.options.revive_interval_ms.get();
  for (const auto& [group, topic] : pop_.orders.take_free()) pop_.hold->look_again(group, topic);
  if (const auto next = pop_.orders.next_free()) result.next_ms = std::clamp<std::int64_t>(*next, 1, result.next_ms);
  read_foreign();
  export_progress();
  move_laggards();
  // Acquire: pairs with the release in settle(), so that what the group did is seen.
  if (is_under_way_.load(std::memory_order_acquire)) return result;
  const std::int64_t now = pop_.clock.steady_ms();
  auto group = std::make_shared<Group>();
  std::size_t bytes = 0;
  // One by one, because what is taken must be sent.
  while (group->items.size() < kGroupMax && bytes < kGroupBytesMax) {
    auto due = pop_.ledger.take_due(now, 1);
    if (due.empty()) break;
    group->items.push_back({std::move(due.front()), {}, {}, 0, false});
    bytes += collect(group->items.back());
  }
  result.done = static_cast<std::int64_t>(group->items.size());
  if (!group->items.empty()) {
    group->open = group->items.size();
    is_under_way_.store(true, std::memory_order_relaxed);
    send(group);
    return result;
  }
  if (const auto next = pop_.ledger.next_due(now)) result.next_ms = std::clamp<std::int64_t>(*next, 1, result.next_ms);
  return result;
}

std::size_t Reviver::collect(Item& item) {
  const auto& checkpoint = item.due.checkpoint;
  const bool is_wanted = pop_.topics.find(checkpoint.topic) && pop_.groups.find(checkpoint.group);
  const auto queue = is_wanted ? pop_.store.find_queue(checkpoint.topic, checkpoint.queue_id) : nullptr;
  std::size_t bytes = 0;
  for (const auto delta : checkpoint.deltas) {
    const std::int64_t offset = checkpoint.start_offset + delta;
    if (!queue) {
      item.done.push_back(offset);
      continue;
    }
    auto record = message_at(pop_, *queue, offset, item.due.position);
    if (record) {
      bytes += record->size();
      item.copies.push_back({offset, std::move(*record)});
    } else if (record.error().code == store::Errc::kNotFound) {
      item.done.push_back(offset);
    } else {
      static LogRateLimit lines;  // it is tried again every second
      if (const auto times = lines.admit(pop_.clock)) {
        log_warning("POP: the message at offset {} of {}#{} cannot be read: {} ({} times)", offset, checkpoint.topic,
                    checkpoint.queue_id, record.error().text(), times);
      }
      item.has_failed = true;
    }
  }
  return bytes;
}

void Reviver::send(const GroupPtr& group) {
  pop_.on_io_thread(0, [this, group](SendStage& stage) {
    for (auto& item : group->items) {
      item.unsettled = item.copies.size() + 1;
      for (const auto& copy : item.copies) put_back(group, item, copy, stage);
      if (--item.unsettled == 0) copies_settled(group, item, stage);
    }
  });
}

void Reviver::put_back(const GroupPtr& group, Item& item, const Item::Copy& copy, SendStage& stage) {
  const auto settled = [this, group, &item, &copy, &stage](bool is_stored) {
    if (is_stored)
      item.done.push_back(copy.offset);
    else
      item.has_failed = true;
    if (--item.unsettled == 0) copies_settled(group, item, stage);
  };
  const auto& checkpoint = item.due.checkpoint;
  const auto record = message::parse_record(std::as_bytes(std::span(copy.record)), message::BodyCheck::kSkip);
  TERN_CHECK(record, "a record that could be read: {}", record.error().text());
  const bool is_v2 = pop_.options.retries_to_v2;
  const auto topic = message::is_retry_topic(checkpoint.topic) ? checkpoint.topic
                     : is_v2                                   ? pop_retry_topic_v2(checkpoint.group, checkpoint.topic)
                                                               : pop_retry_topic_v1(checkpoint.group, checkpoint.topic);
  pop_.topics.ensure(topic, 1, 0, false);
  const std::int32_t queue_id = pop_.options.has_retry_queues ? checkpoint.queue_id : 0;
  if (queue_id > 0) pop_.topics.ensure_queue(topic, queue_id, store::QueueKind::kSimple);
  if (!pop_.offsets.find(checkpoint.group, topic, queue_id)) pop_.offsets.commit(checkpoint.group, topic, queue_id, 0);
  message::RecordParts parts;
  parts.topic = topic;
  parts.queue_id = queue_id;
  parts.flag = record->flag;
  parts.sys_flag = record->sys_flag;
  parts.born_timestamp = record->born_timestamp;
  parts.born_host = parts.store_host = pop_.identity.store_host;
  parts.reconsume_times = record->reconsume_times + 1;
  parts.body = record->body;
  // Without what would have it delayed once more.
  auto& properties = stage.scratch();
  properties.clear();
  message::PropertyWriter writer(properties);
  writer.copy(message::without_appended_crc(record->properties), property::kPopCheckpoint, property::kDelay,
              property::kTimerDelaySeconds, property::kTimerDelayMs, property::kTimerDeliverMs);
  if (!message::find_property(properties, property::kFirstPopTime))
    writer.add(property::kFirstPopTime, checkpoint.pop_time);
  parts.properties = properties;
  if (stage.send(parts, true, [settled](const PutOutcome& outcome) { settled(outcome.is_stored()); })) return;
  // Its properties are full: it comes again without a note of its first time.
  properties.clear();
  writer.copy(message::without_appended_crc(record->properties), property::kPopCheckpoint, property::kFirstPopTime);
  parts.properties = properties;
  if (!stage.send(parts, true, [settled](const PutOutcome& outcome) { settled(outcome.is_stored()); })) settled(false);
}

void Reviver::copies_settled(const GroupPtr& group, Item& item, SendStage& stage) {
  if (item.done.empty()) return settle(group, item);
  std::sort(item.done.begin(), item.done.end());
  const auto& c = item.due.checkpoint;
  auto text = acknowledgement_text(
      {c.topic, c.group, pop_.identity.name, c.queue_id, c.start_offset, c.pop_time, item.done}, pop_.clock.wall_ms());
  // Not stored: then a crash brings the messages once more, and nothing else is different.
  const auto done = [this, group, &item](const PutOutcome&) { settle(group, item); };
  if (!write_revive_record(pop_, stage, item.due.revive_queue, std::move(text), done)) settle(group, item);
}

void Reviver::settle(const GroupPtr& group, Item& item) {
  pop_.ledger.revived(item.due.id, item.done, pop_.clock.steady_ms() + kRetryMs);
  if (--group->open > 0) return;
  is_under_way_.store(false, std::memory_order_release);
  pop_.timed_wakeup.notify();
}

// ---- progress

Reviver::Progress Reviver::progress() const {
  Progress progress;
  for (const auto& queue : pop_.store.queues_of(pop_.revive_topic)) {
    // The end first: what is found or stored after that is above it.
    const auto end = queue->bounds().max.value;
    auto needed = pop_.ledger.first_needed(queue->id(), end);
    const std::lock_guard lock(foreign_mutex_);
    for (const auto& place : foreign_) {
      if (place.queue_id == queue->id()) needed = std::min(needed, place.offset);
    }
    progress[queue->id()] = needed;
  }
  return progress;
}

void Reviver::export_progress() {
  const auto& watermarks = pop_.store.log().watermarks();
  if (candidate_ && candidate_->durable_at <= watermarks.durable()) {
    const auto now = progress();
    for (const auto& [queue_id, first] : candidate_->progress) {
      // A record that came to the topic by itself may have been behind the end without being known yet.
      const auto current = now.find(queue_id);
      const auto needed = current == now.end() ? first : std::min(first, current->second);
      auto& exported = exported_[queue_id];
      if (needed <= exported) continue;
      exported = needed;
      pop_.offsets.commit(kReviveGroup, pop_.revive_topic, queue_id, needed - 1);  // the last one done, as Apache's
    }
    candidate_.reset();
  }
  if (candidate_) return;
  // The progress first: what it stands for was published before it moved.
  auto now = progress();
  if (now != exported_) candidate_ = Candidate{std::move(now), watermarks.published()};
}

void Reviver::settle_progress() {
  export_progress();
  export_progress();
  mark_offsets();
}

void Reviver::mark_offsets() {
  const auto find = [this](std::int32_t queue_id) {
    return pop_.offsets.find(kMarkGroup, pop_.revive_topic, queue_id);
  };
  if (!mark_) {
    // The ends first: what stands below had begun before.
    Mark mark;
    for (const auto& queue : pop_.store.queues_of(pop_.revive_topic)) {
      mark.ends[queue->id()] = queue->bounds().max.value;
      // The queue is one of this process: all of its checkpoints move offsets on.
      if (!find(queue->id())) pop_.offsets.commit(kMarkGroup, pop_.revive_topic, queue->id(), 0);
    }
    mark.began_before = pop_.ledger.next_id();
    mark_ = std::move(mark);
  }
  if (pop_.ledger.first_in_flight() < mark_->began_before) return;  // the next save
  for (const auto& [queue_id, end] : mark_->ends) {
    if (find(queue_id) != end) pop_.offsets.commit(kMarkGroup, pop_.revive_topic, queue_id, end);
  }
  mark_.reset();
}

void Reviver::move_laggards() {
  if (moving_.load(std::memory_order_acquire) > 0) return;
  for (const auto& queue : pop_.store.queues_of(pop_.revive_topic)) {
    auto laggard = pop_.ledger.take_laggard(queue->id(), queue->bounds().max.value, kBehindMax);
    if (!laggard) continue;
    moving_.fetch_add(1, std::memory_order_relaxed);
    const auto job = std::make_shared<PopLedger::Laggard>(std::move(*laggard));
    pop_.on_io_thread(0, [this, job](SendStage& stage) {
      const auto moved = [this, job](const PutOutcome& outcome) {
        pop_.ledger.moved(job->id, outcome.is_stored() ? outcome.placement.queue_offset.value : -1);
        moving_.fetch_sub(1, std::memory_order_release);
      };
      auto text = checkpoint_text(job->checkpoint, pop_.clock.wall_ms());
      if (!write_revive_record(pop_, stage, job->revive_queue, std::move(text), moved))
        moved({store::Errc::kRecordTooLarge, false, {}});
    });
  }
}

}  // namespace tern::broker
