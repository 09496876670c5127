#include "nameserver/kv_config.hpp"

#include "tern/base/log.hpp"
#include "tern/protocol/json.hpp"

namespace tern::nameserver {
namespace {

using protocol::Json;
using protocol::Response;
using protocol::ResponseCode;

// {"configTable":{"namespace":{"key":"value"}}}
std::optional<std::string> what_is_wrong(std::string_view content) {
  const auto json = protocol::parse_json(content);
  if (!json) return json.error().text();
  const auto* namespaces = json->is_object() ? protocol::object_member(*json, "configTable") : nullptr;
  if (namespaces == nullptr || !namespaces->is_object()) return "has no object configTable";
  for (const auto& [name, table] : namespaces->items()) {
    if (!table.is_object()) return fmt::format("configTable: {} is no object", name);
    for (const auto& [key, value] : table.items()) {
      if (!value.is_string()) return fmt::format("configTable: {}: {} is no string", name, key);
    }
  }
  return std::nullopt;
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// With its parents. What it made is durable: a file is only as safe as the directories above it.
Status make_durable_directory(file::Disk& disk, const std::string& path) {
  if (path == "." || path == "/") return {};
  const auto exists = disk.exists(path);
  if (!exists) return exists.error();
  if (*exists) return {};
  const auto parent = parent_of(path);
  if (auto made = make_durable_directory(disk, parent); !made) return made;
  if (auto made = disk.make_directories(path); !made) return made;
  auto synced = disk.sync_directory(parent);
  if (!synced) (void)disk.remove_directory(path);  // or the next save would take it for durable
  return synced;
}

}  // namespace

std::optional<std::string> KvConfig::open() {
  const auto loaded = file_.load(what_is_wrong);
  if (!loaded) return fmt::format("kvConfigPath: {}", loaded.error().text);
  if (!*loaded) return std::nullopt;
  const auto& file = **loaded;
  if (file.from_backup) log_warning("{}: {}: its backup is used", file_.path(), file.why_backup);

  const auto json = protocol::parse_json(file.content);
  const MutexLock lock(lock_);
  for (const auto& [name, table] : json->at("configTable").items()) {
    auto& to = tables_[name];
    size_bytes_ += name.size();
    for (const auto& [key, value] : table.items()) {
      to[key] = value.get<std::string>();
      size_bytes_ += key.size() + to[key].size();
    }
  }
  return std::nullopt;
}

std::optional<std::string> KvConfig::find(std::string_view name_space, std::string_view key) const {
  const MutexLock lock(lock_);
  const auto table = tables_.find(name_space);
  if (table == tables_.end()) return std::nullopt;
  const auto found = table->second.find(key);
  return found == table->second.end() ? std::nullopt : std::optional(found->second);
}

std::optional<KvConfig::Table> KvConfig::list(std::string_view name_space) const {
  const MutexLock lock(lock_);
  const auto table = tables_.find(name_space);
  return table == tables_.end() ? std::nullopt : std::optional(table->second);
}

void KvConfig::put(std::string_view name_space, std::string_view key, std::string_view value, remoting::Reply reply) {
  if (store(name_space, key, value)) return wait_for_save(std::move(reply));
  reply(refuse(ResponseCode::kSystemError, "the key-value configuration is full: {} bytes are the limit for all of it",
               kBytesMax));
}

bool KvConfig::store(std::string_view name_space, std::string_view key, std::string_view value) {
  const MutexLock lock(lock_);
  if (size_bytes_ + name_space.size() + key.size() + value.size() > kBytesMax) return false;
  const auto [table, is_new_table] = tables_.try_emplace(std::string(name_space));
  const auto [entry, is_new] = table->second.try_emplace(std::string(key));
  size_bytes_ += (is_new_table ? name_space.size() : 0) + (is_new ? key.size() : 0) + value.size();
  size_bytes_ -= entry->second.size();
  entry->second = value;
  return true;
}

void KvConfig::remove(std::string_view name_space, std::string_view key, remoting::Reply reply) {
  if (erase(name_space, key)) return wait_for_save(std::move(reply));
  reply(protocol::ok());
}

bool KvConfig::erase(std::string_view name_space, std::string_view key) {
  const MutexLock lock(lock_);
  const auto table = tables_.find(name_space);
  if (table == tables_.end()) return false;
  const auto entry = table->second.find(key);
  if (entry == table->second.end()) return false;
  size_bytes_ -= entry->first.size() + entry->second.size();
  table->second.erase(entry);
  return true;
}

void KvConfig::wait_for_save(remoting::Reply reply) {
  {
    const MutexLock lock(lock_);
    waiting_.push_back(std::move(reply));
  }
  wakeup_.notify();
}

StepResult KvConfig::step() {
  std::vector<remoting::Reply> waiting;
  std::string content;
  {
    const MutexLock lock(lock_);
    if (waiting_.empty()) return {};
    waiting.swap(waiting_);
    content = protocol::write_json({{"configTable", tables_}});
  }
  const auto saved = save(content);
  if (!saved) log_error("kvConfigPath: cannot write {}: {}", file_.path(), saved.error().text());
  for (auto& reply : waiting) {
    if (saved) {
      reply(protocol::ok());
    } else {
      reply(
          refuse(ResponseCode::kSystemError, "kvConfigPath: cannot write {}: {}", file_.path(), saved.error().text()));
    }
  }
  return {static_cast<std::int64_t>(waiting.size()), 0};
}

Status KvConfig::save(std::string_view content) {
  if (auto made = make_durable_directory(disk_, parent_of(file_.path())); !made) return made;
  return file_.save(content);
}

}  // namespace tern::nameserver
