// WIPE_WRITE_PERM_OF_BROKER (205): producers leave a broker, before it is stopped. ADD_WRITE_PERM_OF_BROKER (327): they
// come back. Holds until the broker registers with news.

#include "nameserver/processors/processors.hpp"

namespace tern::nameserver {
namespace {

struct Fields {
  std::string_view broker;
};
constexpr auto kFields = protocol::fields<Fields>(protocol::required("brokerName", &Fields::broker));

}  // namespace

Response wipe_write_permission(const Request& request, RouteTable& table) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return refuse(fields.error());
  const auto touched = table.change_permissions(fields->broker, [](int perm) { return perm & ~kPermWrite; });
  return protocol::ok().field("wipeTopicCount", touched);
}

Response add_write_permission(const Request& request, RouteTable& table) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return refuse(fields.error());
  const auto touched = table.change_permissions(fields->broker, [](int) { return kPermRead | kPermWrite; });
  return protocol::ok().field("addTopicCount", touched);
}

}  // namespace tern::nameserver
