#pragma once
// ternctl store: verbs of their own, one file each, one row in store.cpp. They talk to no broker: they read its files.

#include <memory>
#include <optional>
#include <string>

#include "tern/store/inspector.hpp"

#include "cli/verbs.hpp"

namespace tern::cli {

inline constexpr int kExitWhole = 0, kExitDamaged = 1, kExitCannotRead = 2;

/// What they have in common: where the store is, and how the answer is to look.
struct StoreTarget {
  std::string root;           // empty: the settings' storePathRootDir
  std::string settings_file;  // -c
  bool json = false;
};
void declare_target(CLI::App& app, StoreTarget& target);

/// An inspector and the disk it reads.
struct OpenedStore {
  std::unique_ptr<file::Disk> disk;
  store::InspectOptions options;
  std::unique_ptr<store::Inspector> inspector;
};
/// Failures end with kExitCannotRead.
Outcome<OpenedStore> open_store(const StoreTarget& target);
/// A progress bar on a terminal, for what takes longer than a second.
class LateProgress {
 public:
  /// "verified MiB", of so many of what is counted each.
  explicit LateProgress(std::string what, std::int64_t unit = 1);
  ~LateProgress();
  LateProgress(const LateProgress&) = delete;
  LateProgress& operator=(const LateProgress&) = delete;
  [[nodiscard]] store::Inspector::Progress counter() {
    return [this](std::int64_t done, std::int64_t total) { update(done, total); };
  }

 private:
  void update(std::int64_t done, std::int64_t total);

  const SystemClock clock_;
  const std::string what_;
  const std::int64_t unit_;
  const std::int64_t started_ms_;
  const bool is_terminal_;
  std::int64_t done_ = 0;
  std::optional<Progress> shown_;
};
Outcome<store::VerifyReport> verify_store(OpenedStore& opened);
[[nodiscard]] Failure cannot_read(std::string text);

/// "2023-11-14 22:13:20.000 (1700000000000)", in local time.
[[nodiscard]] std::string time_text(std::int64_t ms);
/// "<file>: byte 12 (log position 4108): text"
[[nodiscard]] std::string finding_text(const store::Finding& finding);
[[nodiscard]] protocol::Json finding_json(const store::Finding& finding);
/// One document, indented, to standard output.
void print_json(const protocol::Json& json);

Run declare_store_inspect(CLI::App& app);
Run declare_store_verify(CLI::App& app);
Run declare_store_dump(CLI::App& app);
Run declare_store_repair(CLI::App& app);

}  // namespace tern::cli
