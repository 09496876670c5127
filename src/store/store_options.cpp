#include "tern/store/store.hpp"

namespace tern::store {

std::span<const OptionRow<StoreOptions>> store_option_rows() {
  static const OptionRow<StoreOptions> kRows[] = {
      {"storePathRootDir", &StoreOptions::root, "", anything(), "Directory of the store; empty means $HOME/store."},
      {"checkCRCOnRecover", &StoreOptions::checks_crc_on_recovery, "true", anything(),
       "Whether start-up verifies the body CRC of the records it reads."},
      {"storeFreeBytesMin", &StoreOptions::free_bytes_min, "268435456", range(0, INT64_MAX),
       "Free bytes on the store's file system below which sends are refused; lifts by itself."},
      {"diskSpaceWarningLevelRatio", &StoreOptions::disk_warning_percent, "90", range(35, 100),
       "Used percent of the file system above which sends are refused."},
      {"diskSpaceCleanForciblyRatio", &StoreOptions::disk_clean_forcibly_percent, "85", range(30, 100),
       "Used percent of the file system above which the oldest segments are removed although they have not expired."},
      {"diskMaxUsedSpaceRatio", &StoreOptions::disk_max_used_percent, "75", range(10, 95),
       "Used percent of the file system above which expired segments are removed at any hour."},
      {"fileReservedTime", &StoreOptions::file_reserved_hours, "72", range(0, 1'000'000),
       "Hours that a full log segment is kept."},
      {"deleteWhen", &StoreOptions::delete_when, "04", anything(),
       "Local hours (00 to 23, ';' between them) in which expired segments are removed."},
  };
  return kRows;
}

}  // namespace tern::store
