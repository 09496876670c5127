#pragma once
// A disk in memory that crashes, fails and forgets. What it does that a real disk may do:
//   - between a write (or a commit) and the sync of its file, any subset of the 512-byte sectors may have reached the
//   disk when
//     the power goes, in any order; of a sector written several times, any of its versions; sizes and allocations
//     likewise;
//   - a file's creation, renaming and removal not followed by sync_directory() survive or not, in order within a
//   directory;
//   - any operation fails with any errno; a failed write has written a part; a failed sync leaves the data clean in
//   memory, so
//     that the next sync succeeds without writing it;
//   - the disk is full: allocations beyond the capacity get ENOSPC.
// What it does not do: tear a sector, lose what was synced, flip bits (tests write those themselves).

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tern/base/clock.hpp"
#include "tern/file/disk.hpp"

namespace tern::test {

using Rng = std::mt19937_64;

struct SimulatedDiskOptions {
  std::int64_t capacity_bytes = std::int64_t{1} << 30;
  /// Address space for each file. A file that is mapped cannot grow beyond it; others can.
  std::int64_t file_reservation_bytes = std::int64_t{8} << 20;
  const Clock* clock = nullptr;  // for DirectoryEntry::modified_ms; must outlive the disk and those made from it
  std::uint64_t seed = 1;        // decides how much of a failing write is written
};

/// What has reached the disk of all that was not synced, when the power goes.
enum class Survival : std::uint8_t {
  kDrawn,  // drawn: nothing, everything, or each piece for itself with one of several likelihoods
  kNothing,
  kEverything,
};

struct UncommittedStore {
  std::string path;
  std::int64_t position = 0;
  std::int64_t size = 0;
};

/// Owned by the test; open files and windows may outlive it. All calls from any thread. With one thread, everything
/// that happens follows from the calls, SimulatedDiskOptions::seed and the Rng given to crash().
/// "/a/b" and "a/b" are the same file; the root directory exists.
/// Breaches of the seam's contract that a real disk would answer with a dead process (a commit or populate of a range
/// that is not allocated) are collected; if nobody asks for violations(), the destructor ends the test program with
/// them.
class SimulatedDisk final : public file::Disk {
 public:
  explicit SimulatedDisk(const SimulatedDiskOptions& options = {});
  ~SimulatedDisk() override;
  SimulatedDisk(const SimulatedDisk&) = delete;
  SimulatedDisk& operator=(const SimulatedDisk&) = delete;

  Result<std::unique_ptr<file::File>> open(const std::string& path, file::OpenMode mode) override;
  Status make_directories(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status remove_directory(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<std::vector<file::DirectoryEntry>> list(const std::string& path) override;
  [[nodiscard]] Result<bool> exists(const std::string& path) override;
  [[nodiscard]] Result<file::DiskSpace> space(const std::string& path) override;

  /// Operations that change something, so far, failed ones included: creating, write, commit, allocate, resize, sync,
  /// each new directory, rename, remove, remove_directory, sync_directory. The first is operation 1.
  [[nodiscard]] std::int64_t changes() const;
  /// All other operations so far, counted on their own.
  [[nodiscard]] std::int64_t reads() const;

  /// Change `operation` and the `times - 1` after it fail with `errno_value`. A commit cannot fail: then the file's
  /// next sync does, as when the kernel could not write a page back.
  void fail_at(std::int64_t operation, int errno_value, std::int64_t times = 1);
  /// The same for reads.
  void fail_read_at(std::int64_t operation, int errno_value, std::int64_t times = 1);
  /// The machine stops just before change `operation`: it and all that follows, reads too, fail without effect.
  void crash_at(std::int64_t operation);
  [[nodiscard]] bool crashed() const;

  /// The disk as it is found after a power cut at this moment. Nothing changes here: more than one future can be drawn.
  [[nodiscard]] std::unique_ptr<SimulatedDisk> crash(Rng& rng, Survival survival = Survival::kDrawn) const;
  /// The disk as the next process finds it after kill -9: all that was written or stored is there, and still not
  /// synced. Stores need no commit for that, nor do they know of crash_at(): those made after it are there too.
  [[nodiscard]] std::unique_ptr<SimulatedDisk> kill() const;

  void set_capacity(std::int64_t bytes);
  /// While true, read_no_wait() finds nothing in memory.
  void set_cold(bool cold);
  /// lock_first_byte() on this path gives kLocked, as if another process held it.
  void lock_elsewhere(const std::string& path, bool locked);

  /// Stores that no commit covers: those there now, and those that any sync so far has found. Ask where storing and
  /// syncing take turns: a sync may otherwise find a store whose commit is about to come.
  [[nodiscard]] std::vector<UncommittedStore> uncommitted_stores() const;
  [[nodiscard]] std::vector<std::string> violations() const;

 private:
  class State;
  class OpenFile;
  class Window;
  explicit SimulatedDisk(std::shared_ptr<State> state);

  const std::shared_ptr<State> state_;
};

/// Whether the simulated machine has stopped: the error of every operation from crash_at() on.
[[nodiscard]] bool is_crash(const Error& error);

}  // namespace tern::test
