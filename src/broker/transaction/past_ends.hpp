#pragma once
// What became of a half message that memory does not know any more, because this process began later, or so much has
// happened since: it is found again in the log.

#include <cstdint>
#include <vector>

#include "tern/store/store.hpp"

#include "broker/transaction/half_message.hpp"

namespace tern::broker {

struct PastEnd {
  bool is_committed = false;
  std::vector<std::int64_t> copies;  // offsets of half messages that stand for it, in no order
};

/// By the unique key, in the key index: empty without it (messageIndexEnable=false), and for messages without a key.
/// Looks at kFoundMax records at most for each of the two questions. May ask the disk.
PastEnd find_past_end(store::Store& store, const HalfMessage& half);

}  // namespace tern::broker
