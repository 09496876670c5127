// The log is read once. Each record names its queue and offset, and each queue is read beside it; its keys are the next
// entries of the index. What one of the three has and the others lack is damage, unless the store's own state says that
// it was not yet to be there.

#include "store/inspect/verification.hpp"

#include <algorithm>
#include <array>

#include "tern/message/properties.hpp"
#include "tern/message/topic_name.hpp"

#include "store/derived.hpp"
#include "store/identity.hpp"
#include "store/inspect/metadata_check.hpp"
#include "store/recovery.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kProgressBytes = 1 << 20;
constexpr std::int64_t kCheckpointSize = 4096;
constexpr std::int64_t kCheckpointFieldsSize = 48;
constexpr std::int64_t kOffsetsMissingMax = std::int64_t{1} << 40;
// In the root, beside the directories of log, queues and index.
constexpr std::string_view kRead[] = {"abort", "abort.bak", "checkpoint", "config", "lock", "tern"};

std::string name_of(std::string_view topic, std::int32_t id) {
  return fmt::format("{}#{}", topic, id);
}

}  // namespace

Verification::Verification(file::Disk& disk, const InspectOptions& options, const StoreFacts& facts,
                           const StoreFiles& files, VerifyReport& report, const Inspector::Progress& progress)
    : disk_(disk),
      options_(options),
      facts_(facts),
      files_(files),
      report_(report),
      progress_(progress),
      log_(disk, files),
      keys_(disk, files.index_files, files.index_shape) {}

Status Verification::run() {
  for (const auto& finding : files_.findings) add(finding);
  for (const auto& queue : files_.queues) {
    if (message::is_light(queue.topic)) continue;
    queues_.emplace(Name{queue.topic, queue.id}, Walked(QueueReader(disk_, queue)));
  }
  const auto report = [&](Finding finding) { add(std::move(finding)); };
  const auto extension = options_.queue_directory + "_ext";
  const auto has_extension = disk_.exists(extension);
  if (!has_extension) return has_extension.error();
  if (*has_extension) {
    extension_ = extension;
    if (const auto status = check_ext_files(disk_, extension, report); !status) return status;
  }
  set_bounds();
  for (const auto& segment : files_.segments) total_bytes_ += std::min(segment.size, files_.segment_size_bytes);
  if (facts_.use == StoreUse::kRunning) total_bytes_ = std::min(total_bytes_, walk_to_ - log_.min_position());
  for (const auto& file : files_.index_files) total_bytes_ += file.size;

  if (const auto status = check_index(); !status) return status;
  report_.from = log_.min_position();
  if (const auto status = walk_log(); !status) return status;
  report_.to = stopped_at_;
  report_.known_end = std::max(stopped_at_, must_reach_);
  if (const auto status = finish_queues(); !status) return status;
  for (auto& finding : index_findings_) add(std::move(finding));
  if (const auto status = finish_keys(); !status) return status;
  check_state();
  if (const auto status = check_checkpoint(); !status) return status;
  if (const auto status = check_metadata(); !status) return status;
  if (const auto status = list_unread(); !status) return status;
  if (progress_) progress_(total_bytes_, total_bytes_);
  return {};
}

// ---- what is found

void Verification::add(Finding finding) {
  if (!finding.is_damage) {
    if (++notes_ <= VerifyReport::kFindingsMax) report_.findings.push_back(std::move(finding));
    return;
  }
  ++report_.damages;
  const auto named = named_.find(finding.file);
  if (named != named_.end() && named->second >= VerifyReport::kFindingsPerFile) return;
  if (named_damages_ >= VerifyReport::kFindingsMax) {
    if (named == named_.end()) ++report_.unnamed_damages;
    return;
  }
  ++named_damages_;
  ++named_[finding.file];
  report_.findings.push_back(std::move(finding));
}

void Verification::add_always(Finding finding) {
  if (finding.is_damage) {
    ++report_.damages;
    ++named_[finding.file];
  }
  report_.findings.push_back(std::move(finding));
}

void Verification::damage(const Place& place, std::int64_t size, LogPosition position, std::string text) {
  if (position.value >= 0 && is_gone(position)) return;
  add({true, place.file, place.at, size, position, std::move(text)});
}

void Verification::note(std::string file, std::string text, LogPosition position) {
  add({false, std::move(file), -1, 0, position, std::move(text)});
}

void Verification::missing_file(const std::string& path, LogPosition position, const std::string& text) {
  if (!missing_files_.insert(path).second || is_gone(position)) return;
  // A gap between files has been seen when they were listed.
  for (const auto& finding : files_.findings) {
    if (finding.file == path) return;
  }
  add({true, path, -1, 0, position, text});
}

void Verification::advance(std::int64_t bytes) {
  counted_bytes_ += bytes;
  if (counted_bytes_ < kProgressBytes) return;
  done_bytes_ += counted_bytes_;
  counted_bytes_ = 0;
  if (progress_) progress_(std::min(done_bytes_, total_bytes_), total_bytes_);
}

bool Verification::is_gone(LogPosition position) {
  if (facts_.use != StoreUse::kRunning) return false;
  if (position < gone_below_) return true;
  const auto listed = disk_.list(options_.log_directory);
  if (!listed) return false;
  for (const auto& entry : *listed) {
    const auto start = parse_segment_name(entry.name);
    if (!start || entry.is_directory) continue;
    gone_below_ = std::max(gone_below_, *start);
    break;
  }
  return position < gone_below_;
}

bool Verification::is_skipped(LogPosition position) const {
  return position < log_.min_position() || position < gone_below_ ||
         std::any_of(
             gaps_.begin(), gaps_.end(), [&](const Gap& gap) { return position >= gap.from && position < gap.to; });
}

// ---- what must be there

void Verification::set_bounds() {
  const auto end = log_.end();
  constexpr LogPosition kAll{INT64_MAX};
  const auto& state = facts_.state;
  walk_to_ = end;
  if (facts_.checkpoint) {
    flushed_time_ = flushed_time(std::min(facts_.checkpoint->log_timestamp, facts_.checkpoint->queue_timestamp), false);
  }
  // Also a state whose digest does not fit is believed in this: what differs may be the damage.
  const bool is_inside =
      state && !state->only_durable && state->dispatched >= log_.min_position() && state->durable <= end;
  must_reach_ = state ? state->durable : LogPosition{0};
  if (must_reach_ > end) {
    damage(log_.segments().empty() ? Place{options_.log_directory, -1} : log_.place_of(end), 0, end,
           fmt::format("the log ends here, but it was known to be on disk up to {} ({}/tern/state)", must_reach_,
                       options_.root));
    must_reach_ = end;
  }
  switch (facts_.use) {
    case StoreUse::kStopped:
      strict_to_ = keys_strict_to_ = kAll;
      break;
    case StoreUse::kCrashed:
      strict_to_ = is_inside ? state->dispatched : LogPosition{0};
      keys_strict_to_ = is_inside ? state->indexed : LogPosition{0};
      break;
    case StoreUse::kRunning:
      if (is_inside) {
        walk_to_ = must_reach_ = strict_to_ = state->dispatched;
        keys_strict_to_ = state->indexed;
        note(options_.root,
             fmt::format("is in use: verified up to {}, as saved last; what came later is not looked at", walk_to_));
      } else {
        const auto saved = facts_.checkpoint ? LogPosition{facts_.checkpoint->queue_position} : LogPosition{0};
        walk_to_ = must_reach_ = strict_to_ = std::clamp(saved, log_.min_position(), end);
        note(options_.root, fmt::format("the running broker has not yet saved a state: verified up to {}", walk_to_));
      }
      break;
  }
  keys_.stop_at(keys_strict_to_);
  has_saved_positions_ = is_inside;
}

bool Verification::is_strict(const message::RecordView& record, LogPosition position) const {
  if (position < strict_to_) return true;
  return facts_.use == StoreUse::kCrashed && !has_saved_positions_ && record.store_timestamp <= flushed_time_;
}

// ---- the log

Status Verification::walk_log() {
  const auto first_key = keys_.peek();
  if (!first_key) return first_key.error();
  if (*first_key) keys_from_ = LogPosition{(*first_key)->entry.position};

  stopped_at_ = log_.min_position();
  Status failure;
  const auto visit = [&](const message::RecordView& record, LogPosition position) {
    if (position >= walk_to_) return false;
    failure = check_record(record, position);
    stopped_at_ = position + record.total_size;
    advance(record.total_size);
    return failure.has_value();
  };
  bool has_ended = false;
  for (const auto& segment : log_.segments()) {
    const LogPosition start{segment.start};
    if (has_ended || start >= walk_to_) break;
    if (start > stopped_at_) gaps_.push_back({stopped_at_, start});
    if (segment.size == 0 || start < stopped_at_) continue;
    stopped_at_ = start;
    const auto opened = log_.open(segment);
    if (!opened) {
      if (opened.error().code != std::errc::no_such_file_or_directory || !is_gone(start)) return opened.error();
      continue;
    }
    const auto scan = scan_segment(**opened, log_.readable_end(segment), start, message::BodyCheck::kVerifyCrc, visit);
    if (!scan) return scan.error();
    if (!failure) return failure;
    if (scan->was_ended || stopped_at_ >= walk_to_) return {};
    const LogPosition next = start + files_.segment_size_bytes;
    if (scan->is_filled) {
      stopped_at_ = next;
      continue;
    }
    const auto damaged = is_damage(stopped_at_);
    if (!damaged) return damaged.error();
    if (*damaged) {
      const auto problem = log_.problem_at(stopped_at_);
      if (!problem) return problem.error();
      if (!is_gone(stopped_at_)) {
        add_always({true, segment.path, stopped_at_.value - segment.start + problem->at, problem->size, stopped_at_,
                    problem->text});
      }
      gaps_.push_back({stopped_at_, next});
      if (&segment != &log_.segments().back()) stopped_at_ = next;
    } else {
      has_ended = true;
    }
  }
  return look_at_tail();
}

Result<bool> Verification::is_damage(LogPosition at) {
  if (at < must_reach_ || is_older_than_checkpoint(at)) return true;
  // Without a state file: whole segments behind were written later, and entries name what was there.
  for (const auto& segment : log_.segments()) {
    if (segment.start <= at.value || segment.size == 0) continue;
    const auto held = log_.held_at({segment.start}, message::BodyCheck::kVerifyCrc);
    if (!held) return held.error();
    if (held->kind != Held::Kind::kRecord) continue;
    const auto record = message::parse_record(std::as_bytes(std::span(held->bytes)), message::BodyCheck::kSkip);
    if (facts_.use == StoreUse::kStopped || (record && record->store_timestamp <= flushed_time_)) return true;
  }
  if (facts_.use != StoreUse::kStopped) return false;
  for (auto& [name, walked] : queues_) {
    const auto entry = next_entry(walked);
    if (!entry) return entry.error();
    if (*entry && is_valid(**entry) && (*entry)->position == at) return true;
  }
  return false;
}

// As a start asks.
bool Verification::is_older_than_checkpoint(LogPosition at) const {
  if (facts_.use == StoreUse::kRunning || !facts_.checkpoint) return false;
  return is_before_checkpoint({at, log_.min_position(), files_.segment_size_bytes, last_store_timestamp_},
                              facts_.checkpoint->log_timestamp, facts_.use == StoreUse::kStopped);
}

Status Verification::look_at_tail() {
  if (log_.segments().empty()) return {};
  const auto& last = log_.segments().back();
  const auto end = log_.readable_end(last);
  if (last.size > 0 && last.size < files_.segment_size_bytes) {
    if (stopped_at_ == end) {
      note(last.path, fmt::format("has {} bytes, segments have {}: a start was interrupted, the next one goes on",
                                  last.size, files_.segment_size_bytes));
    } else {
      damage({last.path, last.size}, 0, end,
             fmt::format("has {} bytes, but segments have {}", last.size, files_.segment_size_bytes));
    }
  }
  if (facts_.use == StoreUse::kRunning || stopped_at_ >= end || is_skipped(stopped_at_)) return {};
  const auto held = log_.held_at(stopped_at_, message::BodyCheck::kVerifyCrc);
  if (!held) return held.error();
  if (held->kind == Held::Kind::kDamaged) {
    note(held->file,
         fmt::format("the log ends at byte {}; what stands behind is no whole record ({}), and the next start cuts it",
                     held->at, held->problem),
         stopped_at_);
  }
  return {};
}

Status Verification::check_record(const message::RecordView& record, LogPosition position) {
  ++report_.records;
  if (!gaps_.empty()) ++report_.records_behind_damage;
  last_store_timestamp_ = std::max(last_store_timestamp_, record.store_timestamp);
  if (enters_queue(record.sys_flag)) {
    if (const auto status = check_entry(record, position); !status) return status;
  }
  return check_keys(record, position);
}

// ---- the queues

Result<std::optional<QueueEntry>> Verification::next_entry(Walked& walked) {
  for (;; ++walked.next) {
    if (walked.next >= walked.reader.end()) return std::optional<QueueEntry>();
    auto entry = walked.reader.at(walked.next);
    if (!entry) return entry.error();
    if (!*entry || !is_valid(**entry)) return *entry;
    if (!is_prefill(**entry) && (*entry)->position >= std::max(log_.min_position(), gone_below_)) return *entry;
  }
}

Status Verification::check_entry(const message::RecordView& record, LogPosition position) {
  if (last_queue_ == nullptr || last_queue_->reader.queue().id != record.queue_id ||
      last_queue_->reader.queue().topic != record.topic) {
    const auto found = queues_.find(NameView(record.topic, record.queue_id));
    if (found == queues_.end()) {
      if (!is_strict(record, position)) return {};
      auto& missing = missing_queues_[Name{record.topic, record.queue_id}];
      if (missing.records++ == 0) missing.first = position;
      return {};
    }
    last_queue_ = &found->second;
  }
  auto& walked = *last_queue_;
  if (walked.reader.queue().kind == QueueKind::kBatch) return check_batch_entry(record, position, walked);
  const auto offset = record.queue_offset;
  const auto next = next_entry(walked);
  if (!next) return next.error();
  const auto of_earlier = is_of_earlier(position, offset, *next, walked);
  if (!of_earlier) return of_earlier.error();
  if (*of_earlier) return {};
  const auto accept = [&](const QueueEntry& entry) -> Status {
    const auto place = walked.reader.place_of(walked.next);
    if (entry.size != record.total_size) {
      damage({place.file, place.at + 8}, 4, position,
             fmt::format("entry {} of {} says that the record at log position {} has {} bytes, but it has {}",
                         walked.next, name_of(record.topic, record.queue_id), position, entry.size, record.total_size));
    }
    const auto status = check_tags(record, position, entry, walked);
    if (walked.first_seen < 0) walked.first_seen = walked.next;
    ++walked.next;
    ++report_.queue_entries;
    return status;
  };
  if (*next && is_valid(**next) && (*next)->position == position) {
    if (offset != walked.next) {
      auto place = log_.place_of(position);
      damage({place.file, place.at + message::offset_of::kQueueOffset}, 8, position,
             fmt::format("the record says that it is message {} of {}, but it is {} in the queue", offset,
                         name_of(record.topic, record.queue_id), walked.next));
    }
    return accept(**next);
  }
  if (offset > walked.next && offset < walked.reader.end()) {
    const auto entry = walked.reader.at(offset);
    if (!entry) return entry.error();
    if (*entry && (*entry)->position == position && is_valid(**entry)) {
      if (const auto status = pass_unmatched(walked, offset); !status) return status;
      return accept(**entry);
    }
  }
  if (!is_strict(record, position)) return {};
  // A queue may lack files before and behind what it has, but not any number: then the record is wrong about its place.
  if (offset >= 0 && offset < walked.reader.end() + kOffsetsMissingMax) {
    const auto place = walked.reader.place_of(offset);
    const auto there = walked.reader.at(offset);
    if (!there) return there.error();
    const auto& files = walked.reader.queue().files;
    if (!*there &&
        std::none_of(files.begin(), files.end(), [&](const auto& file) { return file.path == place.file; })) {
      missing_file(place.file, position,
                   fmt::format("is missing, but the record at log position {} is message {} of {}", position, offset,
                               name_of(record.topic, record.queue_id)));
      walked.next = std::max(walked.next, offset + 1);
      return {};
    }
    if (offset == walked.next) {
      damage(place, kQueueEntrySize, position,
             *next && is_valid(**next)
                 ? fmt::format("entry {} of {} names log position {}, but the record stands at {}", offset,
                               name_of(record.topic, record.queue_id), (*next)->position, position)
                 : fmt::format("entry {} of {} is none, but its record stands at log position {}", offset,
                               name_of(record.topic, record.queue_id), position));
      ++walked.next;
      return {};
    }
  }
  const auto in_log = log_.place_of(position);
  damage({in_log.file, in_log.at + message::offset_of::kQueueId}, 16, position,
         fmt::format("the record says that it is message {} of {}, but that queue does not have it (its next is {})",
                     offset, name_of(record.topic, record.queue_id), walked.next));
  return {};
}

Result<bool> Verification::is_of_earlier(LogPosition position, std::int64_t offset,
                                         const std::optional<QueueEntry>& next, Walked& walked) {
  if (walked.first_seen >= 0 || !next || !is_valid(*next) || next->position <= position) return false;
  const bool is_simple = walked.reader.queue().kind == QueueKind::kSimple;
  const auto first = is_simple ? walked.next : next->base;
  if (first > offset) return false;
  if (walked.begins_at != next->position) {
    if (log_.find(next->position) == nullptr) return false;
    const auto held = log_.held_at(next->position, message::BodyCheck::kVerifyCrc);
    if (!held) return held.error();
    if (held->kind != Held::Kind::kRecord) return false;
    const auto later = message::parse_record(std::as_bytes(std::span(held->bytes)), message::BodyCheck::kSkip);
    const auto& queue = walked.reader.queue();
    if (!later || later->topic != queue.topic || later->queue_id != queue.id ||
        offsets_of(*later, queue.kind).first != first) {
      return false;
    }
    walked.begins_at = next->position;
  }
  ++walked.records_of_earlier;
  return true;
}

Status Verification::check_tags(const message::RecordView& record, LogPosition position, const QueueEntry& entry,
                                Walked& walked) {
  const auto& queue = walked.reader.queue();
  auto place = walked.reader.place_of(walked.next);
  place.at += 12;
  auto code = entry.tags_code;
  const bool is_extended = queue.kind == QueueKind::kSimple && !extension_.empty() && is_ext_address(code);
  if (is_extended) {
    if (!is_strict(record, position)) return {};
    if (!walked.extension) {
      walked.extension.emplace(disk_, fmt::format("{}/{}/{}", extension_, queue.topic, queue.id));
    }
    auto found = walked.extension->at(ext_offset(code));
    if (!found) return found.error();
    place = std::move(found->place);
    if (!found->unit) {
      damage(place, 0, position,
             fmt::format("entry {} of {} names the unit at {} of its extension, but {}", walked.next,
                         name_of(queue.topic, queue.id), ext_offset(code), found->problem));
      return {};
    }
    if (found->unit->store_timestamp != record.store_timestamp) {
      damage({place.file, place.at + kExtStoreTimestampAt}, 8, position,
             fmt::format("the unit of entry {} of {} has store time {}, but the record at log position {} has {}: one "
                         "of the two is wrong",
                         walked.next, name_of(queue.topic, queue.id), found->unit->store_timestamp, position,
                         record.store_timestamp));
    }
    code = found->unit->tags_code;
    place.at += kExtTagsCodeAt;
  }
  if (code == message::tags_code(record.properties)) return {};
  if (record.topic == message::kScheduleTopic) {
    // When it is due: whole seconds after it was stored, however long the levels are.
    const bool is_later = record.store_timestamp >= 0 && code >= record.store_timestamp;
    if (is_later && (code - record.store_timestamp) % 1000 == 0) return {};
  }
  damage(place, 8, position,
         fmt::format("{} {} of {} has tag hash {}, but the record at log position {} has {}: one of the two is wrong",
                     is_extended ? "the unit of entry" : "entry", record.queue_offset,
                     name_of(record.topic, record.queue_id), code, position, message::tags_code(record.properties)));
  return {};
}

Status Verification::pass_unmatched(Walked& walked, std::int64_t to) {
  for (; walked.next < to; ++walked.next) {
    const auto entry = walked.reader.at(walked.next);
    if (!entry) return entry.error();
    if (*entry) static_cast<void>(unmatched(walked, walked.next, **entry));
  }
  return {};
}

bool Verification::unmatched(const Walked& walked, std::int64_t offset, const QueueEntry& entry) {
  const auto& queue = walked.reader.queue();
  const auto place = walked.reader.place_of(offset);
  if (!is_valid(entry)) {
    damage(place, queue.layout().size, {-1},
           fmt::format("entry {} of {} is none", offset, name_of(queue.topic, queue.id)));
    return true;
  }
  if (is_prefill(entry) || is_skipped(entry.position)) return true;
  if (entry.position >= stopped_at_ && facts_.use != StoreUse::kStopped) return false;
  if (entry.position >= strict_to_) return true;
  damage(place, queue.layout().size, entry.position,
         entry.position >= stopped_at_
             ? fmt::format("entry {} of {} names log position {}, but the log ends at {}", offset,
                           name_of(queue.topic, queue.id), entry.position, stopped_at_)
             : fmt::format("entry {} of {} names log position {}, where no record of that queue begins", offset,
                           name_of(queue.topic, queue.id), entry.position));
  return entry.position < stopped_at_;
}

/// Where the other queues of its topic are.
const std::string& Verification::directory_of_missing(const Name& name) const {
  const bool is_batch = std::any_of(files_.queues.begin(), files_.queues.end(), [&](const auto& queue) {
    return queue.topic == name.first && queue.kind == QueueKind::kBatch;
  });
  return is_batch ? options_.batch_queue_directory : options_.queue_directory;
}

Status Verification::finish_queues() {
  for (auto& [name, walked] : queues_) {
    for (;;) {
      const auto entry = next_entry(walked);
      if (!entry) return entry.error();
      if (!*entry || !is_valid(**entry) || !unmatched(walked, walked.next, **entry)) break;
      ++walked.next;
    }
    if (walked.records_of_earlier > 0) {
      note(walked.reader.queue().directory,
           fmt::format("the log has {} older records of {}: the topic was deleted and made again",
                       walked.records_of_earlier, name_of(name.first, name.second)));
    }
  }
  finish_missing_queues();
  return {};
}

void Verification::finish_missing_queues() {
  for (const auto& [name, missing] : missing_queues_) {
    const auto text = fmt::format("the log has {} records of {} from position {} on", missing.records,
                                  name_of(name.first, name.second), missing.first);
    // Somewhere an entry has lost its record: this is it, and it names the wrong queue.
    const bool is_missed = std::any_of(report_.findings.begin(), report_.findings.end(), [&](const auto& finding) {
      return finding.is_damage && finding.position == missing.first;
    });
    const auto is_it = [&](const auto& queue) { return queue.id == name.second && queue.topic == name.first; };
    const bool is_known = facts_.state && std::any_of(facts_.state->queues.begin(), facts_.state->queues.end(), is_it);
    const bool is_deleted = facts_.state_fits && has_saved_positions_ && !is_missed && !is_known;
    const std::string directory = fmt::format("{}/{}/{}", directory_of_missing(name), name.first, name.second);
    if (is_deleted) {
      note(directory, "is not there, and tern/state does not know it: " + text + "; the topic was deleted");
    } else if (missing.records > 1 || is_known) {
      damage({directory, -1}, 0, missing.first, "is missing, or has no files: " + text);
    } else {
      // One record that no queue knows of is rather a record that names the wrong queue.
      const auto place = log_.place_of(missing.first);
      damage({place.file, place.at}, 0, missing.first, "of its queue there are no files: " + text);
    }
  }
}

// ---- the key index

Status Verification::check_index() {
  const IndexCheck check{files_.index_shape, keys_strict_to_,
                         [&](Finding finding) {
                           if (finding.position.value < 0 || !is_gone(finding.position)) {
                             index_findings_.push_back(std::move(finding));
                           }
                         },
                         [&](std::int64_t bytes) { advance(bytes); }};
  for (const auto& file : files_.index_files) {
    const auto status = check_index_file(disk_, file.path, check);
    if (!status && status.error().code != std::errc::no_such_file_or_directory) return status;
    last_index_path_ = file.path;
    if (&file == &files_.index_files.back()) break;
    const auto header = read_index_header(disk_, file.path);
    if (header && header->next_entry <= 1) {
      index_findings_.push_back(
          {true, file.path, 36, 4, {-1}, "the header counts no entries, but there is a newer file"});
    }
  }
  if (files_.index_files.empty() && !files_.has_unread_index && facts_.checkpoint &&
      facts_.checkpoint->index_timestamp > 0) {
    index_findings_.push_back({true,
                               options_.index_directory,
                               -1,
                               0,
                               {-1},
                               fmt::format("has no index files, although {}/checkpoint knows of one", options_.root)});
  }
  return {};
}

Status Verification::check_keys(const message::RecordView& record, LogPosition position) {
  // Files that contradict themselves would only make noise here.
  if (!index_findings_.empty() || files_.index_files.empty()) return {};
  expected_.clear();
  if (enters_index(record.sys_flag)) {
    collect_keys(record.topic, record.properties, position, record.store_timestamp, expected_);
  }
  for (;;) {
    const auto item = keys_.peek();
    if (!item) return item.error();
    if (!*item || (*item)->entry.position > position.value) break;
    const LogPosition named{(*item)->entry.position};
    if (named < position) {
      if (!is_skipped(named) && named != last_keyed_ && named < keys_strict_to_) {
        damage({(*item)->file->path, (*item)->at}, IndexShape::kEntrySize, named,
               fmt::format("entry {} names log position {}, where no record with keys begins", (*item)->number, named));
      }
    } else {
      check_key(**item, record);
      last_keyed_ = position;
      ++report_.index_keys;
    }
    keys_.next();
  }
  if (expected_.empty() || position >= keys_strict_to_) return {};
  if (position < keys_from_) {
    ++records_before_keys_;
    return {};
  }
  for (const auto& key : expected_) {
    if (key.hash < 0) continue;  // met
    const auto item = keys_.peek();
    if (!item) return item.error();
    damage({*item ? (*item)->file->path : last_index_path_, *item ? (*item)->at : -1}, 0, position,
           fmt::format("there is no entry for a key (hash {}) of the record at log position {}", key.hash, position));
  }
  return {};
}

void Verification::check_key(const IndexEntries::Item& item, const message::RecordView& record) {
  bool is_known = false;
  for (auto& key : expected_) {
    const bool is_same = key.hash == item.entry.hash || key.hash == -1 - item.entry.hash;
    if (!is_same) continue;
    is_known = true;
    if (key.hash >= 0) key.hash = -1 - key.hash;  // met; the same entry may come again
  }
  const LogPosition position{item.entry.position};
  if (position >= keys_strict_to_) return;
  if (!is_known) {
    damage(
        {item.file->path, item.at}, 4, position,
        fmt::format(
            "entry {} has hash {}, which is none of the keys of the record at log position {}: one of the two is wrong",
            item.number, item.entry.hash, position));
    return;
  }
  const std::int64_t stored = std::max<std::int64_t>(record.store_timestamp, 0);
  const auto since = [&](std::int64_t begin) {
    return std::clamp<std::int64_t>((stored - begin) / 1000, 0, INT32_MAX);
  };
  if (item.number > 1 && item.entry.seconds != since(item.begin_timestamp)) {
    damage({item.file->path, item.at + 12}, 4, position,
           fmt::format("entry {} is {} s behind the file's first, but the record at log position {} is {}", item.number,
                       item.entry.seconds, position, since(item.begin_timestamp)));
  }
  // Apache's broker counts a file's first entry from the end of the file before: between the two are records whose keys
  // went with a file that it removed, or time without records.
  if (item.number == 1 && item.end_before && item.entry.seconds != 0 && item.entry.seconds != since(*item.end_before)) {
    damage({item.file->path, item.at + 12}, 4, position,
           fmt::format("entry 1 says {} s, but the record at log position {} is the file's first, and {} s behind the "
                       "file before",
                       item.entry.seconds, position, since(*item.end_before)));
  }
}

Status Verification::finish_keys() {
  if (!index_findings_.empty()) return {};
  for (;; keys_.next()) {
    const auto item = keys_.peek();
    if (!item) return item.error();
    if (!*item) break;
    const LogPosition named{(*item)->entry.position};
    if (named >= keys_strict_to_ || is_skipped(named) || named == last_keyed_) continue;
    if (named >= stopped_at_ && facts_.use != StoreUse::kStopped) break;
    damage({(*item)->file->path, (*item)->at}, IndexShape::kEntrySize, named,
           fmt::format("entry {} names log position {}, where no record with keys begins", (*item)->number, named));
    if (named >= stopped_at_) break;
  }
  if (records_before_keys_ > 0) {
    note(files_.index_files.front().path,
         fmt::format("the index begins at log position {}: {} records with keys stand before", keys_from_,
                     records_before_keys_));
  }
  return {};
}

// ---- the small files

Status Verification::check_metadata() {
  const auto report = [&](Finding finding) { add_always(std::move(finding)); };
  const auto identity = file::join(options_.root, "tern/identity");
  if (const auto status = check_metadata_file(disk_, identity, &identity_problem, false, report); !status) {
    return status;
  }
  const auto metadata = list_metadata(disk_, options_);
  if (!metadata) return metadata.error();
  for (const auto& [name, rule] : *metadata) {
    const auto path = file::join(file::join(options_.root, "config"), name);
    const auto status = check_metadata_file(disk_, path, rule->check, rule->must_exist && report_.records > 0, report);
    if (!status) return status;
  }
  return {};
}

// Whoever reads that the store is whole takes it for all that stands there.
Status Verification::list_unread() {
  const auto listed = disk_.list(options_.root);
  if (!listed) return listed.error().code == std::errc::no_such_file_or_directory ? Status() : Status(listed.error());
  for (const auto& entry : *listed) {
    const auto path = file::join(options_.root, entry.name);
    const bool is_read = path == options_.log_directory || path == options_.queue_directory || path == extension_ ||
                         path == options_.batch_queue_directory ||
                         (path == options_.index_directory && !files_.has_unread_index) ||
                         std::find(std::begin(kRead), std::end(kRead), entry.name) != std::end(kRead);
    if (!is_read) report_.unread.push_back(path);
  }
  const auto config = file::join(options_.root, "config");
  const auto unread = list_without_rule(disk_, options_);
  if (!unread) return unread.error();
  for (const auto& name : *unread) report_.unread.push_back(file::join(config, name));
  return {};
}

void Verification::check_state() {
  const auto path = file::join(options_.root, "tern/state");
  if (!facts_.state_problem.empty()) return damage({path, -1}, 0, {-1}, facts_.state_problem);
  if (!facts_.state) {
    if (report_.records > 0) note(path, "does not exist: the next start reads the whole log");
    return;
  }
  const auto& state = *facts_.state;
  if (state.only_durable) return note(path, "a start was cut off or refused: the next one reads the whole log");
  if (!facts_.state_fits) {
    // What the digest is of may have been removed with its segment.
    const bool is_comparable = state.dispatched > log_.min_position() || log_.min_position().value == 0;
    if (is_comparable) {
      damage({path, 48}, 4, state.dispatched,
             fmt::format("its digest is not that of the log below position {}", state.dispatched));
    } else {
      note(path, "cannot be compared with the log, whose beginning has been removed: the next start reads all of it");
    }
    return;
  }
  if (facts_.use == StoreUse::kRunning) return;
  for (const auto& queue : state.queues) {
    const auto found = queues_.find(NameView(queue.topic, queue.id));
    if (found == queues_.end() || queue.bounds.min >= queue.bounds.max) continue;  // missing files have been named
    const auto& walked = found->second;
    const bool is_whole = state.is_clean && stopped_at_ == state.durable && gaps_.empty();
    const auto end = queue.entries ? queue.entries->end : queue.bounds.max.value;
    if (is_whole && report_.damages == 0 && walked.next != end) {
      damage({path, -1}, 0, {-1},
             fmt::format("it says that {} ends at {}, but in its files it ends at {}", name_of(queue.topic, queue.id),
                         end, walked.next));
    }
  }
}

Status Verification::check_checkpoint() {
  const auto path = file::join(options_.root, "checkpoint");
  const auto file = disk_.open(path, file::OpenMode::kRead);
  if (!file) {
    if (file.error().code != std::errc::no_such_file_or_directory) return file.error();
    if (report_.records > 0 && facts_.use == StoreUse::kStopped) damage({path, -1}, 0, {-1}, "is missing");
    return {};
  }
  const auto size = (*file)->size();
  if (!size) return size.error();
  if (*size != kCheckpointSize) {
    damage({path, std::min(*size, kCheckpointSize)}, 0, {-1},
           fmt::format("has {} bytes instead of {}", *size, kCheckpointSize));
    return {};
  }
  std::array<std::byte, kCheckpointSize> bytes{};
  if (const auto status = (*file)->read(0, bytes); !status) return status;
  const auto rest = std::find_if(bytes.begin() + kCheckpointFieldsSize, bytes.end(),
                                 [](std::byte byte) { return byte != std::byte{0}; });
  if (rest != bytes.end()) damage({path, rest - bytes.begin()}, 0, {-1}, "holds something where only zeros may be");
  if (facts_.use == StoreUse::kRunning || !facts_.checkpoint) return {};

  const auto& found = *facts_.checkpoint;
  const bool is_ours = facts_.state_fits && facts_.state->is_clean && facts_.use == StoreUse::kStopped &&
                       stopped_at_ == facts_.state->durable && !facts_.has_apache_been_here;
  std::int64_t index_end = found.index_timestamp;
  if (is_ours && !files_.index_files.empty()) {
    const auto header = read_index_header(disk_, files_.index_files.back().path);
    if (!header) return header.error();
    index_end = header->end_timestamp;
  }
  // What our broker has saved together must be the same; another one's must at least be possible.
  struct Field {
    std::int64_t at;
    std::string_view name;
    std::int64_t value;
    std::int64_t ours;
    std::int64_t largest;
  };
  const auto end = log_.end().value;
  const auto saved = is_ours ? *facts_.state : SideState();
  const auto last = report_.records > 0 && gaps_.empty() ? last_store_timestamp_ : INT64_MAX;
  // The state remembers also the time of records that a power cut took.
  const auto covered = std::min(saved.last_store_timestamp, report_.records > 0 ? last : std::int64_t{0});
  const Field fields[] = {
      {0, "the time up to which the log is flushed", found.log_timestamp, covered, last},
      {8, "the time up to which the queues are", found.queue_timestamp, covered, last},
      {16, "the time up to which the index is", found.index_timestamp, index_end, last},
      {24, "the position up to which the master has flushed", found.master_flushed_offset, 0, end},
      {32, "the confirmed position", found.confirm_offset, 0, end},
      {40, "the position of the queues", found.queue_position, saved.dispatched.value, end},
  };
  for (const auto& field : fields) {
    if (is_ours ? field.value == field.ours : field.value >= 0 && field.value <= field.largest) continue;
    damage({path, field.at}, 8, {-1},
           is_ours ? fmt::format("{} is {}, but it was saved with {}", field.name, field.value, field.ours)
                   : fmt::format("{} is {}, which cannot be", field.name, field.value));
  }
  return {};
}

}  // namespace tern::store
