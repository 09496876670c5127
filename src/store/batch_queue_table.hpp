#pragma once
#include <memory>
#include <string>

#include "tern/store/queue.hpp"

namespace tern::store {

/// The queues of topics with queue.type=BatchCQ: docs/format/batch_consume_queue.md. options.directory is theirs.
Result<std::unique_ptr<QueueTable>> open_batch_queue_table(file::Disk& disk, const QueueOptions& options,
                                                           std::string& problem);

}  // namespace tern::store
