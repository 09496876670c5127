#include "tern/store/inspector.hpp"

#include <algorithm>
#include <array>

#include "tern/base/crc32.hpp"

#include "store/inspect/index_reader.hpp"
#include "store/inspect/log_reader.hpp"
#include "store/inspect/metadata_check.hpp"
#include "store/inspect/parts.hpp"
#include "store/inspect/queue_reader.hpp"
#include "store/inspect/verification.hpp"
#include "store/recovery.hpp"

namespace tern::store {
namespace {

OpenProblem problem_of(const Error& error, const std::string& path) {
  return {error, fmt::format("{}: {}", path, error.text())};
}

/// Before the large files are listed, so that what it says of a running store is true of them.
boost::system::result<StoreFacts, OpenProblem> read_facts(file::Disk& disk, const std::string& root) {
  StoreFacts facts;
  const auto lock_path = file::join(root, "lock");
  if (const auto lock = disk.open(lock_path, file::OpenMode::kRead)) {
    const auto holder = (*lock)->first_byte_holder();
    if (!holder) return problem_of(holder.error(), lock_path);
    facts.lock_holder = *holder;
  } else if (lock.error().code != std::errc::no_such_file_or_directory) {
    return problem_of(lock.error(), lock_path);
  }
  const auto abort = disk.exists(file::join(root, "abort"));
  if (!abort) return problem_of(abort.error(), file::join(root, "abort"));
  if (facts.lock_holder)
    facts.use = StoreUse::kRunning;
  else if (*abort)
    facts.use = StoreUse::kCrashed;
  // Its text writer keeps a copy, ours does not.
  const auto abort_copy = disk.exists(file::join(root, "abort.bak"));
  facts.has_apache_been_here = abort_copy && *abort_copy;
  facts.state = SideFile(disk, file::join(root, "tern")).load(facts.state_problem);
  const auto checkpoint_path = file::join(root, "checkpoint");
  const auto checkpoint = load_checkpoint(disk, checkpoint_path);
  if (!checkpoint) return problem_of(checkpoint.error(), checkpoint_path);
  facts.checkpoint = *checkpoint;
  return facts;
}

Result<bool> state_fits(LogReader& log, const SideState& state) {
  if (state.only_durable || state.dispatched < log.min_position() || state.durable > log.end()) return false;
  std::array<std::byte, kDigestBytes> bytes{};
  const auto from = digest_from(state.dispatched, log.min_position(), log.segment_size());
  const auto part = std::span(bytes).first(static_cast<std::size_t>(state.dispatched - from));
  const auto status = log.read(from, part);
  if (status) return crc32(part) == state.digest;
  // A segment in between may be missing or short; that is told elsewhere.
  const auto& code = status.error().code;
  if (code == Errc::kNotFound || code == file::Errc::kShortRead || code == std::errc::no_such_file_or_directory) {
    return false;
  }
  return status.error();
}

/// The offsets of entries [first, end). Of a batch queue without any, those that its last one ends with.
Result<QueueBounds> bounds_between(QueueReader& reader, std::int64_t first, std::int64_t end) {
  if (reader.queue().kind == QueueKind::kSimple) return QueueBounds{{first}, {end}};
  QueueBounds bounds;
  if (end > reader.begin()) {
    const auto last = reader.at(end - 1);
    if (!last) return last.error();
    if (*last) bounds.min = bounds.max = {(*last)->base + (*last)->count};
  }
  if (first < end) {
    const auto entry = reader.at(first);
    if (!entry) return entry.error();
    if (*entry) bounds.min = {(*entry)->base};
  }
  return bounds;
}

}  // namespace

const Finding* VerifyReport::first_damage() const {
  const auto found = std::find_if(findings.begin(), findings.end(), [](const auto& each) { return each.is_damage; });
  return found == findings.end() ? nullptr : &*found;
}

Inspector::Inspector(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Inspector::~Inspector() = default;

boost::system::result<std::unique_ptr<Inspector>, OpenProblem> Inspector::open(file::Disk& disk,
                                                                               const InspectOptions& options) {
  const auto all = completed(options);
  if (const auto text = foreign_store(disk, all.root)) return OpenProblem{error(Errc::kForeign), *text};
  const auto exists = disk.exists(all.log_directory);
  if (!exists) return problem_of(exists.error(), all.log_directory);
  const auto has_side_files = disk.exists(file::join(all.root, "tern"));
  if (!*exists && !(has_side_files && *has_side_files)) {
    return OpenProblem{error(Errc::kNotFound),
                       fmt::format("{} is no store: {} does not exist", all.root, all.log_directory)};
  }
  auto facts = read_facts(disk, all.root);
  if (!facts) return facts.error();
  auto files = list_store_files(disk, all);
  if (!files) return files.error();
  auto parts = std::make_unique<Parts>(Parts{disk, all, std::move(*facts), std::move(*files)});
  if (parts->facts.state) {
    LogReader log(disk, parts->files);
    const auto fits = state_fits(log, *parts->facts.state);
    if (!fits) return problem_of(fits.error(), all.log_directory);
    parts->facts.state_fits = *fits;
  }
  return std::unique_ptr<Inspector>(new Inspector(std::move(parts)));
}

StoreUse Inspector::use() const {
  return parts_->facts.use;
}

std::int64_t Inspector::lock_holder() const {
  return parts_->facts.lock_holder.value_or(0);
}

Result<StoreOverview> Inspector::overview(const Progress& progress) {
  auto& [disk, options, facts, files] = *parts_;
  StoreOverview overview;
  overview.root = options.root;
  overview.use = facts.use;
  overview.lock_holder = facts.lock_holder;
  std::string ignored;  // verify tells it
  if (const auto identity = load_identity(disk, file::join(options.root, "tern"), ignored)) {
    overview.identity = *identity;
  }
  overview.state = facts.state;
  overview.state_fits = facts.state_fits;
  overview.checkpoint = facts.checkpoint;
  overview.findings = files.findings;

  overview.segment_size_bytes = files.segment_size_bytes;
  LogReader log(disk, files);
  for (const auto& file : files.segments) {
    StoreOverview::Segment segment{file.path, {file.start}, file.size, std::nullopt, {-1}};
    const LogPosition end{file.start + files.segment_size_bytes};
    if (facts.state_fits) segment.records_end = std::clamp(facts.state->durable, segment.start, end);
    if (file.size > 0) {
      const auto held = log.held_at(segment.start, message::BodyCheck::kSkip);
      if (!held) return held.error();
      if (held->kind == Held::Kind::kRecord) {
        const auto record = message::parse_record(std::as_bytes(std::span(held->bytes)), message::BodyCheck::kSkip);
        segment.first_store_timestamp = record->store_timestamp;
        if (!overview.segments.empty()) overview.segments.back().records_end = segment.start;
      }
    }
    overview.segments.push_back(std::move(segment));
  }

  overview.queue_file_size_bytes = files.queue_file_size_bytes;
  overview.batch_queue_file_size_bytes = files.batch_queue_file_size_bytes;
  for (const auto& queue : files.queues) {
    QueueReader reader(disk, queue);
    const auto end = reader.find_end();
    if (!end) return end.error();
    const auto first = reader.find_first(log.min_position(), *end);
    if (!first) return first.error();
    const auto bounds = bounds_between(reader, *first, *end);
    if (!bounds) return bounds.error();
    overview.queues.push_back({queue.topic, queue.id, queue.kind, *bounds, queue.files.size()});
    if (progress) {
      progress(static_cast<std::int64_t>(overview.queues.size()), static_cast<std::int64_t>(files.queues.size()));
    }
  }

  for (const auto& file : files.index_files) {
    const auto header = read_index_header(disk, file.path);
    if (!header) return header.error();
    overview.index_files.push_back({file.path,
                                    file.size,
                                    std::max(header->next_entry, 1) - 1,
                                    {header->begin_position},
                                    {header->end_position},
                                    header->begin_timestamp,
                                    header->end_timestamp});
  }

  const auto metadata = list_metadata(disk, options);
  if (!metadata) return metadata.error();
  for (const auto& [name, rule] : *metadata) {
    const auto path = file::join(file::join(options.root, "config"), name);
    StoreOverview::Metadata found{path, -1, std::nullopt};
    const auto take = [&](const Finding& finding) {
      if (finding.file == path) found.problem = finding.text;
    };
    const bool must_exist = rule->must_exist && !files.segments.empty();
    if (const auto status = check_metadata_file(disk, path, rule->check, must_exist, take); !status) {
      return status.error();
    }
    if (const auto file = disk.open(path, file::OpenMode::kRead)) {
      const auto size = (*file)->size();
      if (!size) return size.error();
      found.size = *size;
    } else if (!found.problem) {
      continue;  // a rule for a file that need not be there
    }
    overview.metadata.push_back(std::move(found));
  }
  return overview;
}

Result<VerifyReport> Inspector::verify(const Progress& progress) {
  VerifyReport report;
  const auto status = Verification(parts_->disk, parts_->options, parts_->facts, parts_->files, report, progress).run();
  if (!status) return status.error();
  return report;
}

Result<Held> Inspector::at(LogPosition position) {
  LogReader log(parts_->disk, parts_->files);
  const auto* const segment = log.find(position);
  if (segment == nullptr) return error(Errc::kNotFound, position.value);
  // A record or blank begins here, or somewhere before: then only the walk from the segment's start tells.
  auto here = log.held_at(position, message::BodyCheck::kVerifyCrc);
  if (!here || here->kind == Held::Kind::kRecord || here->kind == Held::Kind::kBlank) return here;
  const auto opened = log.open(*segment);
  if (!opened) return opened.error();
  LogPosition within{-1};
  const auto scan = scan_segment(**opened, log.readable_end(*segment), {segment->start}, message::BodyCheck::kSkip,
                                 [&](const message::RecordView& record, LogPosition start) {
                                   if (position < start + record.total_size) within = start;
                                   return within.value < 0;
                                 });
  if (!scan) return scan.error();
  if (within.value >= 0) return log.held_at(within, message::BodyCheck::kVerifyCrc);
  return log.held_at(scan->records_end, message::BodyCheck::kVerifyCrc);
}

Status Inspector::entries(std::string_view topic, std::int32_t id, QueueOffset from, std::int64_t count,
                          const std::function<bool(const HeldEntry&)>& visit) {
  const auto& queues = parts_->files.queues;
  const auto queue = std::find_if(queues.begin(), queues.end(),
                                  [&](const auto& each) { return each.topic == topic && each.id == id; });
  if (queue == queues.end()) return error(Errc::kNotFound);
  QueueReader reader(parts_->disk, *queue);
  LogReader log(parts_->disk, parts_->files);
  const auto end = reader.find_end();
  if (!end) return end.error();
  const auto begin = reader.find_offset(from, *end);
  if (!begin) return begin.error();
  for (auto number = *begin; number < *end && count > 0; ++number, --count) {
    const auto entry = reader.at(number);
    if (!entry) return entry.error();
    if (!*entry) continue;  // the file is missing: verify tells it
    const auto place = reader.place_of(number);
    HeldEntry found{reader.offset_of(number, **entry), **entry, place.file, place.at, std::nullopt};
    if (!is_prefill(**entry) && log.find((*entry)->position) != nullptr) {
      auto held = log.held_at((*entry)->position, message::BodyCheck::kVerifyCrc);
      if (!held) return held.error();
      found.held = std::move(*held);
    }
    if (!visit(found)) break;
  }
  return {};
}

}  // namespace tern::store
