#include "broker/schedule/delayed_delivery.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "tern/base/log.hpp"
#include "tern/message/properties.hpp"
#include "tern/message/topic_name.hpp"

#include "broker/metadata_table.hpp"

namespace tern::broker {
namespace {

constexpr std::int64_t kRetryMs = 100;      // after a delivery that could not be stored
constexpr std::int64_t kLookAgainMs = 100;  // the longest sleep while anything is scheduled

}  // namespace

struct DelayedDelivery::Delivery {
  int level = 0;
  std::vector<std::string> records;
  std::vector<std::int64_t> offsets;  // of the records; the last one's successor is the progress
  std::int64_t end = 0;
  std::size_t stored = 0;
  std::size_t settled = 0;
  std::int64_t first_failed = -1;
};

DelayedDelivery::DelayedDelivery(const Clock& clock, store::Store& store, const DelayLevels& levels,
                                 const BrokerIdentity& identity, file::Disk& disk, std::string path,
                                 OnIoThread on_io_thread)
    : clock_(clock),
      store_(store),
      levels_(levels),
      identity_(identity),
      file_(disk, std::move(path)),
      on_io_thread_(std::move(on_io_thread)),
      state_(static_cast<std::size_t>(levels.count())),
      saved_(static_cast<std::size_t>(levels.count()), 0) {}

std::optional<std::string> DelayedDelivery::load() {
  return load_table(file_, "offsetTable", false, [&](const protocol::Json* json) {
    if (json == nullptr) return;
    const std::lock_guard lock(save_mutex_);
    if (const auto* version = protocol::object_member(*json, "dataVersion"))
      version_ = data_version_from_json(*version);
    others_ = members_besides(*json, {"dataVersion", "offsetTable"});
    for (const auto& [key, value] : protocol::object_member(*json, "offsetTable")->items()) {
      int level = 0;
      std::from_chars(key.data(), key.data() + key.size(), level);
      if (level < 1 || level > levels_.count() || !value.is_number_integer()) {
        other_levels_[key] = value;
        continue;
      }
      auto& state = state_[static_cast<std::size_t>(level - 1)];
      // Progress never runs ahead of the log.
      std::int64_t offset = std::max<std::int64_t>(0, value.get<std::int64_t>());
      const auto queue = store_.find_queue(message::kScheduleTopic, level - 1);
      const std::int64_t end = queue ? queue->bounds().max.value : 0;
      if (offset > end) {
        log_warning("delay level {}: saved progress {} is beyond the queue's end {} and set to it", level, offset, end);
        offset = end;
      }
      state.offset.store(offset, std::memory_order_relaxed);
      saved_[static_cast<std::size_t>(level - 1)] = offset;
    }
  });
}

StepResult DelayedDelivery::step(int budget) {
  StepResult result;
  const std::int64_t now = clock_.wall_ms();
  std::int64_t next = 1000;
  for (int level = 1; level <= levels_.count(); ++level) next = std::min(next, step_level(level, budget, now));
  result.next_ms = std::max<std::int64_t>(next, 1);
  return result;
}

// Returns in how many milliseconds this level wants to be looked at again.
std::int64_t DelayedDelivery::step_level(int level, int budget, std::int64_t now) {
  constexpr std::int64_t kIdleMs = 1000;
  auto& state = state_[static_cast<std::size_t>(level - 1)];
  // Acquire: pairs with the release in the delivery's end, so that offset is its result.
  if (state.is_under_way.load(std::memory_order_acquire)) return kIdleMs;
  if (const std::int64_t steady = clock_.steady_ms(); steady < state.retry_at_ms) return state.retry_at_ms - steady;
  const auto queue = store_.find_queue(message::kScheduleTopic, level - 1);
  if (!queue) return kIdleMs;
  const auto bounds = queue->bounds();
  std::int64_t offset = state.offset.load(std::memory_order_relaxed);
  if (offset < bounds.min.value) {
    offset = bounds.min.value;
    state.offset.store(offset, std::memory_order_relaxed);
  }
  auto delivery = std::make_shared<Delivery>();
  delivery->level = level;
  std::int64_t next = kLookAgainMs;
  std::array<store::QueueEntry, 1> entry;
  while (offset < bounds.max.value && static_cast<int>(delivery->records.size()) < budget) {
    const auto got = queue->read({offset}, entry, false);
    if (!got || *got != 1) {
      if (!got) log_warning("delay level {}: queue entry {} cannot be read: {}", level, offset, got.error().text());
      next = kRetryMs;
      break;
    }
    // A due time further away than the level reaches is a clock that went back. What stands in the queue by now is then
    // due one delay from now, by the clock that never goes back: not early, and not held up until the other clock has
    // caught up.
    const std::int64_t due = due_of(entry[0]);
    const std::int64_t steady = clock_.steady_ms();
    if (due > now + levels_.delay_ms(level) && offset >= state.held_end) {
      state.held_end = bounds.max.value;
      state.held_until_ms = steady + levels_.delay_ms(level);
    }
    const std::int64_t wait_ms =
        offset < state.held_end ? std::min(due - now, state.held_until_ms - steady) : due - now;
    if (wait_ms > 0) {
      next = std::min(next, wait_ms);
      break;
    }
    auto record = store_.record_of(*queue, {offset}, entry[0]);
    if (record) {
      delivery->records.push_back(std::move(*record));
      delivery->offsets.push_back(offset);
    } else if (record.error().code != store::Errc::kNotFound) {
      log_warning("delay level {}: the message at {} cannot be read: {}", level, entry[0].position,
                  record.error().text());
      next = kRetryMs;
      break;
    }
    ++offset;
  }
  delivery->end = offset;
  if (delivery->records.empty()) {
    state.offset.store(offset, std::memory_order_relaxed);
    return next;
  }
  state.is_under_way.store(true, std::memory_order_relaxed);
  on_io_thread_(0, [this, delivery](SendStage& stage) {
    const auto settle = [this, delivery](std::size_t index, bool is_stored) {
      if (!is_stored && (delivery->first_failed < 0 || delivery->offsets[index] < delivery->first_failed)) {
        delivery->first_failed = delivery->offsets[index];
      }
      if (++delivery->settled < delivery->records.size()) return;
      auto& done = state_[static_cast<std::size_t>(delivery->level - 1)];
      const bool failed = delivery->first_failed >= 0;
      if (failed) done.retry_at_ms = clock_.steady_ms() + kRetryMs;
      done.offset.store(failed ? delivery->first_failed : delivery->end, std::memory_order_relaxed);
      done.is_under_way.store(false, std::memory_order_release);
      wakeup_.notify();
    };
    for (std::size_t i = 0; i < delivery->records.size(); ++i) {
      const auto record =
          message::parse_record(std::as_bytes(std::span(delivery->records[i])), message::BodyCheck::kSkip);
      const auto topic = message::find_property(record->properties, message::property::kRealTopic);
      const auto queue_text = message::find_property(record->properties, message::property::kRealQueueId);
      std::int32_t queue_id = -1;
      if (queue_text) std::from_chars(queue_text->data(), queue_text->data() + queue_text->size(), queue_id);
      if (!topic || queue_id < 0 || *topic == message::kTransactionHalfTopic) {
        log_warning("delay level {}: the message at offset {} names no topic to go to and is dropped", delivery->level,
                    delivery->offsets[i]);
        settle(i, true);
        continue;
      }
      message::RecordParts parts;
      parts.topic = *topic;
      parts.queue_id = queue_id;
      parts.flag = record->flag;
      parts.sys_flag = record->sys_flag;
      parts.born_timestamp = record->born_timestamp;
      parts.born_host = record->born_host;
      parts.store_host = identity_.store_host;  // ids of the delivered message must lead here
      parts.reconsume_times = record->reconsume_times;
      parts.body = record->body;
      parts.properties = record->properties;
      if (!stage.send(parts, false, [settle, i](const PutOutcome& outcome) { settle(i, outcome.is_stored()); }))
        settle(i, true);
    }
  });
  return kIdleMs;
}

std::int64_t DelayedDelivery::due_of(const store::QueueEntry& entry) const {
  if (!store::is_ext_address(entry.tags_code)) return entry.tags_code;
  // The entry's extension is gone: the record says it too.
  const auto bytes = store_.record_at(entry.position);
  if (!bytes) return 0;  // delivery finds out why
  const auto record = message::parse_record(std::as_bytes(std::span(*bytes)), message::BodyCheck::kSkip);
  return record ? levels_.tags_code(record->properties, record->store_timestamp) : 0;
}

std::int64_t DelayedDelivery::offset(int level) const {
  return state_[static_cast<std::size_t>(level - 1)].offset.load(std::memory_order_relaxed);
}

protocol::Json DelayedDelivery::to_json(const std::vector<std::int64_t>& offsets) const {
  auto table = protocol::Json::object();
  for (int level = 1; level <= levels_.count(); ++level) {
    if (store_.find_queue(message::kScheduleTopic, level - 1))
      table[std::to_string(level)] = offsets[static_cast<std::size_t>(level - 1)];
  }
  return {{"offsetTable", std::move(table)}};
}

std::vector<std::int64_t> DelayedDelivery::offsets() const {
  std::vector<std::int64_t> offsets;
  for (const auto& level : state_) offsets.push_back(level.offset.load(std::memory_order_relaxed));
  return offsets;
}

protocol::Json DelayedDelivery::to_json() const {
  auto json = to_json(offsets());
  const std::lock_guard lock(save_mutex_);
  json["dataVersion"] = broker::to_json(version_);
  return json;
}

Status DelayedDelivery::save() {
  const std::lock_guard lock(save_mutex_);
  const auto& marks = store_.log().watermarks();
  if (candidate_ && candidate_->delivered_by <= marks.durable() && candidate_->offsets != saved_) {
    version_.bump(clock_.wall_ms());
    auto json = to_json(candidate_->offsets);
    json["dataVersion"] = broker::to_json(version_);
    for (const auto& [level, offset] : other_levels_.items()) json["offsetTable"].emplace(level, offset);
    for (const auto& [name, value] : others_.items()) json.emplace(name, value);
    if (const auto status = file_.save(protocol::write_pretty_json(json, {"offsetTable"})); !status) return status;
    saved_ = candidate_->offsets;
  }
  if (!candidate_ || candidate_->delivered_by <= marks.durable()) {
    // Offsets first: what they stand for was published before they moved.
    auto now = offsets();
    candidate_ = Candidate{std::move(now), marks.published()};
  }
  return {};
}

}  // namespace tern::broker
