#include "store/file_cache.hpp"

namespace tern::store {

std::shared_ptr<file::File> FileCache::find(Key key) {
  const MutexLock hold(lock_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  by_use_.splice(by_use_.begin(), by_use_, found->second);
  return found->second->file;
}

std::shared_ptr<file::File> FileCache::insert(Key key, std::shared_ptr<file::File> file) {
  std::list<Open> dropped;  // closed after the lock is free
  {
    const MutexLock hold(lock_);
    const auto [place, is_new] = by_key_.try_emplace(key);
    if (!is_new) return place->second->file;
    by_use_.push_front({key, file});
    place->second = by_use_.begin();
    while (by_use_.size() > files_max_) {
      by_key_.erase(by_use_.back().key);
      dropped.splice(dropped.begin(), by_use_, std::prev(by_use_.end()));
    }
  }
  return file;
}

void FileCache::erase(Key key) {
  std::list<Open> dropped;
  const MutexLock hold(lock_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  dropped.splice(dropped.begin(), by_use_, found->second);
  by_key_.erase(found);
}

void FileCache::erase_all(std::uint64_t serial) {
  std::list<Open> dropped;
  const MutexLock hold(lock_);
  for (auto open = by_use_.begin(); open != by_use_.end();) {
    const auto next = std::next(open);
    if (open->key.serial == serial) {
      by_key_.erase(open->key);
      dropped.splice(dropped.begin(), by_use_, open);
    }
    open = next;
  }
}

}  // namespace tern::store
