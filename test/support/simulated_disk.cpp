#include "support/simulated_disk.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <map>
#include <set>
#include <sys/mman.h>
#include <utility>

#include <fmt/format.h>

#include "tern/base/check.hpp"
#include "tern/base/thread_annotations.hpp"

namespace tern::test {
namespace {

using file::DirectoryEntry;
using file::OpenMode;

constexpr std::int64_t kSectorSize = 512;
constexpr std::int64_t kPageSize = 4096;
static_assert(kPageSize % kSectorSize == 0);

class Category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "simulated disk"; }
  [[nodiscard]] std::string message(int) const override { return "the machine has crashed"; }
};

Error crash_error() {
  static const Category category;
  return {{1, category}, 0};
}

/// Memory that keeps its address while there is room in its reservation. Zero where never stored to.
class Memory {
 public:
  Memory() = default;
  ~Memory() {
    if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  [[nodiscard]] std::int64_t capacity() const { return static_cast<std::int64_t>(bytes_.size()); }
  [[nodiscard]] std::span<std::byte> range(std::int64_t position, std::int64_t size) const {
    return bytes_.subspan(static_cast<std::size_t>(position), static_cast<std::size_t>(size));
  }
  /// Moves: no span of it may be in use.
  void reserve(std::int64_t capacity) {
    const auto size = static_cast<std::size_t>(capacity);
    auto* const memory = bytes_.empty() ? ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                                        : ::mremap(bytes_.data(), bytes_.size(), size, MREMAP_MAYMOVE);
    TERN_CHECK(memory != MAP_FAILED, "{} bytes, errno {}", capacity, errno);
    bytes_ = {static_cast<std::byte*>(memory), size};
  }

 private:
  std::span<std::byte> bytes_;
};

/// File contents, as far as anything was ever written; zero beyond.
class Bytes {
 public:
  [[nodiscard]] std::int64_t end() const { return static_cast<std::int64_t>(bytes_.size()); }
  [[nodiscard]] std::span<const std::byte> all() const { return bytes_; }
  void put(std::int64_t position, std::span<const std::byte> from) {
    if (from.empty()) return;
    bytes_.resize(std::max(bytes_.size(), static_cast<std::size_t>(position) + from.size()));
    std::memcpy(bytes_.data() + position, from.data(), from.size());
  }
  void cut(std::int64_t size) { bytes_.resize(std::min(bytes_.size(), static_cast<std::size_t>(size))); }
  void clear(std::int64_t from, std::int64_t to) {
    to = std::min(to, end());
    if (from < to) std::fill(bytes_.begin() + from, bytes_.begin() + to, std::byte{0});
  }

 private:
  std::vector<std::byte> bytes_;
};

using Sector = std::array<std::byte, kSectorSize>;

Sector sector_of(const Bytes& bytes, std::int64_t index) {
  Sector sector{};
  const auto begin = index * kSectorSize;
  const auto size = std::min(kSectorSize, bytes.end() - begin);
  if (size > 0) std::memcpy(sector.data(), bytes.all().data() + begin, static_cast<std::size_t>(size));
  return sector;
}

/// What may be on the disk instead of the durable value, oldest first. Not dirty: a sync failed, the kernel has
/// forgotten that these were never written, and no later sync writes them.
template <class T>
struct History {
  std::vector<T> versions;
  bool dirty = false;

  void add(T version) {
    versions.push_back(std::move(version));
    dirty = true;
  }
  void sync_into(T& durable) {
    if (!dirty) return;
    durable = std::move(versions.back());
    versions.clear();
    dirty = false;
  }
};

/// Size and allocated pages.
struct Extent {
  std::int64_t size = 0;
  std::vector<bool> pages;

  [[nodiscard]] bool has(std::int64_t page) const {
    return page < static_cast<std::int64_t>(pages.size()) && pages[static_cast<std::size_t>(page)];
  }
  [[nodiscard]] std::int64_t used_bytes() const { return std::count(pages.begin(), pages.end(), true) * kPageSize; }
  void take(std::int64_t position, std::int64_t range_size) {
    if (range_size == 0) return;
    const auto last = static_cast<std::size_t>((position + range_size - 1) / kPageSize);
    if (pages.size() <= last) pages.resize(last + 1);
    for (auto page = static_cast<std::size_t>(position / kPageSize); page <= last; ++page) pages[page] = true;
    size = std::max(size, position + range_size);
  }
  friend bool operator==(const Extent&, const Extent&) = default;
};

struct Node;
using NodePtr = std::shared_ptr<Node>;
using Entries = std::map<std::string, NodePtr>;

/// One change of a directory, atomic: names and what they then stand for (null: nothing).
struct DirectoryChange {
  std::vector<std::pair<std::string, NodePtr>> names;
  // A rename into another directory: this half (the old name goes) cannot survive without change `needs` of that one.
  std::weak_ptr<Node> other;
  std::int64_t needs = 0;
  std::int64_t id = 0;
};

void apply_change(const DirectoryChange& change, Entries& entries) {
  for (const auto& [name, node] : change.names) {
    if (node) {
      entries[name] = node;
    } else {
      entries.erase(name);
    }
  }
}

struct Node {
  explicit Node(bool is_directory) : directory(is_directory) {}

  const bool directory;
  std::string path;  // the latest name, for people
  std::int64_t modified_ms = 0;

  Entries entries;
  Entries durable_entries;
  std::vector<DirectoryChange> journal;

  Memory cache;  // what the process sees: committed, and in windows perhaps more
  Bytes committed;
  Bytes durable;
  std::map<std::int64_t, History<Sector>> sectors;  // of committed, by index, not (surely) durable
  Extent extent;
  Extent durable_extent;
  History<Extent> extents;
  int sync_errno = 0;           // a commit has failed: the next sync says so
  std::int64_t mapped_end = 0;  // of the highest window ever: committed and cache can differ below this
  int windows = 0;
  int holders = 0;  // names, open files, windows: without any, the space is free
};

using Word __attribute__((may_alias, aligned(1))) = std::uint64_t;

// Reads memory that others may be storing to, as the kernel does: hence hidden from the thread sanitizer.
__attribute__((no_sanitize("thread"))) bool same(const std::byte* left, const std::byte* right, std::int64_t size) {
  std::int64_t i = 0;
  for (; i + 8 <= size; i += 8) {
    if (*reinterpret_cast<const Word*>(left + i) != *reinterpret_cast<const Word*>(right + i)) return false;
  }
  for (; i < size; ++i) {
    if (left[i] != right[i]) return false;
  }
  return true;
}
__attribute__((no_sanitize("thread"))) std::byte peek(const std::byte* at) {
  return *at;
}

/// Ranges in which the cache holds stores that were never committed.
std::vector<UncommittedStore> differences(const Node& node) {
  std::vector<UncommittedStore> found;
  if (node.mapped_end == 0) return found;
  const auto end = std::min(node.cache.capacity(), std::max(node.mapped_end, node.extent.size));
  const auto* const cache = node.cache.range(0, end).data();
  for (std::int64_t at = 0; at < end; at += kSectorSize) {
    const auto size = std::min(kSectorSize, end - at);
    const auto committed = sector_of(node.committed, at / kSectorSize);
    if (same(cache + at, committed.data(), size)) continue;
    for (std::int64_t i = 0; i < size; ++i) {
      if (peek(cache + at + i) == committed[static_cast<std::size_t>(i)]) continue;
      if (!found.empty() && found.back().position + found.back().size == at + i) {
        ++found.back().size;
      } else {
        found.push_back({node.path, at + i, 1});
      }
    }
  }
  return found;
}

void commit_range(Node& node, std::int64_t position, std::span<const std::byte> from) {
  if (from.empty()) return;
  node.committed.put(position, from);
  const auto last = (position + static_cast<std::int64_t>(from.size()) - 1) / kSectorSize;
  for (auto i = position / kSectorSize; i <= last; ++i) node.sectors[i].add(sector_of(node.committed, i));
}

void sync_node(Node& node) {
  for (auto it = node.sectors.begin(); it != node.sectors.end();) {
    if (it->second.dirty) {
      node.durable.put(it->first * kSectorSize, it->second.versions.back());
      it = node.sectors.erase(it);
    } else {
      ++it;
    }
  }
  node.extents.sync_into(node.durable_extent);
}

/// Of the data: size and allocations go through the file system's journal, which stays dirty or ends the file system.
void forget_dirty(Node& node) {
  for (auto& [index, history] : node.sectors) history.dirty = false;
}

void sync_entries(Node& directory) {
  for (const auto& change : directory.journal) {
    apply_change(change, directory.durable_entries);
    // A file system's journal has both halves of a rename in one transaction.
    if (const auto other = change.other.lock()) {
      for (const auto& half : other->journal) apply_change(half, other->durable_entries);
      other->journal.clear();
    }
  }
  directory.journal.clear();
}

/// Which of `n` versions is on the disk: 0 the durable one.
class Lottery {
 public:
  Lottery(Rng& rng, Survival survival) : rng_(rng), mode_(mode_of(rng, survival)) {}

  std::size_t draw(std::size_t n) {
    switch (mode_) {
      case Mode::kNothing:
        return 0;
      case Mode::kEverything:
        return n;
      case Mode::kEven:
        return rng_() % (n + 1);
      case Mode::kMostLost:
        return rng_() % 8 == 0 ? rng_() % (n + 1) : 0;
      case Mode::kMostKept:
        return rng_() % 8 == 0 ? rng_() % (n + 1) : n;
    }
    return 0;
  }

 private:
  enum class Mode : std::uint8_t { kNothing, kEverything, kEven, kMostLost, kMostKept };
  static Mode mode_of(Rng& rng, Survival survival) {
    if (survival == Survival::kNothing) return Mode::kNothing;
    if (survival == Survival::kEverything) return Mode::kEverything;
    return static_cast<Mode>(rng() % 5);
  }

  Rng& rng_;
  const Mode mode_;
};

}  // namespace

class SimulatedDisk::State {
 public:
  State(const SimulatedDiskOptions& disk_options, NodePtr root_node)
      : options(disk_options),
        capacity(disk_options.capacity_bytes),
        root(std::move(root_node)),
        rng(disk_options.seed) {}

  struct Fault {
    std::int64_t first = 0;
    std::int64_t times = 0;
    int errno_value = 0;
    [[nodiscard]] bool hits(std::int64_t operation) const { return operation >= first && operation - first < times; }
  };

  Status begin_change() TERN_REQUIRES(lock) {
    if (crashed) return crash_error();
    ++changes;
    if (changes == crash_operation) {
      crashed = true;
      return crash_error();
    }
    if (fault.hits(changes)) return errno_error(fault.errno_value);
    return {};
  }

  Status begin_read() TERN_REQUIRES(lock) {
    if (crashed) return crash_error();
    ++reads;
    if (read_fault.hits(reads)) return errno_error(read_fault.errno_value);
    return {};
  }

  // --- names ---

  static std::vector<std::string> parts_of(const std::string& path) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    while (begin <= path.size()) {
      const auto end = std::min(path.find('/', begin), path.size());
      auto part = path.substr(begin, end - begin);
      TERN_CHECK(part != "..", "{}: not simulated", path);
      if (!part.empty() && part != ".") parts.push_back(std::move(part));
      begin = end + 1;
    }
    return parts;
  }

  Result<NodePtr> walk(std::span<const std::string> parts) const TERN_REQUIRES(lock) {
    auto node = root;
    for (const auto& part : parts) {
      if (!node->directory) return errno_error(ENOTDIR);
      const auto found = node->entries.find(part);
      if (found == node->entries.end()) return errno_error(ENOENT);
      node = found->second;
    }
    return node;
  }

  Result<NodePtr> find(const std::string& path) const TERN_REQUIRES(lock) { return walk(parts_of(path)); }

  struct Place {
    NodePtr directory;
    std::string name;
    NodePtr node;  // null: nothing there
  };
  Result<Place> find_place(const std::string& path) const TERN_REQUIRES(lock) {
    auto parts = parts_of(path);
    if (parts.empty()) return errno_error(EBUSY);
    auto directory = walk(std::span(parts).first(parts.size() - 1));
    if (!directory) return directory.error();
    if (!(*directory)->directory) return errno_error(ENOTDIR);
    const auto found = (*directory)->entries.find(parts.back());
    const auto node = found == (*directory)->entries.end() ? nullptr : found->second;
    return Place{*directory, parts.back(), node};
  }

  void change_directory(const NodePtr& directory, DirectoryChange change) TERN_REQUIRES(lock) {
    change.id = ++directory_changes;
    for (const auto& [name, node] : change.names) {
      if (node) ++node->holders;
      const auto old = directory->entries.find(name);
      if (old != directory->entries.end()) drop(old->second);
    }
    apply_change(change, directory->entries);
    directory->modified_ms = now_ms();
    directory->journal.push_back(std::move(change));
  }

  NodePtr create(const Place& place, bool directory, const std::string& path) TERN_REQUIRES(lock) {
    auto node = std::make_shared<Node>(directory);
    node->path = path;
    node->modified_ms = now_ms();
    change_directory(place.directory, {{{place.name, node}}, {}, 0, 0});
    return node;
  }

  void drop(const NodePtr& node) TERN_REQUIRES(lock) {
    if (--node->holders == 0) used -= node->extent.used_bytes();
  }

  [[nodiscard]] std::int64_t now_ms() const { return options.clock == nullptr ? 0 : options.clock->wall_ms(); }

  // --- contents ---

  void make_room(Node& node, std::int64_t end) const TERN_REQUIRES(lock) {
    if (end <= node.cache.capacity()) return;
    TERN_CHECK(node.windows == 0, "{} is mapped and grows to {}: raise file_reservation_bytes", node.path, end);
    node.cache.reserve(std::max(options.file_reservation_bytes, (end + kPageSize - 1) / kPageSize * kPageSize * 2));
  }

  void set_extent(Node& node, Extent extent) TERN_REQUIRES(lock) {
    if (extent == node.extent) return;
    used += extent.used_bytes() - node.extent.used_bytes();
    node.extent = std::move(extent);
    node.extents.add(node.extent);
  }

  /// How many bytes from `position` on, of `size`, find room.
  std::int64_t room_for(const Node& node, std::int64_t position, std::int64_t size) const TERN_REQUIRES(lock) {
    auto free_pages = (capacity - used) / kPageSize;
    for (auto at = position; at < position + size; at = (at / kPageSize + 1) * kPageSize) {
      if (!node.extent.has(at / kPageSize) && free_pages-- <= 0) return at - position;
    }
    return size;
  }

  Status write(Node& node, std::int64_t position, std::span<const std::byte> from) TERN_REQUIRES(lock) {
    const auto began = begin_change();
    if (!began && is_crash(began.error())) return began;
    const auto size = static_cast<std::int64_t>(from.size());
    auto written = room_for(node, position, size);
    if (!began) written = std::min(written, static_cast<std::int64_t>(rng() % (from.size() + 1)));
    if (written > 0) {
      const auto part = from.first(static_cast<std::size_t>(written));
      auto extent = node.extent;
      extent.take(position, written);
      set_extent(node, std::move(extent));
      make_room(node, position + written);
      std::memcpy(node.cache.range(position, written).data(), part.data(), part.size());
      commit_range(node, position, part);
      node.modified_ms = now_ms();
    }
    if (!began) return began;
    if (written < size) return errno_error(ENOSPC, position + written);
    return {};
  }

  Status allocate(Node& node, std::int64_t position, std::int64_t size) TERN_REQUIRES(lock) {
    if (auto began = begin_change(); !began) return began;
    if (room_for(node, position, size) < size) return errno_error(ENOSPC, position);
    auto extent = node.extent;
    extent.take(position, size);
    set_extent(node, std::move(extent));
    return {};
  }

  Status resize(Node& node, std::int64_t size) TERN_REQUIRES(lock) {
    if (auto began = begin_change(); !began) return began;
    auto extent = node.extent;
    extent.size = size;
    extent.pages.resize(std::min(extent.pages.size(), static_cast<std::size_t>((size + kPageSize - 1) / kPageSize)));
    set_extent(node, std::move(extent));
    const auto old_end = std::max(node.committed.end(), node.mapped_end);
    if (size < std::min(old_end, node.cache.capacity())) {
      const auto cut = node.cache.range(size, std::min(old_end, node.cache.capacity()) - size);
      std::fill(cut.begin(), cut.end(), std::byte{0});
    }
    if (size < node.committed.end()) {
      const std::vector<std::byte> zeros(static_cast<std::size_t>(node.committed.end() - size));
      commit_range(node, size, zeros);
      node.committed.cut(size);
    }
    node.modified_ms = now_ms();
    return {};
  }

  Status sync(Node& node) TERN_REQUIRES(lock) {
    const auto began = begin_change();
    if (!began && is_crash(began.error())) return began;
    for (auto& store : differences(node)) uncommitted.push_back(std::move(store));
    if (!began || node.sync_errno != 0) {
      forget_dirty(node);
      const auto why = std::exchange(node.sync_errno, 0);
      return began ? Status(errno_error(why)) : began;
    }
    sync_node(node);
    return {};
  }

  Status read(const Node& node, std::int64_t position, std::span<std::byte> to) const TERN_REQUIRES(lock) {
    const auto size = static_cast<std::int64_t>(to.size());
    const auto there = std::clamp<std::int64_t>(node.extent.size - position, 0, size);
    const auto stored = std::clamp<std::int64_t>(node.cache.capacity() - position, 0, there);
    if (stored > 0) std::memcpy(to.data(), node.cache.range(position, stored).data(), static_cast<std::size_t>(stored));
    if (there > stored) std::memset(to.data() + stored, 0, static_cast<std::size_t>(there - stored));
    if (there < size) return error(file::Errc::kShortRead, there);
    return {};
  }

  /// A store there would have killed the process if the disk had been full.
  void need_allocated(const Node& node, std::int64_t position, std::int64_t size, std::string_view what)
      TERN_REQUIRES(lock) {
    bool good = position + size <= node.extent.size;
    for (auto page = position / kPageSize; good && page * kPageSize < position + size; ++page)
      good = node.extent.has(page);
    if (!good) violations.push_back(fmt::format("{}: {} of [{}, +{}), not allocated", node.path, what, position, size));
  }

  void commit(Node& node, std::int64_t position, std::int64_t size) TERN_REQUIRES(lock) {
    const auto began = begin_change();
    if (!began && is_crash(began.error())) return;
    need_allocated(node, position, size, "commit");
    commit_range(node, position, node.cache.range(position, size));
    node.modified_ms = now_ms();
    if (!began) node.sync_errno = began.error().code.value();
  }

  // --- what a crash leaves ---

  /// Every directory that any future can hold, in an order that depends on names alone.
  static void collect_directories(const NodePtr& node, std::vector<NodePtr>& found, std::set<const Node*>& seen) {
    if (!node->directory || !seen.insert(node.get()).second) return;
    found.push_back(node);
    for (const auto& [name, child] : node->durable_entries) collect_directories(child, found, seen);
    for (const auto& change : node->journal) {
      for (const auto& [name, child] : change.names) {
        if (child) collect_directories(child, found, seen);
      }
    }
  }

  /// How many of each directory's changes survive.
  [[nodiscard]] std::map<const Node*, std::size_t> draw_names(Lottery& lottery) const TERN_REQUIRES(lock) {
    std::vector<NodePtr> directories;
    std::set<const Node*> seen;
    collect_directories(root, directories, seen);
    std::map<const Node*, std::size_t> survive;
    for (const auto& directory : directories) survive[directory.get()] = lottery.draw(directory->journal.size());

    const auto survives = [&](const DirectoryChange& half) {
      const auto other = half.other.lock();
      if (!other) return true;
      const auto& journal = other->journal;
      const auto at = std::find_if(journal.begin(), journal.end(), [&](const auto& c) { return c.id == half.needs; });
      return at == journal.end() || static_cast<std::size_t>(at - journal.begin()) < survive[other.get()];
    };
    for (bool again = true; again;) {
      again = false;
      for (const auto& directory : directories) {
        for (std::size_t i = 0; i < survive[directory.get()]; ++i) {
          if (survives(directory->journal[i])) continue;
          survive[directory.get()] = i;
          again = true;
        }
      }
    }
    return survive;
  }

  [[nodiscard]] std::shared_ptr<State> after_crash(Rng& draws, Survival survival) const TERN_REQUIRES(lock) {
    Lottery lottery(draws, survival);
    const auto names = draw_names(lottery);
    auto state = std::make_shared<State>(options, std::make_shared<Node>(true));
    MutexLock hold(state->lock);
    state->root->holders = 1;
    state->capacity = capacity;
    std::map<const Node*, NodePtr> copies;
    state->restore_entries(*root, *state->root, names, lottery, copies);
    return state;
  }

  void restore_entries(const Node& from, Node& to, const std::map<const Node*, std::size_t>& names, Lottery& lottery,
                       std::map<const Node*, NodePtr>& copies) TERN_REQUIRES(lock) {
    auto entries = from.durable_entries;
    for (std::size_t i = 0; i < names.at(&from); ++i) apply_change(from.journal[i], entries);
    to.path = from.path;
    to.modified_ms = from.modified_ms;
    for (const auto& [name, child] : entries) {
      auto& copy = copies[child.get()];
      if (!copy) {
        copy = std::make_shared<Node>(child->directory);
        if (child->directory) {
          restore_entries(*child, *copy, names, lottery, copies);
        } else {
          restore_file(*child, *copy, lottery);
        }
      }
      ++copy->holders;
      to.entries[name] = to.durable_entries[name] = copy;
    }
  }

  void restore_file(const Node& from, Node& to, Lottery& lottery) TERN_REQUIRES(lock) {
    auto bytes = from.durable;
    for (const auto& [index, history] : from.sectors) {
      const auto version = lottery.draw(history.versions.size());
      if (version > 0) bytes.put(index * kSectorSize, history.versions[version - 1]);
    }
    const auto version = lottery.draw(from.extents.versions.size());
    to.extent = version > 0 ? from.extents.versions[version - 1] : from.durable_extent;
    bytes.cut(to.extent.size);
    for (std::int64_t page = 0; page * kPageSize < bytes.end(); ++page) {
      if (!to.extent.has(page)) bytes.clear(page * kPageSize, (page + 1) * kPageSize);
    }
    make_room(to, bytes.end());
    std::copy(bytes.all().begin(), bytes.all().end(), to.cache.range(0, bytes.end()).begin());
    to.committed = bytes;
    to.durable = std::move(bytes);
    to.durable_extent = to.extent;
    to.path = from.path;
    to.modified_ms = from.modified_ms;
    used += to.extent.used_bytes();
  }

  [[nodiscard]] std::shared_ptr<State> after_kill() const TERN_REQUIRES(lock) {
    std::map<const Node*, NodePtr> copies;
    auto state = std::make_shared<State>(options, copy_of(root, copies));
    MutexLock hold(state->lock);
    state->root->holders = 1;
    state->capacity = capacity;
    state->directory_changes = directory_changes;
    for (const auto& [from, copy] : copies) {
      for (const auto& [name, child] : copy->entries) ++child->holders;
    }
    for (const auto& [from, copy] : copies) {
      if (copy->holders > 0) state->used += copy->extent.used_bytes();
    }
    return state;
  }

  [[nodiscard]] NodePtr copy_of(const NodePtr& from, std::map<const Node*, NodePtr>& copies) const TERN_REQUIRES(lock) {
    if (!from) return nullptr;
    if (const auto found = copies.find(from.get()); found != copies.end()) return found->second;
    const auto to = std::make_shared<Node>(from->directory);
    copies[from.get()] = to;
    to->path = from->path;
    to->modified_ms = from->modified_ms;
    for (const auto& [name, child] : from->entries) to->entries[name] = copy_of(child, copies);
    for (const auto& [name, child] : from->durable_entries) to->durable_entries[name] = copy_of(child, copies);
    for (const auto& change : from->journal) {
      auto& copy =
          to->journal.emplace_back(DirectoryChange{{}, copy_of(change.other.lock(), copies), change.needs, change.id});
      for (const auto& [name, child] : change.names) copy.names.emplace_back(name, copy_of(child, copies));
    }
    to->committed = from->committed;
    to->durable = from->durable;
    to->sectors = from->sectors;
    to->extent = from->extent;
    to->durable_extent = from->durable_extent;
    to->extents = from->extents;
    to->sync_errno = from->sync_errno;
    // The kernel needs no commit: what the dead process has stored is in the file. All of a sector at once: in which
    // order its bytes were stored is not known, and a version with the later ones alone never was.
    std::set<std::int64_t> changed;
    for (const auto& store : differences(*from)) {
      const auto end = std::min(store.position + store.size, from->extent.size);
      if (store.position >= end) continue;
      to->committed.put(store.position, from->cache.range(store.position, end - store.position));
      for (auto i = store.position / kSectorSize; i <= (end - 1) / kSectorSize; ++i) changed.insert(i);
    }
    for (const auto index : changed) to->sectors[index].add(sector_of(to->committed, index));
    make_room(*to, to->committed.end());
    std::copy(to->committed.all().begin(), to->committed.all().end(), to->cache.range(0, to->committed.end()).begin());
    return to;
  }

  mutable Mutex lock;
  const SimulatedDiskOptions options;
  std::int64_t capacity TERN_GUARDED_BY(lock);
  std::int64_t used TERN_GUARDED_BY(lock) = 0;
  const NodePtr root;  // the nodes too are guarded by lock
  Rng rng TERN_GUARDED_BY(lock);
  std::int64_t changes TERN_GUARDED_BY(lock) = 0;
  std::int64_t reads TERN_GUARDED_BY(lock) = 0;
  std::int64_t directory_changes TERN_GUARDED_BY(lock) = 0;
  std::int64_t crash_operation TERN_GUARDED_BY(lock) = 0;
  bool crashed TERN_GUARDED_BY(lock) = false;
  bool cold TERN_GUARDED_BY(lock) = false;
  Fault fault TERN_GUARDED_BY(lock);
  Fault read_fault TERN_GUARDED_BY(lock);
  std::set<std::vector<std::string>> locked_elsewhere TERN_GUARDED_BY(lock);
  std::vector<UncommittedStore> uncommitted TERN_GUARDED_BY(lock);
  std::vector<std::string> violations TERN_GUARDED_BY(lock);
  bool violations_asked TERN_GUARDED_BY(lock) = false;
};

class SimulatedDisk::Window final : public file::MappedWindow {
 public:
  Window(std::shared_ptr<State> state, NodePtr node, std::span<std::byte> bytes, std::int64_t file_position)
      : state_(std::move(state)), node_(std::move(node)), bytes_(bytes), file_position_(file_position) {}
  ~Window() override {
    MutexLock hold(state_->lock);
    --node_->windows;
    state_->drop(node_);
  }

  [[nodiscard]] std::span<std::byte> bytes() noexcept override { return bytes_; }
  [[nodiscard]] std::int64_t file_position() const noexcept override { return file_position_; }

  void commit(std::size_t at, std::size_t size) noexcept override {
    check_range(at, size);
    MutexLock hold(state_->lock);
    state_->commit(*node_, file_position_ + static_cast<std::int64_t>(at), static_cast<std::int64_t>(size));
  }

  Status populate(std::size_t at, std::size_t size) override {
    check_range(at, size);
    MutexLock hold(state_->lock);
    if (auto began = state_->begin_read(); !began) return began;
    state_->need_allocated(*node_, file_position_ + static_cast<std::int64_t>(at), static_cast<std::int64_t>(size),
                           "populate");
    return {};
  }

 private:
  void check_range(std::size_t at, std::size_t size) const {
    TERN_CHECK(at <= bytes_.size() && size <= bytes_.size() - at, "[{}, +{}) of {}", at, size, bytes_.size());
  }

  const std::shared_ptr<State> state_;
  const NodePtr node_;
  const std::span<std::byte> bytes_;
  const std::int64_t file_position_;
};

constexpr std::int64_t kOtherProcess = 4711;  // who holds what is locked elsewhere

class SimulatedDisk::OpenFile final : public file::File {
 public:
  /// With the state's lock held.
  OpenFile(std::shared_ptr<State> state, NodePtr node, std::string path, bool writable)
      : state_(std::move(state)), node_(std::move(node)), path_(std::move(path)), writable_(writable) {
    ++node_->holders;
  }
  ~OpenFile() override {
    MutexLock hold(state_->lock);
    state_->drop(node_);
  }

  Status read(std::int64_t position, std::span<std::byte> to) override {
    check_position(position);
    MutexLock hold(state_->lock);
    if (auto began = state_->begin_read(); !began) return began;
    return state_->read(*node_, position, to);
  }

  Status read_no_wait(std::int64_t position, std::span<std::byte> to) override {
    check_position(position);
    MutexLock hold(state_->lock);
    if (auto began = state_->begin_read(); !began) return began;
    if (state_->cold) return error(file::Errc::kWouldBlock);
    return state_->read(*node_, position, to);
  }

  Status write(std::int64_t position, std::span<const std::byte> from) override {
    check_position(position);
    if (!writable_) return errno_error(EBADF, position);
    MutexLock hold(state_->lock);
    return state_->write(*node_, position, from);
  }

  Status allocate(std::int64_t position, std::int64_t size) override {
    check_position(position);
    TERN_CHECK(size >= 0, "size {}", size);
    if (!writable_) return errno_error(EBADF, position);
    MutexLock hold(state_->lock);
    return state_->allocate(*node_, position, size);
  }

  Status resize(std::int64_t size) override {
    check_position(size);
    if (!writable_) return errno_error(EINVAL, size);
    MutexLock hold(state_->lock);
    return state_->resize(*node_, size);
  }

  Status sync() override {
    MutexLock hold(state_->lock);
    return state_->sync(*node_);
  }

  [[nodiscard]] Result<std::int64_t> size() override {
    MutexLock hold(state_->lock);
    if (auto began = state_->begin_read(); !began) return began.error();
    return node_->extent.size;
  }

  Result<std::unique_ptr<file::MappedWindow>> map(std::int64_t position, std::int64_t size, file::WindowUse) override {
    check_position(position);
    TERN_CHECK(position % kPageSize == 0 && size > 0, "[{}, +{})", position, size);
    if (!writable_) return errno_error(EACCES, position);
    MutexLock hold(state_->lock);
    if (auto began = state_->begin_read(); !began) return began.error();
    state_->make_room(*node_, position + size);
    node_->mapped_end = std::max(node_->mapped_end, position + size);
    ++node_->windows;
    ++node_->holders;
    return std::make_unique<Window>(state_, node_, node_->cache.range(position, size), position);
  }

  Status lock_first_byte() override {
    MutexLock hold(state_->lock);
    if (auto began = state_->begin_read(); !began) return began;
    if (!writable_) return errno_error(EBADF);
    if (state_->locked_elsewhere.contains(State::parts_of(path_))) return error(file::Errc::kLocked, kOtherProcess);
    return {};
  }

  [[nodiscard]] Result<std::optional<std::int64_t>> first_byte_holder() override {
    MutexLock hold(state_->lock);
    if (auto began = state_->begin_read(); !began) return began.error();
    if (!state_->locked_elsewhere.contains(State::parts_of(path_))) return std::optional<std::int64_t>();
    return std::optional<std::int64_t>(kOtherProcess);
  }

  [[nodiscard]] const std::string& path() const noexcept override { return path_; }

 private:
  static void check_position(std::int64_t position) { TERN_CHECK(position >= 0, "position {}", position); }

  const std::shared_ptr<State> state_;
  const NodePtr node_;
  const std::string path_;
  const bool writable_;
};

SimulatedDisk::SimulatedDisk(const SimulatedDiskOptions& options)
    : SimulatedDisk(std::make_shared<State>(options, std::make_shared<Node>(true))) {}

SimulatedDisk::SimulatedDisk(std::shared_ptr<State> state) : state_(std::move(state)) {}

SimulatedDisk::~SimulatedDisk() {
  MutexLock hold(state_->lock);
  TERN_CHECK(state_->violations.empty() || state_->violations_asked, "{}", fmt::join(state_->violations, "; "));
}

Result<std::unique_ptr<file::File>> SimulatedDisk::open(const std::string& path, OpenMode mode) {
  MutexLock hold(state_->lock);
  const auto place = state_->find_place(path);
  const bool creates = mode == OpenMode::kCreate || mode == OpenMode::kCreateNew;
  const bool changes = creates && place && !place->node;
  if (auto began = changes ? state_->begin_change() : state_->begin_read(); !began) return began.error();
  if (!place) return place.error();
  if (place->node && mode == OpenMode::kCreateNew) return errno_error(EEXIST);
  if (place->node && place->node->directory) return errno_error(EISDIR);
  if (!place->node && !creates) return errno_error(ENOENT);
  const auto node = place->node ? place->node : state_->create(*place, false, path);
  return std::make_unique<OpenFile>(state_, node, path, mode != OpenMode::kRead);
}

Status SimulatedDisk::make_directories(const std::string& path) {
  MutexLock hold(state_->lock);
  std::string done;
  for (const auto& part : State::parts_of(path)) {
    done += "/" + part;
    const auto place = state_->find_place(done);
    if (!place) return place.error();
    if (place->node && !place->node->directory) return errno_error(ENOTDIR);
    if (place->node) continue;
    if (auto began = state_->begin_change(); !began) return began;
    state_->create(*place, true, done);
  }
  if (state_->crashed) return crash_error();
  return {};
}

Status SimulatedDisk::rename(const std::string& from, const std::string& to) {
  MutexLock hold(state_->lock);
  if (auto began = state_->begin_change(); !began) return began;
  const auto source = state_->find_place(from);
  if (!source) return source.error();
  if (!source->node) return errno_error(ENOENT);
  const auto target = state_->find_place(to);
  if (!target) return target.error();
  if (target->node == source->node) return {};
  if (target->node && target->node->directory != source->node->directory) {
    return errno_error(target->node->directory ? EISDIR : ENOTDIR);
  }
  if (target->node && !target->node->entries.empty()) return errno_error(ENOTEMPTY);
  source->node->path = to;
  if (source->directory == target->directory) {
    state_->change_directory(source->directory, {{{target->name, source->node}, {source->name, nullptr}}, {}, 0, 0});
    return {};
  }
  state_->change_directory(target->directory, {{{target->name, source->node}}, {}, 0, 0});
  state_->change_directory(source->directory,
                           {{{source->name, nullptr}}, target->directory, state_->directory_changes, 0});
  return {};
}

Status SimulatedDisk::remove(const std::string& path) {
  MutexLock hold(state_->lock);
  if (auto began = state_->begin_change(); !began) return began;
  const auto place = state_->find_place(path);
  if (!place) return place.error();
  if (!place->node) return errno_error(ENOENT);
  if (place->node->directory) return errno_error(EISDIR);
  state_->change_directory(place->directory, {{{place->name, nullptr}}, {}, 0, 0});
  return {};
}

Status SimulatedDisk::remove_directory(const std::string& path) {
  MutexLock hold(state_->lock);
  if (auto began = state_->begin_change(); !began) return began;
  const auto place = state_->find_place(path);
  if (!place) return place.error();
  if (!place->node) return errno_error(ENOENT);
  if (!place->node->directory) return errno_error(ENOTDIR);
  if (!place->node->entries.empty()) return errno_error(ENOTEMPTY);
  state_->change_directory(place->directory, {{{place->name, nullptr}}, {}, 0, 0});
  return {};
}

Status SimulatedDisk::sync_directory(const std::string& path) {
  MutexLock hold(state_->lock);
  if (auto began = state_->begin_change(); !began) return began;
  const auto node = state_->find(path);
  if (!node) return node.error();
  if (!(*node)->directory) return errno_error(ENOTDIR);
  sync_entries(**node);
  return {};
}

Result<std::vector<DirectoryEntry>> SimulatedDisk::list(const std::string& path) {
  MutexLock hold(state_->lock);
  if (auto began = state_->begin_read(); !began) return began.error();
  const auto node = state_->find(path);
  if (!node) return node.error();
  if (!(*node)->directory) return errno_error(ENOTDIR);
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, child] : (*node)->entries) {
    entries.push_back({name, child->directory, child->extent.size, child->modified_ms});
  }
  return entries;
}

Result<bool> SimulatedDisk::exists(const std::string& path) {
  MutexLock hold(state_->lock);
  if (auto began = state_->begin_read(); !began) return began.error();
  return state_->find(path).has_value();
}

Result<file::DiskSpace> SimulatedDisk::space(const std::string& path) {
  MutexLock hold(state_->lock);
  if (auto began = state_->begin_read(); !began) return began.error();
  if (const auto node = state_->find(path); !node) return node.error();
  return file::DiskSpace{state_->capacity, std::max<std::int64_t>(0, state_->capacity - state_->used)};
}

std::int64_t SimulatedDisk::changes() const {
  MutexLock hold(state_->lock);
  return state_->changes;
}

std::int64_t SimulatedDisk::reads() const {
  MutexLock hold(state_->lock);
  return state_->reads;
}

void SimulatedDisk::fail_at(std::int64_t operation, int errno_value, std::int64_t times) {
  MutexLock hold(state_->lock);
  state_->fault = {operation, times, errno_value};
}

void SimulatedDisk::fail_read_at(std::int64_t operation, int errno_value, std::int64_t times) {
  MutexLock hold(state_->lock);
  state_->read_fault = {operation, times, errno_value};
}

void SimulatedDisk::crash_at(std::int64_t operation) {
  MutexLock hold(state_->lock);
  TERN_CHECK(operation > state_->changes, "operation {} of {} has passed", operation, state_->changes);
  state_->crash_operation = operation;
}

bool SimulatedDisk::crashed() const {
  MutexLock hold(state_->lock);
  return state_->crashed;
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::crash(Rng& rng, Survival survival) const {
  MutexLock hold(state_->lock);
  return std::unique_ptr<SimulatedDisk>(new SimulatedDisk(state_->after_crash(rng, survival)));
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::kill() const {
  MutexLock hold(state_->lock);
  return std::unique_ptr<SimulatedDisk>(new SimulatedDisk(state_->after_kill()));
}

void SimulatedDisk::set_capacity(std::int64_t bytes) {
  MutexLock hold(state_->lock);
  state_->capacity = bytes;
}

void SimulatedDisk::set_cold(bool cold) {
  MutexLock hold(state_->lock);
  state_->cold = cold;
}

void SimulatedDisk::lock_elsewhere(const std::string& path, bool locked) {
  MutexLock hold(state_->lock);
  if (locked) {
    state_->locked_elsewhere.insert(State::parts_of(path));
  } else {
    state_->locked_elsewhere.erase(State::parts_of(path));
  }
}

std::vector<UncommittedStore> SimulatedDisk::uncommitted_stores() const {
  MutexLock hold(state_->lock);
  auto found = state_->uncommitted;
  std::vector<NodePtr> left{state_->root};
  while (!left.empty()) {
    const auto node = std::move(left.back());
    left.pop_back();
    for (const auto& [name, child] : node->entries) left.push_back(child);
    for (auto& store : differences(*node)) found.push_back(std::move(store));
  }
  return found;
}

std::vector<std::string> SimulatedDisk::violations() const {
  MutexLock hold(state_->lock);
  state_->violations_asked = true;
  return state_->violations;
}

bool is_crash(const Error& error) {
  return error == crash_error();
}

}  // namespace tern::test
