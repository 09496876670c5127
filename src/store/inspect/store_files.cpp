#include "store/inspect/store_files.hpp"

#include <algorithm>
#include <map>
#include <span>

#include "store/log_segment.hpp"
#include "store/queue_file.hpp"

namespace tern::store {
namespace {

constexpr std::size_t kIndexNameSize = 17;
constexpr std::int64_t kDefaultSlots = 5'000'000, kDefaultEntries = 20'000'000;  // of maxHashSlotNum, maxIndexNum
constexpr std::int64_t kStartMax = std::int64_t{1} << 61;

bool is_missing(const Error& error) {
  return error.code == std::errc::no_such_file_or_directory;
}

std::string_view parent(std::string_view path) {
  return path.substr(0, path.rfind('/'));
}

/// Of a segment or a queue file. Names beyond any that a broker makes are foreign, so that sums do not overflow.
std::optional<LogPosition> parse_start(std::string_view name) {
  const auto start = parse_segment_name(name);
  return start && start->value <= kStartMax ? start : std::nullopt;
}

/// What most files say by their size, and by the distance of their names; of equally many, the larger one, because
/// files are cut short rather than grown.
std::int64_t common_size(const std::vector<FoundFile>& files) {
  std::map<std::int64_t, int> counts;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& file = files[i];
    if (file.size > 0) ++counts[file.size];
    if (i > 0 && file.start > files[i - 1].start && parent(file.path) == parent(files[i - 1].path)) {
      ++counts[file.start - files[i - 1].start];
    }
  }
  std::int64_t common = 0;
  int most = 0;
  for (const auto& [size, count] : counts) {
    if (count >= most) {
      most = count;
      common = size;
    }
  }
  return common;
}

class Lister {
 public:
  using Listed = std::vector<file::DirectoryEntry>;

  Lister(file::Disk& disk, const InspectOptions& options) : disk_(disk), options_(options) {}

  boost::system::result<StoreFiles, OpenProblem> list() {
    found_.index_shape = {options_.index_slots, options_.index_entries_max};
    for (const auto step :
         {&Lister::list_segments, &Lister::list_simple_queues, &Lister::list_batch_queues, &Lister::list_index}) {
      if (auto problem = (this->*step)()) return std::move(*problem);
    }
    return std::move(found_);
  }

 private:
  using Problem = std::optional<OpenProblem>;

  /// Empty if the directory is not there (any more).
  Problem entries(const std::string& directory, Listed& to) {
    auto listed = disk_.list(directory);
    if (!listed && !is_missing(listed.error())) {
      return OpenProblem{listed.error(), fmt::format("{}: {}", directory, listed.error().text())};
    }
    to = listed ? std::move(*listed) : Listed();
    return std::nullopt;
  }

  void damage(std::string file, std::string text, std::int64_t at = -1) {
    found_.findings.push_back({true, std::move(file), at, 0, {-1}, std::move(text)});
  }
  void note(std::string file, std::string text) {
    found_.findings.push_back({false, std::move(file), -1, 0, {-1}, std::move(text)});
  }
  void foreign(const std::string& file, std::string text) {
    found_.foreign.push_back(file);
    damage(file, std::move(text));
  }
  static std::optional<OpenProblem> wrong_size(const FoundFile& file, std::string_view key, std::int64_t configured) {
    return OpenProblem{error(Errc::kWrongSegmentSize, file.size),
                       fmt::format("{} has {} bytes, but {} says {}", file.path, file.size, key, configured)};
  }

  Problem list_segments() {
    Listed listed;
    if (auto problem = entries(options_.log_directory, listed)) return problem;
    auto& segments = found_.segments;
    for (const auto& entry : listed) {
      if (entry.is_directory) continue;  // every broker steps over them
      const auto path = file::join(options_.log_directory, entry.name);
      const auto start = parse_start(entry.name);
      if (!start) {
        foreign(path, "is no segment of the log: with it in this directory no broker starts");
        continue;
      }
      segments.push_back({path, start->value, entry.size});
    }
    const auto common = common_size(segments);
    const auto configured = options_.segment_size_bytes;
    if (configured != 0 && common != 0 && common != configured && (segments.size() > 1 || common > configured)) {
      return wrong_size(segments.front(), "mappedFileSizeCommitLog", configured);
    }
    const auto size = configured != 0 ? configured : common;
    found_.segment_size_bytes = size;
    const auto what = configured != 0 ? "mappedFileSizeCommitLog says" : "the segments of this log have";
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const auto& segment = segments[i];
      if (i > 0 && segment.start > segments[i - 1].start + size) {
        damage(file::join(options_.log_directory, segment_name({segments[i - 1].start + size})),
               fmt::format("is missing: the next segment is {}", segment.path));
      } else if (i > 0 && segment.start < segments[i - 1].start + size) {
        damage(segment.path, fmt::format("begins at {}, inside of the segment before it", segments[i].start));
      }
      const bool is_last = i + 1 == segments.size();
      if (segment.size == 0 && is_last) {
        note(segment.path, "is empty: it was being created; the next start removes it");
      } else if (segment.size != size && !(is_last && segment.size < size)) {
        damage(segment.path, fmt::format("has {} bytes, but {} {}", segment.size, what, size),
               std::min(segment.size, size));
      }
    }
    return std::nullopt;
  }

  Problem list_simple_queues() {
    return list_queues(QueueKind::kSimple, options_.queue_directory, options_.queue_file_size_bytes,
                       found_.queue_file_size_bytes);
  }
  Problem list_batch_queues() {
    return list_queues(QueueKind::kBatch, options_.batch_queue_directory, options_.batch_queue_file_size_bytes,
                       found_.batch_queue_file_size_bytes);
  }

  Problem list_queues(QueueKind kind, const std::string& directory, std::int64_t size_bytes, std::int64_t& found_size) {
    const std::size_t before = found_.queues.size();
    Listed topics;
    if (auto problem = entries(directory, topics)) return problem;
    std::vector<FoundFile> all;
    for (const auto& topic : topics) {
      const auto topic_path = file::join(directory, topic.name);
      if (!topic.is_directory || !is_safe_topic(topic.name)) {
        note(topic_path, "is no directory of a topic");
        continue;
      }
      Listed ids;
      if (auto problem = entries(topic_path, ids)) return problem;
      for (const auto& queue : ids) {
        const auto queue_path = file::join(topic_path, queue.name);
        const auto id = parse_queue_id(queue.name);
        if (!queue.is_directory || !id) {
          note(queue_path, "is no directory of a queue");
          continue;
        }
        FoundQueue found{topic.name, *id, {}, kind, queue_path, 0};
        Listed files;
        if (auto problem = entries(queue_path, files)) return problem;
        for (const auto& entry : files) {
          const auto path = file::join(queue_path, entry.name);
          const auto start = parse_start(entry.name);
          if (entry.is_directory || !start) {
            foreign(path, "is no file of a queue: Apache's broker does not start with it in this directory");
            continue;
          }
          found.files.push_back({path, start->value, entry.size});
        }
        all.insert(all.end(), found.files.begin(), found.files.end());
        if (!found.files.empty()) found_.queues.push_back(std::move(found));
      }
    }
    const auto listed = std::span(found_.queues).subspan(before);
    std::sort(listed.begin(), listed.end(),
              [](const auto& a, const auto& b) { return std::tie(a.topic, a.id) < std::tie(b.topic, b.id); });
    const auto common = common_size(all);
    const auto& layout = kind == QueueKind::kBatch ? kBatchLayout : kSimpleLayout;
    const auto configured = whole_entries(size_bytes, layout);
    if (configured != 0 && common != 0 && common != configured &&
        std::none_of(all.begin(), all.end(), [&](const auto& file) { return file.size == configured; })) {
      return wrong_size(all.front(), layout.size_setting, configured);
    }
    found_size = configured != 0 ? configured : common;
    if (found_size == 0) {  // no file has any bytes, so that nobody knows how many they should have
      for (const auto& file : all) note(file.path, "is empty: it was being created, and the next start makes it whole");
      found_.queues.resize(before);
      return std::nullopt;
    }
    for (auto& queue : listed) {
      queue.file_size = found_size;
      check_queue(queue);
    }
    return std::nullopt;
  }

  void check_queue(const FoundQueue& queue) {
    const auto size = queue.file_size;
    for (std::size_t i = 0; i < queue.files.size(); ++i) {
      const auto& file = queue.files[i];
      const bool is_last = i + 1 == queue.files.size();
      if (file.start % size != 0) {
        damage(file.path, fmt::format("its name is no multiple of {}, the size of a queue file", size));
      } else if (i > 0 && file.start != queue.files[i - 1].start + size) {
        damage(file::join(parent(file.path), segment_name({queue.files[i - 1].start + size})),
               fmt::format("is missing: the next file is {}", file.path));
      }
      if (file.size == size) continue;
      if (is_last && (file.size == 0 || (file.size < size && file.size % queue.layout().size == 1))) {
        note(file.path,
             fmt::format("has {} bytes: a crash has left it so, and the next start makes it whole", file.size));
      } else {
        damage(file.path, fmt::format("has {} bytes, but queue files have {}", file.size, size),
               std::min(file.size, size));
      }
    }
  }

  Problem list_index() {
    Listed listed;
    if (auto problem = entries(options_.index_directory, listed)) return problem;
    auto& shape = found_.index_shape;
    if (options_.index_slots == 0) {
      std::vector<FoundFile> sizes;
      for (const auto& entry : listed)
        sizes.push_back({file::join(options_.index_directory, entry.name), 0, entry.size});
      const auto common = common_size(sizes);
      shape = {kDefaultSlots, kDefaultEntries};
      found_.has_unread_index = common != 0 && common != shape.file_size();
      if (found_.has_unread_index) {
        note(options_.index_directory,
             fmt::format(
                 "is not looked at: its files have {} bytes, which is not what the defaults of maxHashSlotNum and "
                 "maxIndexNum make ({}); the broker's settings are needed",
                 common, shape.file_size()));
        return std::nullopt;
      }
    }
    for (const auto& entry : listed) {
      const auto path = file::join(options_.index_directory, entry.name);
      if (entry.is_directory || entry.name.size() != kIndexNameSize ||
          entry.name.find_first_not_of("0123456789") != std::string::npos) {
        note(path, "is no index file; nobody reads it");
      } else if (entry.size == 0) {
        note(path, "is empty: it was being created; the next start removes it");
      } else if (entry.size != shape.file_size()) {
        damage(path,
               fmt::format("has {} bytes, but maxHashSlotNum={} and maxIndexNum={} make {}", entry.size, shape.slots,
                           shape.entries_max, shape.file_size()),
               std::min(entry.size, shape.file_size()));
      } else {
        found_.index_files.push_back({path, 0, entry.size});
      }
    }
    return std::nullopt;
  }

  file::Disk& disk_;
  const InspectOptions& options_;
  StoreFiles found_;
};

}  // namespace

InspectOptions completed(const InspectOptions& options) {
  auto all = options;
  if (all.log_directory.empty()) all.log_directory = file::join(all.root, "commitlog");
  if (all.queue_directory.empty()) all.queue_directory = file::join(all.root, "consumequeue");
  if (all.batch_queue_directory.empty()) all.batch_queue_directory = file::join(all.root, "batchconsumequeue");
  if (all.index_directory.empty()) all.index_directory = file::join(all.root, "index");
  return all;
}

boost::system::result<StoreFiles, OpenProblem> list_store_files(file::Disk& disk, const InspectOptions& options) {
  return Lister(disk, options).list();
}

}  // namespace tern::store
