#pragma once
#include <cstdint>
#include <string>

#include "tern/remoting/request.hpp"
#include "tern/store/queue.hpp"

#include "broker/clients/client_registry.hpp"
#include "broker/pull/property_filter.hpp"

namespace tern::broker {

/// A pull that outlives its turn: parked, or read on a thread that may block.
struct PendingPull {
  remoting::Reply reply;
  remoting::PeerPtr peer;
  std::string group;
  store::QueuePtr queue;
  SubscriptionPtr filter;  // null: everything
  std::int64_t offset = 0;
  int count_max = 32;
  int topic_sys_flag = 0;
  int group_sys_flag = 0;
  std::size_t io_thread = 0;
  PropertyFilterPtr property_filter = {};      // null: everything
  std::int64_t own_property_filter_bytes = 0;  // unless it is its group's
  std::int64_t held_bytes = 0;                 // what PullHold counts it as

  /// Memory that waits with it, about. A filter that came with the pull is its own; those of heartbeats are shared.
  [[nodiscard]] std::int64_t bytes() const {
    constexpr std::int64_t kBookkeeping = 512;
    const std::int64_t own_filter = filter && filter.use_count() == 1 ? filter->bytes() : 0;
    return kBookkeeping + static_cast<std::int64_t>(group.size()) + own_filter + own_property_filter_bytes;
  }
};

}  // namespace tern::broker
