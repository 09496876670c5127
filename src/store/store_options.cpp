#include "tern/store/store.hpp"

#include "store/delete_hours.hpp"

namespace tern::store {
namespace {

OptionRule hours() {
  return {"hours from 0 to 23, ';' between several, or empty",
          [](std::string_view text) { return parse_delete_hours(text).has_value(); }};
}

}  // namespace

std::span<const OptionRow<StoreOptions>> store_option_rows() {
  static const OptionRow<StoreOptions> kRows[] = {
      {"storePathRootDir", &StoreOptions::root, "", anything(), "Directory of the store; empty means $HOME/store."},
      {"checkCRCOnRecover", &StoreOptions::checks_crc_on_recovery, "true", anything(),
       "Whether start-up verifies the body CRC of the records it reads."},
      {"forceVerifyPropCRC", &StoreOptions::checks_appended_crc, "false", anything(),
       "Whether start-up, if checkCRCOnRecover is on, verifies the checksum of the whole record instead, for the "
       "records "
       "that were stored with one (enabledAppendPropCRC)."},
      {"storeFreeBytesMin", &StoreOptions::free_bytes_min, "268435456", range(0, INT64_MAX),
       "Free bytes on the store's file system below which sends are refused; lifts by itself."},
      {"diskSpaceWarningLevelRatio", &StoreOptions::disk_warning_percent, "90", range(35, 100),
       "Used percent of the file system above which sends are refused."},
      {"diskSpaceCleanForciblyRatio", &StoreOptions::disk_clean_forcibly_percent, "85", range(30, 100),
       "Used percent of the file system above which the oldest segments are removed although they have not expired."},
      {"cleanFileForciblyEnable", &StoreOptions::cleans_forcibly, "true", anything(),
       "Whether segments that have not expired are removed above diskSpaceCleanForciblyRatio. If not, sends are "
       "refused "
       "above diskSpaceWarningLevelRatio until segments expire."},
      {"diskMaxUsedSpaceRatio", &StoreOptions::disk_max_used_percent, "75", range(10, 95),
       "Used percent of the file system above which expired segments are removed at any hour."},
      {"fileReservedTime", &StoreOptions::file_reserved_hours, "72", range(0, 1'000'000),
       "Hours that a full log segment is kept."},
      {"deleteWhen", &StoreOptions::delete_when, "04", hours(), "Local hours in which expired segments are removed."},
      {"storeBytesMax", &StoreOptions::bytes_max, "0", range(0, INT64_MAX),
       "Bytes of the log above which its oldest segments are removed at any hour, expired or not; 0 means no limit."},
      {"deleteFileBatchMax", &StoreOptions::delete_batch_max, "10", range(1, 1000),
       "Most segments removed at a time; there is such a time every ten seconds."},
  };
  return kRows;
}

}  // namespace tern::store
