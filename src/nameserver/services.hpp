#pragma once
// What processors may ask for, by type.

#include <span>
#include <tuple>
#include <type_traits>

#include "nameserver/processors/processors.hpp"

namespace tern::nameserver {

/// References only: Nameserver owns what they refer to. Constant after construction.
class Services {
 public:
  Services(const Clock& clock, const NameserverOptions& options, const ServingSince& since, RouteTable& table,
           RouteBodies& bodies, KvConfig& kv, RuntimeConfig& config, const MinimumNotices& notices,
           BrokerLiveness& liveness)
      : constant_(clock, options, since, notices), changing_(table, bodies, kv, config, liveness) {}

  template <class T>
  auto& get(const Request& /*request*/) {
    if constexpr (kIsConstant<T>) {
      return std::get<const T&>(constant_);
    } else {
      return std::get<T&>(changing_);
    }
  }

 private:
  template <class T>
  static constexpr bool kIsConstant = std::is_same_v<T, Clock> || std::is_same_v<T, NameserverOptions> ||
                                      std::is_same_v<T, ServingSince> || std::is_same_v<T, MinimumNotices>;

  std::tuple<const Clock&, const NameserverOptions&, const ServingSince&, const MinimumNotices&> constant_;
  std::tuple<RouteTable&, RouteBodies&, KvConfig&, RuntimeConfig&, BrokerLiveness&> changing_;
};

std::span<const remoting::ProcessorRow<Services>> processor_rows();

}  // namespace tern::nameserver
