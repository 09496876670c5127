#include "tern/store/store.hpp"

namespace tern::store {

std::span<const OptionRow<QueueOptions>> queue_option_rows() {
  static const OptionRow<QueueOptions> kRows[] = {
      {"mappedFileSizeConsumeQueue", &QueueOptions::file_size_bytes, "6000000", range(20, 2'147'483'640),
       "Bytes of one queue file, rounded up to a multiple of 20. A store keeps the value that it began with."},
      {"mapperFileSizeBatchConsumeQueue", &QueueOptions::batch_file_size_bytes, "13800000", range(46, 2'147'483'640),
       "Bytes of one queue file of topics with queue.type=BatchCQ, rounded up to a multiple of 46. A store keeps the "
       "value "
       "that it began with."},
      {"enableConsumeQueueExt", &QueueOptions::writes_ext, "false", anything(),
       "Whether queue entries are extended (consumequeue_ext). Existing extensions are read in any case."},
      {"mappedFileSizeConsumeQueueExt", &QueueOptions::ext_file_size_bytes, "50331648", range(65'536, 2'147'483'647),
       "Bytes of one extension file. A store keeps the value that it began with."},
      {"queueMemoryBytesMax", &QueueOptions::memory_bytes_max, "16777216", range(65'536, std::int64_t{1} << 36),
       "Bytes of the newest queue entries that are kept in memory for all queues together."},
      {"queueOpenFilesMax", &QueueOptions::open_files_max, "4096", range(16, 1'000'000),
       "Queue files kept open, but never more than a quarter of what the process may open."},
  };
  return kRows;
}

std::span<const OptionRow<IndexOptions>> index_option_rows() {
  static const OptionRow<IndexOptions> kRows[] = {
      {"messageIndexEnable", &IndexOptions::is_enabled, "true", anything(), "Whether messages can be found by key."},
      {"maxHashSlotNum", &IndexOptions::hash_slots, "5000000", range(1, 500'000'000),
       "Hash slots of one index file. A store keeps the value that it began with."},
      {"maxIndexNum", &IndexOptions::entries_max, "20000000", range(2, 100'000'000),
       "Entries of one index file. A store keeps the value that it began with."},
  };
  return kRows;
}

}  // namespace tern::store
