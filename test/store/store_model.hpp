#pragma once
// The store as it must be: a list of what was sent, in log order, and how much of it is surely on the disk. Everything
// that a reader can ask is compared with it, in a running store and in one that was opened after a crash.

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tern/base/byte_order.hpp"

#include "store/store_fixture.hpp"

namespace tern::store {

struct Sent {
  Message message;
  LogPosition position;
  LogPosition end;
  std::int64_t offset = -1;  // -1: it enters no queue
  std::int64_t time = 0;
  bool must_be_found = true;  // by its queue; false once its topic was removed: it may come back, as it is in the log
};

/// What a stop may have taken away.
struct Losses {
  bool unsynced = false;        // the power was cut: what is not known to be on the disk
  bool emptied_queues = false;  // side file and queue files are gone: where queues without records stood
};

/// Checks return what is wrong, "" if nothing is.
class StoreModel {
 public:
  [[nodiscard]] std::size_t size() const { return sent_.size(); }
  [[nodiscard]] std::size_t durable() const { return durable_; }
  [[nodiscard]] const std::vector<Sent>& sent() const { return sent_; }

  /// The batch has been appended. `messages` are those of its records. Records without a placement were not sent.
  std::string note_sent(const std::vector<Message>& messages, AppendBatch& batch) {
    for (std::size_t i = 0; i < messages.size(); ++i) {
      const auto& record = batch.records()[i];
      if (record.error) continue;
      const auto& at = record.placement;
      Sent sent{messages[i], at.position, at.position + record.total_size, -1, at.store_timestamp};
      if (!sent_.empty() && (at.position < sent_.back().end || at.store_timestamp < sent_.back().time)) {
        return fmt::format("message {} placed at {}, time {}, before the last one", number_of(messages[i]), at.position,
                           at.store_timestamp);
      }
      if (record.takes_offset) {
        auto& next = next_[{sent.message.topic, sent.message.queue_id}];
        sent.offset = at.queue_offset.value;
        if (sent.offset != next)
          return fmt::format("message {} got offset {}, not {}", number_of(messages[i]), sent.offset, next);
        ++next;
      }
      sent_.push_back(std::move(sent));
    }
    return {};
  }
  void note_durable(LogPosition to) {
    while (durable_ < sent_.size() && sent_[durable_].end <= to) ++durable_;
  }
  void note_removed(std::string_view topic) {
    for (auto& sent : sent_) {
      if (sent.message.topic == topic) sent.must_be_found = false;
    }
    std::erase_if(next_, [&](const auto& queue) { return queue.first.first == topic; });
  }
  /// It goes on, but the next start may find it gone.
  void note_half_removed(std::string_view topic) {
    for (auto& sent : sent_) {
      if (sent.message.topic == topic) sent.must_be_found = false;
    }
  }

  /// Upkeep may have removed segments.
  void note_begin(LogPosition min_position) { removed_to_ = std::max(removed_to_, min_position); }

  /// A running store, with whatever has been dispatched.
  std::string compare(Store& store) {
    auto problem = compare_log(store);
    const auto to = store.log().watermarks().dispatched();
    if (problem.empty()) problem = compare_queues(store, to, false);
    if (problem.empty()) problem = compare_keys(store, to);
    return problem;
  }
  /// A store that has just been opened. What it has kept is all that is remembered from now on, and is durable.
  std::string compare_opened(Store& store, const Losses& losses) {
    const auto end = store.max_position();
    const auto kept = static_cast<std::size_t>(
        std::find_if(sent_.begin(), sent_.end(), [&](const Sent& sent) { return sent.end > end; }) - sent_.begin());
    if (kept < (losses.unsynced ? durable_ : sent_.size())) {
      return fmt::format("{} records are left of {}, of which {} were durable", kept, sent_.size(), durable_);
    }
    if (store.min_position() > removed_to_) {
      return fmt::format("the log begins at {}, but was cut at {}", store.min_position(), removed_to_);
    }
    sent_.resize(kept);
    durable_ = kept;
    auto problem = compare_log(store);
    if (problem.empty()) problem = compare_queues(store, end, true);
    if (problem.empty()) problem = compare_keys(store, end);
    if (problem.empty()) problem = adopt_ends(store, losses);
    return problem;
  }

 private:
  using QueueKey = std::pair<std::string, std::int32_t>;

  /// The number that a body begins with.
  static std::string_view number_of(const Message& message) {
    return std::string_view(message.body).substr(0, message.body.find(' '));
  }

  /// Every record behind the log's begin, once, in order, and nothing else.
  std::string compare_log(const Store& store) const {
    auto next = std::find_if(sent_.begin(), sent_.end(),
                             [&](const Sent& sent) { return sent.position >= store.min_position(); });
    for (auto at = store.min_position(); at < store.max_position();) {
      const auto record = store.record_at(at);
      if (!record) {
        const auto next_segment = store.log().next_segment(at);
        std::array<std::byte, 8> blank{};
        if (!store.log().read(at, blank) || load_be<std::int32_t>(blank.data()) != next_segment - at ||
            load_be<std::int32_t>(blank.data() + 4) != message::kMagicBlank) {
          return fmt::format("neither a record nor a blank stands at {}", at);
        }
        at = next_segment;
        continue;
      }
      const auto view = message::parse_record(test::bytes_of(*record), message::BodyCheck::kVerifyCrc);
      if (!view) return fmt::format("position {}: {}", at, view.error().text());
      if (next == sent_.end() || at != next->position) {
        return fmt::format("a record stands at {}, where nothing was placed", at);
      }
      if (test::text_of(view->body) != next->message.body || view->topic != next->message.topic ||
          view->queue_id != next->message.queue_id || view->queue_offset != std::max<std::int64_t>(next->offset, 0) ||
          view->store_timestamp != next->time) {
        return fmt::format("another record than message {} stands at {}", number_of(next->message), at);
      }
      at += view->total_size;
      ++next;
    }
    if (next != sent_.end() && next->end <= store.max_position()) {
      return fmt::format("message {} is missing at {}", number_of(next->message), next->position);
    }
    return {};
  }

  std::string compare_queues(Store& store, LogPosition to, bool has_just_been_opened) {
    std::map<std::int64_t, std::size_t> by_position;
    for (std::size_t i = 0; i < sent_.size(); ++i) by_position[sent_[i].position.value] = i;
    std::vector<bool> is_found(sent_.size(), false);
    for (const auto& queue : store.queues().all()) {
      const auto [min, max] = queue->bounds();
      std::vector<std::int64_t> times;
      LogPosition last{-1};
      for (auto at = min; at < max; at += 1) {
        const auto name = fmt::format("{}#{} {}", queue->topic(), queue->id(), at);
        std::array<QueueEntry, 1> entry;
        const auto count = queue->read(at, entry, false);
        if (!count || *count != 1) return name + ": " + (count ? "no entry" : count.error().text());
        // Retention removes segments first.
        if (!has_just_been_opened && entry[0].position < store.min_position()) continue;
        const auto found = by_position.find(entry[0].position.value);
        if (found == by_position.end()) return fmt::format("{}: no record at {}", name, entry[0].position);
        const auto& sent = sent_[found->second];
        if (entry[0].position <= last || sent.end > to) return fmt::format("{}: out of order", name);
        if (sent.message.topic != queue->topic() || sent.message.queue_id != queue->id() || sent.offset != at.value ||
            entry[0].size != sent.end - sent.position) {
          return fmt::format("{}: the record at {} is message {}", name, entry[0].position, number_of(sent.message));
        }
        last = entry[0].position;
        is_found[found->second] = true;
        times.push_back(sent.time);
      }
      if (auto problem = compare_times(store, *queue, times, max.value); !problem.empty()) return problem;
    }
    const auto from = std::max(removed_to_, store.min_position());
    for (std::size_t i = 0; i < sent_.size(); ++i) {
      auto& sent = sent_[i];
      if (sent.offset < 0 || sent.position < from || sent.end > to) continue;
      if (sent.must_be_found && !is_found[i]) {
        const auto queue = store.find_queue(sent.message.topic, sent.message.queue_id);
        return fmt::format("message {} at {} has no entry {} in {}#{}, which has {} to {}", number_of(sent.message),
                           sent.position, sent.offset, sent.message.topic, sent.message.queue_id,
                           queue ? queue->bounds().min.value : -1, queue ? queue->bounds().max.value : -1);
      }
      // Recovery may have found a removed topic again; then it stays.
      if (has_just_been_opened) sent.must_be_found = is_found[i];
    }
    return {};
  }

  /// `times` of the queue's last entries; before and behind the first and the last one, too.
  static std::string compare_times(const Store& store, const Queue& queue, const std::vector<std::int64_t>& times,
                                   std::int64_t max) {
    if (times.empty() || max - queue.bounds().min.value != static_cast<std::int64_t>(times.size())) return {};
    const auto min = queue.bounds().min.value;
    for (const auto time : {times.front() - 1, times[times.size() / 2], times.back(), times.back() + 1}) {
      const auto lower = store.offset_by_time(queue, time, TimeBoundary::kLower);
      const auto upper = store.offset_by_time(queue, time, TimeBoundary::kUpper);
      const auto want_lower = std::lower_bound(times.begin(), times.end(), time) - times.begin();
      const auto want_upper =
          std::max<std::ptrdiff_t>(0, std::upper_bound(times.begin(), times.end(), time) - times.begin() - 1);
      if (!lower || !upper || lower->value != min + want_lower || upper->value != min + want_upper) {
        return fmt::format("{}#{} at time {}: {} and {}, not {} and {}", queue.topic(), queue.id(), time,
                           lower ? fmt::to_string(*lower) : lower.error().text(),
                           upper ? fmt::to_string(*upper) : upper.error().text(), min + want_lower, min + want_upper);
      }
    }
    return {};
  }

  std::string compare_keys(Store& store, LogPosition to) const {
    std::map<std::pair<std::string, std::string>, std::vector<const Sent*>> by_key;
    const auto from = std::max(removed_to_, store.min_position());
    for (const auto& sent : sent_) {
      const auto kind = sent.message.sys_flag & message::kSysTransactionMask;
      if (sent.message.key.empty() || kind == message::kSysTransactionRollback) continue;
      by_key[{sent.message.topic, sent.message.key}].push_back(&sent);
    }
    for (const auto& [name, all] : by_key) {
      const auto found = store.query(name.first, name.second, 64, 0, INT64_MAX);
      if (!found) return fmt::format("key {}: {}", name.second, found.error().text());
      auto positions = found->positions;
      std::erase_if(positions, [&](LogPosition at) { return at < from; });
      for (const auto* sent : all) {
        const auto times = std::erase(positions, sent->position);
        const bool must_be_found = sent->must_be_found && sent->position >= from && sent->end <= to;
        if (times > 1 || (must_be_found && times == 0)) {
          return fmt::format("key {} finds message {} at {} {} times", name.second, number_of(sent->message),
                             sent->position, times);
        }
      }
      if (!positions.empty()) return fmt::format("key {} finds something at {}", name.second, positions.front());
    }
    return {};
  }

  /// The next offset of each queue: behind the last record that it ever had, also if that one has expired.
  std::string adopt_ends(Store& store, const Losses& losses) {
    std::map<QueueKey, std::int64_t> ends;
    for (const auto& sent : sent_) {
      if (sent.offset >= 0 && sent.must_be_found) ends[{sent.message.topic, sent.message.queue_id}] = sent.offset + 1;
    }
    next_.clear();
    for (const auto& queue : store.queues().all()) {
      const auto max = queue->bounds().max.value;
      if (queue->next_offset != max) {
        return fmt::format("{}#{} ends at {}, but goes on at {}", queue->topic(), queue->id(), max, queue->next_offset);
      }
      next_[{queue->topic(), queue->id()}] = max;
    }
    for (const auto& [name, end] : ends) {
      const auto next = next_.find(name);
      const auto actual = next == next_.end() ? 0 : next->second;
      const auto queue = store.find_queue(name.first, name.second);
      const bool is_empty = !queue || queue->bounds().min == queue->bounds().max;
      if (actual == end) continue;
      if (losses.emptied_queues && is_empty) {
        for (auto& sent : sent_) {
          if (QueueKey{sent.message.topic, sent.message.queue_id} == name) sent.must_be_found = false;
        }
        continue;
      }
      return fmt::format("{}#{} goes on at {}, not {}", name.first, name.second, actual, end);
    }
    return {};
  }

  std::vector<Sent> sent_;
  std::size_t durable_ = 0;
  std::map<QueueKey, std::int64_t> next_;
  LogPosition removed_to_{0};  // as far as retention had come, at most
};

/// Sends groups of messages in one batch. "" or what is wrong with where they were placed; refusals are not.
inline std::string send_groups(StoreLife& life, StoreModel& model, const std::vector<std::vector<Message>>& groups) {
  std::vector<Message> messages;
  for (const auto& group : groups) messages.insert(messages.end(), group.begin(), group.end());
  std::vector<std::string> properties;
  for (const auto& message : messages) properties.push_back(properties_of(message));
  auto& batch = life.batch;
  batch.clear();
  std::size_t at = 0;
  for (const auto& group : groups) {
    batch.begin_group();
    for (std::size_t i = 0; i < group.size(); ++i, ++at) {
      const auto& message = messages[at];
      auto parts = parts_of(message.body, message.topic, properties[at]);
      parts.queue_id = message.queue_id;
      parts.sys_flag = message.sys_flag;
      if (!batch.stage(parts, life->queue(message.topic, message.queue_id))) return "a record cannot be staged";
      batch.records().back().takes_offset = message.sys_flag == 0;
    }
  }
  for (int attempt = 0; attempt < 20 && !batch.is_settled(); ++attempt) {
    life->append(batch);
    if (!batch.is_settled()) life->segments_step();
  }
  return model.note_sent(messages, batch);
}

}  // namespace tern::store
