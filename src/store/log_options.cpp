#include <algorithm>

#include "tern/store/store.hpp"

#include "store/flush/flush_table.hpp"
#include "store/put/put_table.hpp"

namespace tern::store {
namespace {

template <class Rows>
OptionRule name_of(const Rows& rows) {
  OptionRule rule;
  for (const auto& row : rows) {
    if (!rule.allowed.empty()) rule.allowed += ", ";
    rule.allowed += row.name;
  }
  rule.check = [&rows](std::string_view text) {
    return std::ranges::any_of(rows, [text](const auto& row) { return row.name == text; });
  };
  return rule;
}

OptionRule one_directory() {
  return {"one directory", [](std::string_view text) { return text.find(',') == std::string_view::npos; }};
}

constexpr std::int64_t kMiB = 1 << 20;

}  // namespace

std::span<const OptionRow<LogOptions>> log_option_rows() {
  static const OptionRow<LogOptions> kRows[] = {
      {"storePathCommitLog", &LogOptions::directory, "", one_directory(),
       "Directory of the commit log; empty: commitlog in storePathRootDir. A list of directories is not supported."},
      {"mappedFileSizeCommitLog", &LogOptions::segment_size_bytes, "1073741824", range(4096, 0x7FFF'FFFF),
       "Size in bytes of each file of the commit log. It cannot be changed once the store has files."},
      {"enabledAppendPropCRC", &LogOptions::appends_crc, "false", anything(),
       "Whether each message is stored with a checksum of its whole record, as its last property (20 bytes)."},
      {"putMessageLock", &LogOptions::put_strategy, "mutex", name_of(kPutStrategies),
       "How sends from several threads take turns at the end of the log; docs/performance/locks.md says which when."},
      {"spinLockCollisionRetreatOptimalDegree", &LogOptions::spin_limit, "1000", range(1, 10'000'000),
       "How often kBackoff spins before it yields. Given explicitly, also from where abs adapts (to ten times as "
       "much); "
       "else abs takes limits that fit the processor."},
      {"flushDiskType", &LogOptions::flush_policy, "ASYNC_FLUSH", name_of(kFlushPolicies),
       "When a send is acknowledged: once it is in the log (ASYNC_FLUSH, ASYNC_FLUSH_REAL_TIME) or once it is on disk "
       "(SYNC_FLUSH)."},
      {"flushCommitLogTimed", &LogOptions::flush_timed, "true", anything(),
       "Apache's key: false turns ASYNC_FLUSH into ASYNC_FLUSH_REAL_TIME, which syncs as soon as "
       "flushCommitLogLeastPages are pending, and less after flushIntervalCommitLog."},
      {"flushIntervalCommitLog", &LogOptions::flush_interval_ms, "500", range(1, 60'000),
       "With ASYNC_FLUSH, how often in milliseconds it is looked whether the log should be synced."},
      {"flushCommitLogLeastPages", &LogOptions::flush_least_pages, "4", range(0, 1 << 20),
       "With ASYNC_FLUSH, the fewest pages of 4096 bytes that make a sync worth while."},
      {"flushCommitLogThoroughInterval", &LogOptions::flush_thorough_interval_ms, "10000", range(1, 3'600'000),
       "With ASYNC_FLUSH, after how many milliseconds the log is synced however little is pending."},
      {"osPageCacheBusyTimeOutMills", &LogOptions::page_cache_busy_ms, "1000", range(1, 3'600'000),
       "Sends are answered with SYSTEM_BUSY once others have waited this many milliseconds for room in the log."},
      {"acceptClockBehind", &LogOptions::accepts_clock_behind, "false", anything(),
       "Whether sends are taken although the last record was stored more than 5 s ahead of this machine's clock. Their "
       "store time is then that record's."},
      {"logPrepareAheadBytes", &LogOptions::prepare_ahead_bytes, "16777216", range(kMiB, 1024 * kMiB),
       "How many bytes of the log are allocated and brought into memory ahead of the sends that fill them."},
      {"logHotBytes", &LogOptions::hot_bytes, "67108864", range(0, 1024 * kMiB),
       "How many bytes at the end of the log are served to consumers from memory without asking the disk."},
  };
  return kRows;
}

}  // namespace tern::store
