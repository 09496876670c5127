#pragma once
// Open descriptors, bounded: the most recently used files of all queues.

#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>

#include "tern/base/thread_annotations.hpp"
#include "tern/file/disk.hpp"

namespace tern::store {

/// Any thread. Never asks the disk itself, except that dropping the last reference closes a file. Whoever uses a file
/// holds it by shared_ptr, so the number of descriptors is bounded by the cache's size and the number of users.
class FileCache {
 public:
  /// `serial` names a queue in one of its lives: it is never used again, so a file of a deleted queue is never found by
  /// a later one of the same name.
  struct Key {
    std::uint64_t serial = 0;
    std::int64_t start = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };

  explicit FileCache(std::size_t files_max) : files_max_(files_max) {}
  /// Null if it is not there.
  [[nodiscard]] std::shared_ptr<file::File> find(Key key) TERN_EXCLUDES(lock_);
  /// Keeps `file`, or what another thread has put there meanwhile; returns the kept one.
  std::shared_ptr<file::File> insert(Key key, std::shared_ptr<file::File> file) TERN_EXCLUDES(lock_);
  void erase(Key key) TERN_EXCLUDES(lock_);
  void erase_all(std::uint64_t serial) TERN_EXCLUDES(lock_);

 private:
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept {
      return static_cast<std::size_t>((key.serial * 0x9E37'79B9'7F4A'7C15U) ^ static_cast<std::uint64_t>(key.start));
    }
  };
  struct Open {
    Key key;
    std::shared_ptr<file::File> file;
  };

  const std::size_t files_max_;
  Mutex lock_;
  std::list<Open> by_use_ TERN_GUARDED_BY(lock_);  // most recently used first
  std::unordered_map<Key, std::list<Open>::iterator, Hash> by_key_ TERN_GUARDED_BY(lock_);
};

}  // namespace tern::store
