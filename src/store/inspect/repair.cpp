#include "tern/store/repair.hpp"

#include <algorithm>
#include <ctime>
#include <functional>
#include <iterator>
#include <map>
#include <set>

#include "store/durable_directory.hpp"
#include "store/inspect/log_reader.hpp"
#include "store/inspect/store_files.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kCopyBytes = 1 << 20;
constexpr std::string_view kBackup = ".bak";
constexpr std::string_view kNoSegments =
    "it holds no segments, although there were records: does the log stand elsewhere (storePathCommitLog; -c reads the "
    "broker's properties), or is its file system not mounted? Nothing is taken away. If the log is lost for good, move "
    "the store away: a broker then starts with an empty one, whose offsets begin anew";

bool is_below(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

class Planner {
 public:
  Planner(file::Disk& disk, const InspectOptions& options, StoreFiles files)
      : disk_(disk), options_(options), files_(std::move(files)), log_(disk, files_) {}

  Result<RepairPlan> plan(const VerifyReport& report) {
    if (lacks_its_log(report)) {
      // More likely it stands elsewhere than that it is lost; and what else tells of its records must not go.
      plan_.left.push_back({.file = options_.log_directory, .text = std::string(kNoSegments)});
      std::copy_if(report.findings.begin(), report.findings.end(), std::back_inserter(plan_.left),
                   [](const auto& finding) { return finding.is_damage; });
      return std::move(plan_);
    }
    for (const auto& finding : report.findings) {
      if (finding.is_damage) damaged_.insert(finding.file);
    }
    for (const auto& finding : report.findings) {
      if (!finding.is_damage) continue;
      const auto is_taken = take(finding);
      if (!is_taken) return is_taken.error();
      if (!*is_taken) plan_.left.push_back(finding);
    }
    if (cut_) {
      // Its durable position would make the next start refuse the log, and the index names records that are gone.
      if (const auto status = move_if_there(state_path(), "the log ends earlier than it says"); !status) {
        return status.error();
      }
      takes_index_ = true;
    }
    if (takes_index_) {
      if (const auto status = take_index(); !status) return status.error();
    }
    for (const auto& [path, why] : moved_queues_) take_queue(path, why);
    for (const auto& [path, why] : moved_extensions_) {
      if (const auto status = move_all(path, why); !status) return status.error();
    }
    if (cut_) cut_log();
    for (const auto& [path, why] : moved_files_) move(path, why);
    if (cut_) {
      if (const auto status = mark_as_crashed(); !status) return status.error();
      plan_.cut_at = *cut_;
    }
    return std::move(plan_);
  }

 private:
  [[nodiscard]] bool lacks_its_log(const VerifyReport& report) const {
    const auto tells_of_records = [&](const std::string& file) {
      return file == options_.log_directory || file == state_path() ||
             file == file::join(options_.root, "checkpoint") || is_below(file, options_.queue_directory) ||
             is_below(file, options_.batch_queue_directory) || is_below(file, extension_directory()) ||
             is_below(file, options_.index_directory);
    };
    return files_.segments.empty() && std::any_of(report.findings.begin(), report.findings.end(), [&](const auto& it) {
             return it.is_damage && !is_foreign(it.file) && tells_of_records(it.file);
           });
  }

  [[nodiscard]] bool is_foreign(const std::string& file) const {
    return std::find(files_.foreign.begin(), files_.foreign.end(), file) != files_.foreign.end();
  }

  Result<bool> take(const Finding& finding) {
    const auto& file = finding.file;
    if (is_foreign(file)) {
      moved_files_[file] = finding.text;
      return true;
    }
    if (file == options_.log_directory || is_below(file, options_.log_directory)) return take_log(finding);
    if (is_below(file, options_.queue_directory) || is_below(file, options_.batch_queue_directory)) {
      for (const auto& queue : files_.queues) {
        if (file == queue.directory || is_below(file, queue.directory)) moved_queues_[queue.directory] = finding.text;
      }
      return true;  // where there are no files, the next start makes them
    }
    if (is_below(file, extension_directory())) {
      take_extension(finding);
      return true;
    }
    if (file == options_.index_directory || is_below(file, options_.index_directory)) {
      takes_index_ = true;
      return true;
    }
    if (file == state_path() || file == file::join(options_.root, "checkpoint")) {
      moved_files_[file] = finding.text;
      return true;
    }
    return take_metadata(finding);
  }

  /// Entries name units by their place: the queue's files go too, and both are made anew.
  void take_extension(const Finding& finding) {
    for (const auto& queue : files_.queues) {
      if (queue.kind != QueueKind::kSimple) continue;
      const auto extension = fmt::format("{}/{}/{}", extension_directory(), queue.topic, queue.id);
      if (finding.file != extension && !is_below(finding.file, extension)) continue;
      moved_queues_[queue.directory] = finding.text;
      moved_extensions_[extension] = finding.text;
      return;
    }
    moved_extensions_[parent_of(finding.file)] = finding.text;  // of a queue that is gone
  }

  Result<bool> take_log(const Finding& finding) {
    const auto size = files_.segment_size_bytes;
    for (const auto& segment : files_.segments) {
      if (segment.path != finding.file) continue;
      if (segment.size > size && finding.at == size) {
        plan_.steps.push_back(
            {RepairStep::Kind::kCut, segment.path, kept_as(segment.path) + ".behind", size, size, finding.text});
        return true;
      }
      if (finding.position.value < 0) {
        // A wrong size. Where the records end has a finding of its own, unless there is not even one.
        if (segment.size == 0) cut_at({segment.start}, finding.text);
        return segment.size < size;
      }
      if (log_.find(finding.position) == nullptr) {
        cut_at(finding.position, finding.text);
        return true;
      }
      const auto held = log_.held_at(finding.position, message::BodyCheck::kVerifyCrc);
      if (!held) return held.error();
      // A record that is whole and contradicts its queue does not keep a store from starting: nothing is cut for it.
      if (held->kind == Held::Kind::kRecord) return false;
      cut_at(finding.position, finding.text);
      return true;
    }
    // A segment that is missing.
    const auto name = parse_segment_name(std::string_view(finding.file).substr(finding.file.rfind('/') + 1));
    if (!name) return false;
    cut_at(*name, finding.text);
    return true;
  }

  Result<bool> take_metadata(const Finding& finding) {
    // One of the two must be whole, and exist.
    auto other = finding.file;
    if (other.ends_with(kBackup))
      other.resize(other.size() - kBackup.size());
    else
      other += kBackup;
    const auto exists = disk_.exists(finding.file);
    if (!exists) return exists.error();
    const auto other_exists = disk_.exists(other);
    if (!other_exists) return other_exists.error();
    const bool is_identity = is_below(finding.file, file::join(options_.root, "tern"));
    if (!*exists || (!is_identity && (!*other_exists || damaged_.contains(other)))) return false;
    moved_files_[finding.file] = finding.text;
    return true;
  }

  void cut_at(LogPosition position, const std::string& why) {
    if (cut_ && *cut_ <= position) return;
    cut_ = position;
    cut_why_ = why;
  }

  void cut_log() {
    const RepairStep* cut = nullptr;
    for (auto segment = files_.segments.rbegin(); segment != files_.segments.rend(); ++segment) {
      if (segment->start >= cut_->value) {
        move(segment->path, fmt::format("it stands behind log position {}, where the log ends now", *cut_));
      } else if (segment->start + files_.segment_size_bytes > cut_->value && segment->size > 0 && cut == nullptr) {
        plan_.steps.push_back({RepairStep::Kind::kCut, segment->path,
                               fmt::format("{}.from-{}", kept_as(segment->path), cut_->value - segment->start),
                               cut_->value - segment->start, files_.segment_size_bytes, cut_why_});
        cut = &plan_.steps.back();
      }
    }
  }

  /// Queues still name records that are gone, as after a crash that took the log's tail. Only behind the cut: before
  /// it, damage would pass for a torn tail.
  Status mark_as_crashed() {
    const auto abort = file::join(options_.root, "abort");
    const auto exists = disk_.exists(abort);
    if (!exists) return exists.error();
    if (!*exists) {
      plan_.steps.push_back({RepairStep::Kind::kMark, abort, "", 0, 0,
                             "the next start takes what names records behind the cut out of the queues"});
    }
    return move_if_there(file::join(options_.root, "checkpoint"), "it may tell of records that are gone");
  }

  Status move_all(const std::string& directory, const std::string& why) {
    const auto listed = disk_.list(directory);
    if (!listed) {
      return listed.error().code == std::errc::no_such_file_or_directory ? Status() : Status(listed.error());
    }
    for (const auto& entry : *listed) {
      if (!entry.is_directory) move(file::join(directory, entry.name), why);
    }
    return {};
  }

  Status take_index() {
    const auto moved = move_all(options_.index_directory, "the next start makes the index anew");
    if (!moved) return moved;
    // Only a start that reads the whole log finds all keys again.
    return move_if_there(state_path(), "the next start is to read the whole log");
  }

  void take_queue(const std::string& directory, const std::string& why) {
    for (const auto& queue : files_.queues) {
      if (queue.directory != directory) continue;
      // From the last one backwards: the next start looks whether that is there.
      for (auto file = queue.files.rbegin(); file != queue.files.rend(); ++file) {
        if (!moved_files_.contains(file->path)) move(file->path, why);
      }
    }
  }

  void move(const std::string& path, const std::string& why) {
    if (!moved_.insert(path).second) return;
    plan_.steps.push_back({RepairStep::Kind::kMove, path, kept_as(path), 0, 0, why});
  }

  Status move_if_there(const std::string& path, const std::string& why) {
    const auto exists = disk_.exists(path);
    if (!exists) return exists.error();
    if (*exists) move(path, why);
    return {};
  }

  [[nodiscard]] std::string extension_directory() const { return options_.queue_directory + "_ext"; }
  [[nodiscard]] std::string state_path() const { return file::join(options_.root, "tern/state"); }

  /// The path that it has in a store whose directories all stand in the root.
  [[nodiscard]] std::string kept_as(const std::string& path) const {
    const std::pair<std::string_view, std::string_view> places[] = {
        {options_.log_directory, "commitlog"},
        {options_.queue_directory, "consumequeue"},
        {options_.batch_queue_directory, "batchconsumequeue"},
        {options_.index_directory, "index"},
        {options_.root, ""}};
    for (const auto& [directory, name] : places) {
      if (!is_below(path, directory)) continue;
      const auto rest = path.substr(directory.size() + 1);
      return name.empty() ? rest : file::join(name, rest);
    }
    return path.substr(path.rfind('/') + 1);
  }

  file::Disk& disk_;
  const InspectOptions& options_;
  const StoreFiles files_;
  LogReader log_;
  RepairPlan plan_;
  std::optional<LogPosition> cut_;
  std::string cut_why_;
  bool takes_index_ = false;
  std::map<std::string, std::string> moved_queues_;  // directory -> why
  std::map<std::string, std::string> moved_extensions_;
  std::map<std::string, std::string> moved_files_;  // path -> why
  std::set<std::string> damaged_;
  std::set<std::string> moved_;  // has a step
};

using CountBytes = std::function<void(std::int64_t bytes)>;

Status copy_rest(file::Disk& disk, file::File& from, std::int64_t at, const std::string& to, const CountBytes& count) {
  const auto size = from.size();
  if (!size) return size.error();
  const auto copy = disk.open(to, file::OpenMode::kCreateNew);
  if (!copy) return copy.error();
  std::vector<std::byte> bytes;
  for (auto done = at; done < *size;) {
    bytes.resize(static_cast<std::size_t>(std::min(kCopyBytes, *size - done)));
    if (const auto read = from.read(done, bytes); !read) return read;
    if (const auto written = (*copy)->write(done - at, bytes); !written) return written;
    done += static_cast<std::int64_t>(bytes.size());
    count(static_cast<std::int64_t>(bytes.size()));
  }
  return (*copy)->sync();
}

Status apply(file::Disk& disk, const RepairStep& step, const std::string& kept_in, const CountBytes& count) {
  if (step.kind == RepairStep::Kind::kMark) {
    const auto made = disk.open(step.path, file::OpenMode::kCreate);
    return made ? disk.sync_directory(parent_of(step.path)) : Status(made.error());
  }
  const auto to = file::join(kept_in, step.kept_as);
  const auto directory = parent_of(to);
  // Each level by itself: a name that is not durable would lose what it holds.
  for (auto end = kept_in.size(); end != std::string::npos; end = directory.find('/', end + 1)) {
    if (const auto made = make_durable_directory(disk, directory.substr(0, end)); !made) return made;
  }
  if (const auto made = make_durable_directory(disk, directory); !made) return made;
  if (step.kind == RepairStep::Kind::kMove) {
    if (const auto moved = disk.rename(step.path, to); !moved) return moved;
    // There before it is gone here.
    if (const auto synced = disk.sync_directory(directory); !synced) return synced;
    return disk.sync_directory(parent_of(step.path));
  }
  const auto file = disk.open(step.path, file::OpenMode::kReadWrite);
  if (!file) return file.error();
  if (const auto copied = copy_rest(disk, **file, step.at, to, count); !copied) return copied;
  if (const auto synced = disk.sync_directory(directory); !synced) return synced;
  if (const auto cut = (*file)->resize(step.at); !cut) return cut;
  if (const auto grown = (*file)->resize(step.size_after); !grown) return grown;
  return (*file)->sync();
}

std::string time_name(std::int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, wall_ms % 1000);
}

}  // namespace

Result<RepairPlan> plan_repair(file::Disk& disk, const InspectOptions& options, const VerifyReport& report) {
  const auto all = completed(options);
  auto files = list_store_files(disk, all);
  if (!files) return files.error().error;
  return Planner(disk, all, std::move(*files)).plan(report);
}

Status apply_repair(file::Disk& disk, const Clock& clock, const std::string& root, const RepairPlan& plan,
                    std::string& kept_in, const Inspector::Progress& progress) {
  const auto lock = disk.open(file::join(root, "lock"), file::OpenMode::kCreate);
  if (!lock) return lock.error();
  if (const auto locked = (*lock)->lock_first_byte(); !locked) {
    return locked.error().code == file::Errc::kLocked ? error(Errc::kInUse, locked.error().detail) : locked.error();
  }
  kept_in = file::join(root, "tern/removed-" + time_name(clock.wall_ms()));
  if (const auto made = make_durable_directory(disk, file::join(root, "tern")); !made) return made;
  std::int64_t total = 0;
  for (const auto& step : plan.steps) {
    if (step.kind != RepairStep::Kind::kCut) continue;
    const auto file = disk.open(step.path, file::OpenMode::kRead);
    const auto size = file ? (*file)->size() : Result<std::int64_t>(file.error());
    if (!size) return size.error();
    total += *size - step.at;
  }
  std::int64_t copied = 0;
  const auto count = [&](std::int64_t bytes) {
    copied += bytes;
    if (progress) progress(copied, total);
  };
  for (const auto& step : plan.steps) {
    if (const auto done = apply(disk, step, kept_in, count); !done) return done;
  }
  return {};
}

}  // namespace tern::store
