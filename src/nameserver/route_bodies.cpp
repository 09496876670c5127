#include "nameserver/route_bodies.hpp"

namespace tern::nameserver {

std::shared_ptr<const std::string> RouteBodies::body(std::string_view topic, RouteStyle style) {
  auto& shard = shards_[Hash{}(topic) % kShards];
  const auto at = static_cast<std::size_t>(style);
  {
    const MutexLock lock(shard.lock);
    if (shard.version == table_.version()) {
      const auto found = shard.texts.find(topic);
      if (found != shard.texts.end() && found->second[at]) return found->second[at];
    }
  }
  const auto route = table_.route(topic);
  if (!route) return nullptr;
  auto text = std::make_shared<const std::string>(route_body(*route, style));

  const MutexLock lock(shard.lock);
  if (shard.version < route->version) {
    shard.texts.clear();
    shard.version = route->version;
  }
  // Somebody may have been faster with a newer table: then this text answers its own request, and no other.
  if (shard.version == route->version) shard.texts[std::string(topic)][at] = text;
  return text;
}

}  // namespace tern::nameserver
