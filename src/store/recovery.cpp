#include "store/recovery.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <set>
#include <span>
#include <unistd.h>

#include "tern/base/crc32.hpp"
#include "tern/base/log.hpp"
#include "tern/message/properties.hpp"
#include "tern/message/topic_name.hpp"

#include "store/derived.hpp"
#include "store/durable_directory.hpp"
#include "store/entry_layout.hpp"
#include "store/log_segment.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kProgressEveryMs = 1000;
constexpr std::int64_t kCheckpointSlackMs = 3000;  // as Apache's recovery subtracts from its checkpoint
// How far behind an index entry the log is looked through for one that is missing: a start must not read a log of
// messages without keys from end to end.
constexpr std::int64_t kKeySearchBytes = 8 << 20;
constexpr std::int64_t kCutLookBytes = 64 << 10;  // behind the tail, for what is cut
constexpr std::string_view kWayOut =
    "No segment was changed. Restore what is missing from a copy, or accept the loss of everything from that position "
    "on: `ternctl store repair --yes` keeps what it removes";
constexpr std::size_t kReadAhead = 32;  // entries of each queue, while the log is compared with them

OpenProblem problem(const Error& error, std::string text) {
  return {error, std::move(text)};
}

/// Where a queue's newest entry is to be found, by what the side file and the settings say.
struct NewestFile {
  const EntryLayout& layout;
  std::int64_t size = 0;
  std::string path;
};
template <class State>
NewestFile newest_file(const QueueOptions& options, const State& state) {
  const auto& layout = state.entries ? kBatchLayout : kSimpleLayout;
  const auto& directory = state.entries ? options.batch_directory : options.directory;
  const auto size = whole_entries(state.entries ? options.batch_file_size_bytes : options.file_size_bytes, layout);
  const std::int64_t newest = ((state.entries ? state.entries->end : state.bounds.max.value) - 1) * layout.size;
  return {layout, size, fmt::format("{}/{}/{}/{:020}", directory, state.topic, state.id, newest / size * size)};
}

// Whether every queue that the side file knows still has the file of its newest entry: one look each.
bool has_queue_files(file::Disk& disk, const QueueOptions& options, const SideState& side) {
  return std::all_of(side.queues.begin(), side.queues.end(), [&](const auto& state) {
    if (state.bounds.min >= state.bounds.max) return true;
    const auto exists = disk.exists(newest_file(options, state).path);
    return exists && *exists;
  });
}

}  // namespace

std::optional<std::string> foreign_store(file::Disk& disk, const std::string& root) {
  // RocksDB leaves a CURRENT file in each of its directories.
  for (const auto* place : {"consumequeue", "consumequeue_rocksdb", "config/topics", "config/subscriptionGroups",
                            "config/consumerOffsets", "config/rdb"}) {
    const auto exists = disk.exists(file::join(file::join(root, place), "CURRENT"));
    if (exists && *exists) {
      return fmt::format(
          "{}/{} is a RocksDB directory (storeType=defaultRocksDB or RocksDB configuration): not supported; only the "
          "file-based store and configuration are",
          root, place);
    }
  }
  return std::nullopt;
}

std::int64_t flushed_time(std::int64_t checkpoint_timestamp, bool was_clean) {
  return checkpoint_timestamp - (was_clean ? 1 : kCheckpointSlackMs);
}

bool is_before_checkpoint(const LogEnd& end, std::int64_t checkpoint_timestamp, bool was_clean) {
  if (checkpoint_timestamp <= 0) return false;
  // Retention may have taken everything.
  if (end.tail == end.min_position && end.tail > LogPosition{0}) return false;
  // Apache's broker notes the time of a message that did not fit into a segment, and may not have got another one.
  const bool is_filled = end.tail > end.min_position && (end.tail - end.min_position) % end.segment_size == 0;
  return !(was_clean && is_filled) && end.last_stored <= flushed_time(checkpoint_timestamp, was_clean);
}

Result<std::uint32_t> digest_below(const CommitLog& log, LogPosition position) {
  const auto min = log.min_position();
  if (position < min) return error(Errc::kNotFound, position.value);
  const auto from = digest_from(position, min, log.next_segment(min) - min);
  std::array<std::byte, kDigestBytes> bytes;
  const auto to = std::span(bytes).first(static_cast<std::size_t>(position - from));
  if (const auto status = log.read(from, to); !status) return status.error();
  return crc32(to);
}

Store::Recovery::Outcome Store::Recovery::run() {
  const std::int64_t started_ms = store_.clock_.steady_ms();
  for (const auto step : {&Recovery::lock_directory, &Recovery::refuse_foreign_stores, &Recovery::open_log,
                          &Recovery::tell_claimed, &Recovery::open_parts}) {
    if (auto done = (this->*step)(); !done) return done;
  }
  auto& log = *store_.log_;
  auto& queues = *store_.queues_;

  if (has_queue_files_) {
    for (const auto& state : side_->queues) {
      if (const auto status = queues.restore(state.topic, state.id, state.bounds, state.positions, state.entries);
          !status) {
        return problem(status.error(), fmt::format("queue {}#{}: {}", state.topic, state.id, status.error().text()));
      }
    }
    if (auto done = check_kinds(); !done) return done;
    if (side_->is_clean) queues.trust_ends();
    last_store_timestamp_ = side_->last_store_timestamp;
    const auto known = known_end();
    if (!known) return unreadable(known.error());
    if (auto done = read_log(side_->dispatched, std::max(side_->durable, *known), false); !done) return done;
  } else {
    std::string text;
    if (const auto status = queues.load_from_files(&text, report_.was_clean); !status) {
      return problem(
          status.error(),
          text.empty() ? fmt::format("{}: {}", store_.options_.queues.directory, status.error().text()) : text);
    }
    if (auto done = check_kinds(); !done) return done;
    if (log.files_end() == log.min_position() && !queues.all().empty()) {
      report_.warnings.push_back(fmt::format("{} has no segments, but {} names records: its queues are emptied",
                                             store_.options_.log.directory, store_.options_.queues.directory));
    }
    const auto known = known_end();
    if (!known) return unreadable(known.error());
    LogPosition must_reach = std::max({log.min_position(), known_durable_, *known});
    if (report_.was_clean && log.files_end() > log.min_position()) {
      must_reach = std::max(must_reach, last_entered());
      if (!side_ && must_reach > known_durable_) {
        if (auto done = save_only_durable(must_reach); !done) return done;
      }
      // What is half built when a crash comes must not pass for the files of a clean stop.
      if (const auto status = store_.write_abort(); !status) {
        return problem(status.error(), fmt::format("{}/abort: {}", store_.root_, status.error().text()));
      }
    }
    if (side_) {
      if (const auto status = begin_rebuild(must_reach); !status) {
        return problem(status.error(),
                       fmt::format("{}/tern/state cannot be saved: {}", store_.root_, status.error().text()));
      }
      report_.used_side_file = false;
      report_.warnings.push_back(fmt::format("the whole log is read: {} lacks queues that {}/tern/state knows",
                                             store_.options_.queues.directory, store_.root_));
    }
    if (auto done = read_log(log.min_position(), must_reach, true); !done) return done;
    // What a queue file holds behind its last record in the log are left-overs.
    for (const auto& [queue, compared] : compared_) {
      if (queue->bounds().max <= compared.end) continue;
      if (const auto status = queues.cut(*queue, compared.end); !status) {
        return problem(status.error(), fmt::format("queue {}#{} cannot be cut at {}: {}", queue->topic(), queue->id(),
                                                   compared.end, status.error().text()));
      }
    }
    if (const auto status = cut_left_overs(); !status) {
      return problem(status.error(), fmt::format("consume queues that the log knows nothing of cannot be cut: {}",
                                                 status.error().text()));
    }
  }

  // What was refused up to here stays nobody's.
  if (auto done = with_identity(&claim_identity); !done) return done;
  const LogPosition tail = log.watermarks().published();
  if (const auto status = queues.truncate_to(tail); !status) {
    return problem(status.error(), fmt::format("consume queues cannot be cut at {}: {}", tail, status.error().text()));
  }
  if (const auto status = queues.forget_before(log.min_position()); !status) {
    return problem(status.error(), fmt::format("consume queues cannot forget what is before {}: {}", log.min_position(),
                                               status.error().text()));
  }
  if (const auto status = store_.index_->truncate_to(tail); !status) {
    return problem(status.error(), fmt::format("the key index cannot be cut at {}: {}", tail, status.error().text()));
  }
  if (side_) {
    if (auto done = continue_known_queues(); !done) return done;
  }
  for (const auto& queue : queues.all()) queue->next_offset = queue->bounds().max.value;
  if (!report_.used_side_file) {
    if (auto done = continue_emptied_queues(); !done) return done;
  }
  if (store_.hooks_.queue_found) {
    for (const auto& queue : queues.all()) store_.hooks_.queue_found(queue->topic(), queue->id(), queue->kind());
  }

  // From here on a crash is a crash. On a full disk the store is only read until there is room for the file.
  if (const auto status = store_.write_abort(); !status) {
    if (!is_no_space(status.error())) {
      return problem(status.error(), fmt::format("{}/abort: {}", store_.root_, status.error().text()));
    }
    store_.lacks_abort_ = true;
    log.set_disk_full(true);
    report_.warnings.push_back(fmt::format(
        "{}/abort cannot be written, the disk is full: messages are refused until there is room", store_.root_));
  }
  report_.took_ms = store_.clock_.steady_ms() - started_ms;
  return {};
}

// One look for each kind of queue: all its files have the same size. A start that reads the log looks at every file.
Store::Recovery::Outcome Store::Recovery::check_queue_file_sizes() {
  std::array<bool, 2> is_checked{};
  for (const auto& state : side_->queues) {
    auto& done = is_checked[state.entries ? 1 : 0];
    if (done || state.bounds.min >= state.bounds.max) continue;
    const auto newest = newest_file(store_.options_.queues, state);
    const auto file = store_.disk_.open(newest.path, file::OpenMode::kRead);
    const auto size = file ? (*file)->size() : Result<std::int64_t>(file.error());
    if (!size) return problem(size.error(), fmt::format("{}: {}", newest.path, size.error().text()));
    if (is_unfinished(*size, newest.size, newest.layout)) continue;
    if (*size != newest.size) {
      return problem(error(Errc::kWrongSegmentSize, *size),
                     fmt::format("{}: it has {} bytes, but {} is {}", newest.path, *size, newest.layout.size_setting,
                                 newest.size));
    }
    done = true;
  }
  return {};
}

Store::Recovery::Outcome Store::Recovery::lock_directory() {
  const auto& root = store_.root_;
  if (const auto status = make_durable_directory(store_.disk_, root); !status) {
    return problem(status.error(),
                   fmt::format("store directory {} (storePathRootDir): {}", root, status.error().text()));
  }
  const auto path = file::join(root, "lock");
  auto opened = store_.disk_.open(path, file::OpenMode::kCreate);
  if (!opened) return problem(opened.error(), fmt::format("{} (storePathRootDir): {}", path, opened.error().text()));
  store_.lock_file_ = std::move(*opened);
  if (const auto status = store_.lock_file_->lock_first_byte(); !status) {
    if (status.error().code != file::Errc::kLocked) {
      return problem(status.error(), fmt::format("{}: {}", path, status.error().text()));
    }
    return problem(error(Errc::kInUse), fmt::format("store {} is in use by another broker (its lock file {} is held); "
                                                    "give each broker its own storePathRootDir",
                                                    root, path));
  }
  constexpr std::string_view kText = "lock";
  if (const auto status = store_.lock_file_->write(0, std::as_bytes(std::span(kText))); !status) {
    return problem(status.error(), fmt::format("{}: {}", path, status.error().text()));
  }
  return with_identity(&check_identity);
}

Store::Recovery::Outcome Store::Recovery::with_identity(IdentityStep step) {
  const auto directory = file::join(store_.root_, "tern");
  std::string text;
  if (const auto status = step(store_.disk_, directory, store_.options_.identity, text); !status) {
    return problem(status.error(), text.empty() ? fmt::format("{}: {}", directory, status.error().text()) : text);
  }
  return {};
}

Store::Recovery::Outcome Store::Recovery::refuse_foreign_stores() {
  const auto text = foreign_store(store_.disk_, store_.root_);
  if (text) return problem(error(Errc::kForeign), *text);
  return {};
}

// Apache's broker does not start either: whoever entered records of both kinds would number them wrongly.
Store::Recovery::Outcome Store::Recovery::check_kinds() {
  if (!store_.hooks_.queue_kind) return {};
  for (const auto& queue : store_.queues_->all()) {
    const auto kind = store_.hooks_.queue_kind(queue->topic());
    if (!kind || *kind == queue->kind()) continue;
    const bool is_batch = queue->kind() == QueueKind::kBatch;
    const auto& options = store_.options_.queues;
    return problem(error(Errc::kForeign),
                   fmt::format("{} holds queues of topic {}, whose attribute queue.type says {}: one of the two is of "
                               "another store. Queues are built anew from the log if their directory is removed",
                               is_batch ? options.batch_directory : options.directory, queue->topic(),
                               is_batch ? "SimpleCQ" : "BatchCQ"));
  }
  return {};
}

Store::Recovery::Outcome Store::Recovery::open_log() {
  const auto& options = store_.options_;
  std::string text;
  auto log = CommitLog::open(store_.disk_, store_.clock_, options.log, text);
  if (!log)
    return problem(log.error(), text.empty() ? fmt::format("{}: {}", options.log.directory, log.error().text()) : text);
  store_.log_ = std::move(*log);
  return {};
}

Store::Recovery::Outcome Store::Recovery::tell_claimed() {
  if (!store_.hooks_.claimed) return {};
  const auto& log = *store_.log_;
  bool has_records = log.min_position() > LogPosition{0};
  if (!has_records && log.files_end() > log.min_position()) {
    // A segment is there from the first start on; its first record begins with its size.
    std::array<std::byte, 4> size{};
    if (const auto status = log.read(log.min_position(), size); !status) {
      return problem(status.error(), fmt::format("{}: {}", store_.options_.log.directory, status.error().text()));
    }
    has_records = std::ranges::any_of(size, [](std::byte byte) { return byte != std::byte{0}; });
  }
  if (auto text = store_.hooks_.claimed(has_records)) return problem(error(Errc::kDamaged), std::move(*text));
  return {};
}

Store::Recovery::Outcome Store::Recovery::open_parts() {
  const auto& options = store_.options_;
  const auto aborted = store_.disk_.exists(file::join(store_.root_, "abort"));
  report_.was_clean = aborted && !*aborted;

  std::string text;
  auto queues = QueueTable::open(store_.disk_, options.queues, text, store_.hooks_.queue_kind);
  if (!queues)
    return problem(queues.error(),
                   text.empty() ? fmt::format("{}: {}", options.queues.directory, queues.error().text()) : text);
  store_.queues_ = std::move(*queues);
  store_.queues_->ask_store_times([&store = store_](LogPosition position) {
    const auto time = store.stored_at(position);
    return time ? *time : 0;
  });

  // The side file counts only if what it says of the log is true of the log.
  SideFile side_file(store_.disk_, file::join(store_.root_, "tern"));
  std::string why;
  side_ = side_file.load(why);
  const bool log_is_empty = store_.log_->files_end() == store_.log_->min_position();
  if (side_) {
    const auto& log_ref = *store_.log_;
    // Until a life saves its first state, it finds that of the clean stop before it.
    side_->is_clean = side_->is_clean && report_.was_clean;
    // Also if the rest is not believed: what differs may be damage, and then it must not pass for a torn tail.
    known_durable_ = side_->durable;
    if (known_durable_ > log_ref.files_end()) return segments_missing(known_durable_);
    const bool is_inside = !side_->only_durable && side_->dispatched >= log_ref.min_position();
    const auto digest =
        is_inside ? digest_below(log_ref, side_->dispatched) : Result<std::uint32_t>(error(Errc::kNotFound));
    // With its segment gone there is nothing to compare, nor anything below that could differ.
    if (!digest || (*digest != side_->digest && side_->dispatched != log_ref.min_position())) {
      why = side_->only_durable ? "is that of a start that was cut off" : "belongs to another state of the log";
      side_.reset();
    }
  }
  if (!side_ && !log_is_empty) {
    report_.warnings.push_back(
        fmt::format("the whole log is read: {}/tern/state {}", store_.root_, why.empty() ? "does not exist" : why));
  }
  report_.used_side_file = side_.has_value();

  const auto checkpoint = load_checkpoint(store_.disk_, file::join(store_.root_, "checkpoint"));
  if (!checkpoint)
    report_.warnings.push_back(fmt::format("{}/checkpoint: {}", store_.root_, checkpoint.error().text()));
  has_queue_files_ = side_ && has_queue_files(store_.disk_, options.queues, *side_);
  if (has_queue_files_) {  // before an index file is touched
    if (auto done = check_queue_file_sizes(); !done) return done;
  }
  const std::int64_t index_timestamp = checkpoint && *checkpoint ? (*checkpoint)->index_timestamp : 0;
  checkpoint_timestamp_ = checkpoint && *checkpoint ? (*checkpoint)->log_timestamp : 0;
  auto index = KeyIndex::open(store_.disk_, store_.clock_, options.index, report_.was_clean || side_.has_value(),
                              index_timestamp, text, side_ && !side_->is_clean ? side_->indexed : LogPosition{-1});
  if (!index)
    return problem(index.error(),
                   text.empty() ? fmt::format("{}: {}", options.index.directory, index.error().text()) : text);
  store_.index_ = std::move(*index);
  return complete_index(index_timestamp > 0);
}

// An index file may be gone, whichever: a broker of Apache's that is started on this directory by mistake removes the
// newest, and one that has crashed need not read all of the log again. What stands behind the first gap goes, and comes
// back from the log.
Store::Recovery::Outcome Store::Recovery::complete_index(bool had_keys) {
  const auto& options = store_.options_.index;
  if (!options.is_enabled) return {};
  auto& index = *store_.index_;
  Result<bool> is_missing = had_keys && index.extents().empty();
  LogPosition whole_to{-1};  // the last record whose keys are there, as are those of all before it
  for (const auto& [first, last] : index.extents()) {
    is_missing = has_keys_between(whole_to, first);
    if (is_missing && *is_missing) {
      if (const auto status = index.remove_from(first); !status) is_missing = status.error();
    }
    if (!is_missing || *is_missing) break;
    whole_to = last;
  }
  if (side_ && is_missing && !*is_missing) is_missing = has_keys_between(whole_to, side_->indexed);
  if (!is_missing) {
    return problem(is_missing.error(), fmt::format("{}: {}", options.directory, is_missing.error().text()));
  }
  if (!*is_missing) return {};
  const LogPosition again_from = std::max(whole_to, store_.log_->min_position());
  report_.warnings.push_back(fmt::format("the log is read from {}: {} lacks keys", again_from, options.directory));
  if (side_) side_->indexed = std::min(side_->indexed, again_from);
  return {};
}

Result<bool> Store::Recovery::has_keys_between(LogPosition after, LogPosition before) {
  auto& log = *store_.log_;
  const LogPosition from = std::max(after, log.min_position());
  before = std::min(before, from + kKeySearchBytes);
  if (from >= std::min(before, log.files_end())) return false;
  bool has_keys = false;
  const auto stopped =
      log.scan(from, message::BodyCheck::kSkip, [&](const message::RecordView& record, LogPosition position) {
        if (position >= before) return false;
        if (position > after) store_.collect(record, position, keys_);
        has_keys = !keys_.empty();
        keys_.clear();
        return !has_keys;
      });
  if (!stopped) return stopped.error();
  return has_keys;
}

// The queues are about to be built anew: until that is done and saved, a start after a crash must not believe in their
// files.
Status Store::Recovery::begin_rebuild(LogPosition known) {
  SideState nothing = *side_;
  nothing.durable = std::max(nothing.durable, known);
  nothing.dispatched = nothing.indexed = store_.log_->min_position();
  nothing.last_store_timestamp = 0;
  nothing.is_clean = false;
  const auto digest = digest_below(*store_.log_, nothing.dispatched);
  if (!digest) return digest.error();
  nothing.digest = *digest;
  // The log may hold nothing of them any more: where they end stays known.
  for (auto& state : nothing.queues) {
    state.bounds = {};
    state.positions = {};
    if (state.entries) state.entries = EntryRange{};
  }
  return SideFile(store_.disk_, file::join(store_.root_, "tern")).save(nothing);
}

// If the start is cut off, or refused, the next one finds no clean stop any more.
Store::Recovery::Outcome Store::Recovery::save_only_durable(LogPosition known) {
  if (known == LogPosition{0}) return {};
  SideState state;
  state.durable = known;
  state.only_durable = true;
  const auto status = SideFile(store_.disk_, file::join(store_.root_, "tern")).save(state);
  if (status) return {};
  return problem(status.error(), fmt::format("{}/tern/state cannot be saved: {}", store_.root_, status.error().text()));
}

// A segment that begins with a whole record was begun when all before it was full. What a clean stop leaves is on the
// disk; what a crash leaves may have reached it in any order, unless Apache's checkpoint vouches for it.
Result<LogPosition> Store::Recovery::known_end() {
  auto& log = *store_.log_;
  const LogPosition min = std::max(log.min_position(), known_durable_);
  if (!report_.was_clean && checkpoint_timestamp_ <= 0) return min;
  const std::int64_t size = store_.options_.log.segment_size_bytes;
  const auto flushed_to_ms = flushed_time(checkpoint_timestamp_, report_.was_clean);
  for (LogPosition start = log.files_end() - size; start > min; start = start - size) {
    bool is_known = false;
    const auto stopped =
        log.scan(start, message::BodyCheck::kVerifyCrc, [&](const message::RecordView& record, LogPosition position) {
          is_known = position == start && (report_.was_clean || record.store_timestamp <= flushed_to_ms);
          return false;
        });
    if (!stopped) return stopped.error();
    if (is_known) return start;
  }
  return min;
}

// After a clean stop: behind the farthest record that is whole and has an entry in its queue. Entries without a record
// are no evidence: a power cut may have taken the records, and an Apache's broker that recovers leaves entries behind
// its queues' ends.
LogPosition Store::Recovery::last_entered() const {
  constexpr std::int32_t kRecordBytesMax = 64 << 20;
  const auto& log = *store_.log_;
  std::vector<std::pair<LogPosition, QueuePtr>> newest;
  for (const auto& queue : store_.queues_->all()) {
    if (queue->bounds().min < queue->bounds().max) newest.emplace_back(queue->positions().end, queue);
  }
  std::ranges::sort(newest, std::ranges::greater(), [](const auto& one) { return one.first; });
  std::vector<std::byte> bytes;
  for (const auto& [end, queue] : newest) {
    std::array<QueueEntry, 1> entry;
    const auto count = queue->read(queue->bounds().max - 1, entry, false);
    if (!count || *count == 0 || entry[0].size <= 0 || entry[0].size > kRecordBytesMax) continue;
    const auto position = entry[0].position;
    if (position < log.min_position() || log.files_end() - position < entry[0].size) continue;
    bytes.resize(static_cast<std::size_t>(entry[0].size));
    if (!log.read(position, bytes)) continue;
    const auto record = message::parse_record(bytes, message::BodyCheck::kVerifyCrc);
    if (!record || record->physical_offset != position.value || record->total_size != entry[0].size) continue;
    return position + entry[0].size;
  }
  return log.min_position();
}

Store::Recovery::Outcome Store::Recovery::unreadable(const Error& error) const {
  return problem(error, fmt::format("{}: the log cannot be read: {}", store_.options_.log.directory, error.text()));
}

Store::Recovery::Outcome Store::Recovery::segments_missing(LogPosition known) const {
  const auto end = store_.log_->files_end();
  return problem(error(Errc::kDamaged, end.value),
                 fmt::format("{}: the log ends at position {}, although everything below {} was known to be on disk: "
                             "segments are missing, or this is another directory. {}",
                             store_.options_.log.directory, end, known, kWayOut));
}

Store::Recovery::Outcome Store::Recovery::damaged_at(LogPosition tail, std::string_view what) const {
  const auto [path, byte] = place_of(tail);
  return problem(error(Errc::kDamaged, tail.value),
                 fmt::format("{}, byte {} (log position {}): {}. {}", path, byte, tail, what, kWayOut));
}

std::pair<std::string, std::int64_t> Store::Recovery::place_of(LogPosition position) const {
  const auto& log = *store_.log_;
  const std::int64_t size = store_.options_.log.segment_size_bytes;
  const auto start = log.min_position() + (position - log.min_position()) / size * size;
  return {file::join(store_.options_.log.directory, segment_name(start)), position - start};
}

// What start() is about to take away: an operator may want to know. Errors come again when it does.
void Store::Recovery::tell_cut(LogPosition tail) {
  const auto& log = *store_.log_;
  const auto holds_bytes = [&log](LogPosition from) {
    const auto end = std::min({log.next_segment(from), log.files_end(), from + kCutLookBytes});
    std::vector<std::byte> bytes(static_cast<std::size_t>(std::max<std::int64_t>(0, end - from)));
    return log.read(from, bytes) && std::ranges::any_of(bytes, [](std::byte byte) { return byte != std::byte{0}; });
  };
  int segments = 0;
  for (LogPosition start = log.next_segment(tail); start < log.files_end(); start = log.next_segment(start)) {
    if (holds_bytes(start)) ++segments;
  }
  if (segments == 0 && !holds_bytes(tail)) return;
  const auto [path, byte] = place_of(tail);
  report_.warnings.push_back(
      fmt::format("the log is cut at position {} ({}, byte {}): what stands behind does not continue it, and was not "
                  "known to be on disk{}",
                  tail, path, byte, segments > 0 ? fmt::format("; {} segments behind it are removed", segments) : ""));
}

void Store::Recovery::say_progress(LogPosition at, LogPosition end) {
  const std::int64_t now = store_.clock_.steady_ms();
  if (next_progress_ms_ == 0) next_progress_ms_ = now + kProgressEveryMs;
  if (now < next_progress_ms_) return;
  next_progress_ms_ = now + kProgressEveryMs;
  const std::int64_t whole = std::max<std::int64_t>(1, end - store_.log_->min_position());
  log_info("reading the log: {} of {} MiB ({} %)", (at - store_.log_->min_position()) >> 20, whole >> 20,
           100 * (at - store_.log_->min_position()) / whole);
}

Store::Recovery::Outcome Store::Recovery::read_log(LogPosition from, LogPosition must_reach, bool compare) {
  auto& log = *store_.log_;
  const LogPosition files_end = log.files_end();
  const LogPosition indexed = side_ ? side_->indexed : LogPosition{0};
  const LogPosition start = std::min(from, std::max(indexed, log.min_position()));
  const auto& options = store_.options_;
  const auto check = !options.checks_crc_on_recovery ? message::BodyCheck::kSkip
                     : options.checks_appended_crc   ? message::BodyCheck::kVerifyAppendedCrc
                                                     : message::BodyCheck::kVerifyCrc;

  // Where the records end that Apache's checkpoint vouches for. A blank behind them is younger, or may be.
  LogPosition flushed_to = start;
  bool is_flushed = true;
  const auto flushed_to_ms = flushed_time(checkpoint_timestamp_, report_.was_clean);
  const auto stopped = log.scan(start, check, [&](const message::RecordView& record, LogPosition position) {
    scanned_timestamp_ = std::max(scanned_timestamp_, record.store_timestamp);
    last_store_timestamp_ = std::max(last_store_timestamp_, record.store_timestamp);
    ++report_.scanned_records;
    is_flushed = is_flushed && record.store_timestamp <= flushed_to_ms;
    if (is_flushed) flushed_to = position + record.total_size;
    if (position < from) {  // queues have it, the key index does not
      store_.collect(record, position, keys_);
    } else {
      failure_ = compare ? enter_compared(record, position) : store_.enter(record, position, queue_, keys_);
    }
    store_.index_->add(keys_);
    keys_.clear();
    while (failure_ && store_.dispatch_must_pause()) {
      if (const auto wrote = store_.queues_->write_step(8 << 20); !wrote) failure_ = wrote.error();
      if (const auto wrote = store_.index_->write_step(1 << 16); !wrote) failure_ = wrote.error();
    }
    if ((report_.scanned_records & 0xFFF) == 0) say_progress(position, files_end);
    return failure_.has_value();
  });
  if (!stopped) return unreadable(stopped.error());
  if (!failure_)
    return problem(failure_.error(),
                   fmt::format("the queues cannot be brought up to the log: {}", failure_.error().text()));
  const LogPosition tail = *stopped;
  if (tail < must_reach) {
    return damaged_at(tail, fmt::format("the record here is damaged, although everything below log position {} was "
                                        "known to be on disk",
                                        must_reach));
  }
  // Apache's word for the same, also where it ran after us. What is stored from here on is younger than all that counts
  // as flushed by it (above), even if the clock was set back.
  if (is_before_checkpoint({tail, log.min_position(), options.log.segment_size_bytes, last_store_timestamp_},
                           checkpoint_timestamp_, report_.was_clean)) {
    return damaged_at(
        tail,
        fmt::format("the last whole record ends here and was stored at {}, although {}/checkpoint says that "
                    "everything up to {} (ms since 1970) was on disk: the log is damaged, or segments are missing",
                    last_store_timestamp_, store_.root_, checkpoint_timestamp_));
  }
  report_.scanned_bytes = tail - start;
  tell_cut(tail);
  // What is not known to be on the disk is written and synced again. Without our own word: by Apache's checkpoint, and
  // after a clean stop nothing.
  LogPosition sync_from = tail;
  if (side_) {
    sync_from = std::min(side_->durable, tail);
  } else if (!report_.was_clean) {
    sync_from = flushed_to;
  }
  if (const auto status = log.start(tail, sync_from, last_store_timestamp_); !status) {
    return problem(status.error(), fmt::format("the log cannot be continued at {}: {}", tail, status.error().text()));
  }
  return {};
}

std::int64_t Store::Recovery::newest_record_timestamp() const {
  if (!report_.used_side_file) return scanned_timestamp_;
  // The records below the state's position were not read; the last of them is the one that some queue ends with.
  const SideState::QueueState* last = nullptr;
  for (const auto& state : side_->queues) {
    if (state.bounds.min >= state.bounds.max) continue;
    if (last == nullptr || state.positions.end > last->positions.end) last = &state;
  }
  if (last == nullptr) return scanned_timestamp_;
  const auto queue = store_.queues_->find(last->topic, last->id);
  std::array<QueueEntry, 1> entry;
  const auto count = queue ? queue->read(last->bounds.max - 1, entry, false) : Result<std::size_t>(0U);
  if (!count || *count == 0) return scanned_timestamp_;
  const auto time = store_.stored_at(entry[0].position);
  return time ? std::max(*time, scanned_timestamp_) : scanned_timestamp_;
}

// The log knows nothing of queues whose records are all gone.
Store::Recovery::Outcome Store::Recovery::continue_known_queues() {
  auto& queues = *store_.queues_;
  for (const auto& state : side_->queues) {
    const auto queue = queues.find(state.topic, state.id);
    const auto bounds = queue ? queue->bounds() : QueueBounds{};
    if (bounds.min < bounds.max || (queue && bounds.max.value >= state.next_offset)) continue;
    const QueueOffset end{state.next_offset};
    auto entries = state.entries;
    if (entries) entries->begin = entries->end;
    if (const auto status = queues.restore(state.topic, state.id, {end, end}, {}, entries); !status) {
      return problem(status.error(), fmt::format("queue {}#{}: {}", state.topic, state.id, status.error().text()));
    }
  }
  return {};
}

// A queue without records and without a word of ours: all that is left of its offsets is what groups have committed.
Store::Recovery::Outcome Store::Recovery::continue_emptied_queues() {
  constexpr std::size_t kNamedMax = 3;
  if (!store_.hooks_.committed_offsets) return {};
  std::size_t count = 0;
  std::string named;
  for (const auto& committed : store_.hooks_.committed_offsets()) {
    auto& queues = *store_.queues_;
    auto queue = queues.find(committed.topic, committed.queue_id);
    if (queue && (queue->bounds().min < queue->bounds().max || queue->next_offset >= committed.offset)) continue;
    if (committed.offset <= 0) continue;
    const QueueOffset at{committed.offset};
    const auto status = queues.restore(committed.topic, committed.queue_id, {at, at});
    if (!status && status.error().code == Errc::kDamaged) continue;  // a name that no queue can have
    if (!status) {
      return problem(status.error(), fmt::format("queue {}#{} cannot continue at {}: {}", committed.topic,
                                                 committed.queue_id, at, status.error().text()));
    }
    queues.find(committed.topic, committed.queue_id)->next_offset = committed.offset;
    if (++count <= kNamedMax) named += fmt::format(", {}#{} at {}", committed.topic, committed.queue_id, at);
  }
  if (count > 0) {
    report_.warnings.push_back(
        fmt::format("{} queues have no records left and no state of ours: they continue at the "
                    "largest committed offset{}{}",
                    count, named, count > kNamedMax ? ", ..." : ""));
  }
  return {};
}

Status Store::Recovery::cut_left_overs() {
  const LogPosition begin = store_.log_->min_position();
  std::array<QueueEntry, 256> entries;
  for (const auto& queue : store_.queues_->all()) {
    if (compared_.contains(queue)) continue;
    const auto [min, max] = queue->bounds();
    auto at = min;
    for (bool is_found = false; at < max && !is_found;) {
      const auto count = queue->read(at, entries, false);
      if (!count) return count.error();
      if (*count == 0) return error(Errc::kDamaged, at.value);
      const auto part = std::span(entries).first(*count);
      const auto into =
          std::find_if(part.begin(), part.end(), [&](const QueueEntry& entry) { return entry.position >= begin; });
      is_found = into != part.end();
      at = std::accumulate(part.begin(), into, at, [](auto sum, const auto& entry) { return sum + entry.count; });
    }
    if (const auto status = store_.queues_->cut(*queue, at); !status) return status;
  }
  return {};
}

const QueueEntry* Store::Recovery::found_entry(QueueOffset offset) {
  auto& [end, is_met, ahead, from, used] = *comparing_;
  if (used >= ahead.size() || from != offset) {
    std::array<QueueEntry, kReadAhead> entries;
    const auto count = queue_->read(offset, entries, false);
    ahead.assign(entries.begin(), entries.begin() + (count ? static_cast<std::ptrdiff_t>(*count) : 0));
    used = 0;
    from = offset;
  }
  if (used >= ahead.size()) return nullptr;
  from += ahead[used].count;
  return &ahead[used++];
}

Status Store::Recovery::enter_compared(const message::RecordView& record, LogPosition position) {
  const auto kind = record.sys_flag & message::kSysTransactionMask;
  const bool takes_offset = kind == 0 || kind == message::kSysTransactionCommit;
  if (takes_offset) {
    if (!queue_ || queue_->id() != record.queue_id || queue_->topic() != record.topic) {
      queue_ = store_.queues_->get_or_create(record.topic, record.queue_id);
      comparing_ = &compared_[queue_];
    }
    const auto offsets = offsets_of(record, queue_->kind());
    const QueueOffset offset{offsets.first};
    const auto bounds = queue_->bounds();
    bool is_wrong = offset > bounds.max;
    if (offset < bounds.max) {
      const auto* const entry = found_entry(offset);
      is_wrong = entry == nullptr || entry->position != position || entry->size != record.total_size ||
                 entry->count != offsets.count ||
                 (queue_->kind() == QueueKind::kBatch && entry->store_timestamp != record.store_timestamp) ||
                 is_ext_address(entry->tags_code) ||  // its extension is gone
                 // What is delayed keeps the time that it got, although messageDelayLevel may have changed.
                 (record.topic != message::kScheduleTopic && entry->tags_code != message::tags_code(record.properties));
    }
    // A gap inside the log's own order is damage of the log, not of the queue file.
    if (is_wrong) comparing_->ahead.clear();
    if (is_wrong && offset < bounds.max && comparing_->is_met) {
      // What stands before it has been compared and stays.
      if (const auto status = store_.queues_->cut(*queue_, offset); !status) return status;
      is_wrong = queue_->bounds().max != offset;  // a batch that it is in the middle of has gone
    }
    if (is_wrong) {
      if (comparing_->is_met && offset > bounds.max) {
        report_.warnings.push_back(fmt::format("queue {}#{} has no record for offsets {} to {}", record.topic,
                                               record.queue_id, bounds.max, offset - 1));
      }
      if (const auto status = store_.queues_->reset(*queue_, offset); !status) return status;
    }
    comparing_->end = {offsets.end()};
    comparing_->is_met = true;
  }
  return store_.enter(record, position, queue_, keys_);
}

}  // namespace tern::store
