#pragma once
// Which groups pop a topic, and which pull it, as an administrator has set it. messageRequestMode.json is its file,
// saved with each change.

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "tern/base/work_queue.hpp"
#include "tern/file/metadata_file.hpp"
#include "tern/protocol/json.hpp"

#include "broker/table_save.hpp"

namespace tern::broker {

/// All calls from any thread.
class RequestModes {
 public:
  struct Mode {
    bool is_pop = false;
    int shares = 0;  // popShareQueueNum
  };
  RequestModes(file::Disk& disk, std::string path, WorkQueue& blocking)
      : file_(disk, std::move(path)), saves_(blocking, file_.path(), [this] { return save(); }) {}
  /// Before serving. A broker on which nothing was ever set has no file. The text says what is wrong with it.
  [[nodiscard]] std::optional<std::string> load();
  [[nodiscard]] std::optional<Mode> find(std::string_view topic, std::string_view group) const;
  /// `saved` runs on the blocking thread once it is on disk, with the failure if it could not be saved.
  void set(const std::string& topic, const std::string& group, Mode mode, TableSave::Saved saved);
  [[nodiscard]] protocol::Json to_json() const;

 private:
  Status save();

  file::MetadataFile file_;
  TableSave saves_;
  mutable std::mutex mutex_;
  std::map<std::string, std::map<std::string, Mode, std::less<>>, std::less<>> modes_;  // guarded by mutex_
  protocol::Json others_ = protocol::Json::object();  // of the file: what we keep and do not read
};

}  // namespace tern::broker
