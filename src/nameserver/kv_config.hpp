#pragma once
// The key-value configuration: the only thing a nameserver keeps over a restart. Namespace -> key -> value; the
// namespace ORDER_TOPIC_CONFIG holds the order topics.

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/thread_annotations.hpp"
#include "tern/base/wakeup.hpp"
#include "tern/file/metadata_file.hpp"
#include "tern/remoting/request.hpp"

namespace tern::nameserver {

inline constexpr std::string_view kOrderTopicNamespace = "ORDER_TOPIC_CONFIG";

/// Reads from any thread, from memory. A change is visible at once and answered once it is on the disk: the blocking
/// thread saves all changes since its last step with one write. If the disk refuses, the change stays in memory, its
/// request is answered with the reason, and the next change tries again.
class KvConfig {
 public:
  using Table = std::map<std::string, std::string, std::less<>>;
  /// All keys and values together, in bytes.
  static constexpr std::size_t kBytesMax = 16U * 1024 * 1024;

  KvConfig(file::Disk& disk, std::string path) : disk_(disk), file_(disk, std::move(path)) {}

  /// Reads the file, if there is one. Before anything else. The text names what is damaged.
  [[nodiscard]] std::optional<std::string> open();

  [[nodiscard]] std::optional<std::string> find(std::string_view name_space, std::string_view key) const;
  /// nullopt if the namespace was never written; an emptied one is an empty table.
  [[nodiscard]] std::optional<Table> list(std::string_view name_space) const;

  void put(std::string_view name_space, std::string_view key, std::string_view value, remoting::Reply reply);
  void remove(std::string_view name_space, std::string_view key, remoting::Reply reply);

  /// Saves and answers. On the blocking thread; wakeup() is notified when there is work.
  StepResult step();
  Wakeup& wakeup() { return wakeup_; }

 private:
  bool store(std::string_view name_space, std::string_view key, std::string_view value);
  bool erase(std::string_view name_space, std::string_view key);
  void wait_for_save(remoting::Reply reply);
  Status save(std::string_view content);

  file::Disk& disk_;
  file::MetadataFile file_;  // the blocking thread's, after open()
  Wakeup wakeup_;
  mutable Mutex lock_;
  std::map<std::string, Table, std::less<>> tables_ TERN_GUARDED_BY(lock_);
  std::size_t size_bytes_ TERN_GUARDED_BY(lock_) = 0;
  // Bounded by the connections: one that has many requests unanswered is not read any more.
  std::vector<remoting::Reply> waiting_ TERN_GUARDED_BY(lock_);
};

}  // namespace tern::nameserver
