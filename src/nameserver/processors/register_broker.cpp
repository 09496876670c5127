// REGISTER_BROKER (103): a broker says who it is and which topics it has, every 30 seconds and whenever a topic
// changes. UNREGISTER_BROKER (104): it stops. Its routes go at once.

#include "tern/base/crc32.hpp"
#include "tern/base/log.hpp"

#include "nameserver/processors/broker_fields.hpp"
#include "nameserver/processors/processors.hpp"
#include "nameserver/registration_body.hpp"

namespace tern::nameserver {
namespace {

using protocol::ResponseCode;

constexpr std::int32_t kVersionWithRegisterBody = 37;  // V3_0_11
constexpr std::int32_t kVersionWithMappings = 413;     // V5_0_0

struct Fields {
  std::string_view ha_address;
  std::optional<std::string_view> zone;
  std::optional<std::int64_t> timeout_ms;
  std::optional<bool> enable_acting_master;
  bool is_compressed = false;
  std::int32_t body_crc = 0;
};
constexpr auto kFields = protocol::fields<Fields>(
    protocol::optional("haServerAddr", &Fields::ha_address), protocol::optional("__ZONE_NAME", &Fields::zone),
    protocol::optional("heartbeatTimeoutMillis", &Fields::timeout_ms),
    protocol::optional("enableActingMaster", &Fields::enable_acting_master),
    protocol::optional("compressed", &Fields::is_compressed), protocol::optional("bodyCrc32", &Fields::body_crc));

Result<RegisteredTopics> decode_topics(const Request& request, bool is_compressed) {
  if (request.header.version < kVersionWithRegisterBody)
    return decode_registration(request.body, BodyForm::kBare, false);
  return decode_registration(request.body, is_compressed ? BodyForm::kCompressed : BodyForm::kJson,
                             request.header.version >= kVersionWithMappings);
}

Response accept(const Registered& registered, const KvConfig& kv, const NameserverOptions& options) {
  auto response = protocol::ok();
  response.fields.set_present();
  if (registered.master_ha_address) response.fields.add("haServerAddr", *registered.master_ha_address);
  if (registered.master_address) response.fields.add("masterAddr", *registered.master_address);
  if (options.return_order_config_to_broker) {
    if (const auto topics = kv.list(kOrderTopicNamespace)) response.body = key_value_table_body(*topics);
  }
  return response;
}

}  // namespace

Response register_broker(const Request& request, RouteTable& table, const KvConfig& kv, const MinimumNotices& notices,
                         const NameserverOptions& options, const Clock& clock) {
  const auto broker = kBrokerFields.decode(request.header);
  if (!broker) return refuse(broker.error());
  const auto fields = kFields.decode(request.header);
  if (!fields) return refuse(fields.error());
  if (fields->body_crc != 0 && fields->body_crc != crc32_31(request.body)) {
    return refuse(ResponseCode::kSystemError, "crc32 not match");
  }
  auto topics = decode_topics(request, fields->is_compressed);
  if (!topics) return refuse(ResponseCode::kSystemError, "{}", topics.error().text());

  Registration registration{broker->name(),     std::string(fields->ha_address), std::nullopt,
                            fields->timeout_ms, fields->enable_acting_master,    std::move(*topics)};
  if (fields->zone) registration.zone = std::string(*fields->zone);
  const auto registered = table.register_broker(registration, request.peer, clock.steady_ms());
  const auto& name = registration.name;
  switch (registered.outcome) {
    case Registered::Outcome::kRefused:
      return refuse(ResponseCode::kSystemError, "register broker failed");
    case Registered::Outcome::kFull:
      return refuse(ResponseCode::kSystemError,
                    "this nameserver is full: it holds {} broker names and {} topics at most", kBrokerNamesMax,
                    kTopicsMax);
    case Registered::Outcome::kStale:
      log_warning("broker {} (id {}) of {} at {}: ignored, another address holds this id with a newer state",
                  name.broker, name.id, name.cluster, name.address);
      return accept(registered, kv, options);
    case Registered::Outcome::kAccepted:
      break;
  }
  if (registered.is_new) {
    log_info("broker {} (id {}) of {} at {} registered with {} topics", name.broker, name.id, name.cluster,
             name.address, registration.topics.queues.size());
  }
  if (registered.minimum_change) notices.announce(*registered.minimum_change);
  return accept(registered, kv, options);
}

Response unregister_broker(const Request& request, BrokerLiveness& liveness) {
  const auto broker = kBrokerFields.decode(request.header);
  if (!broker) return refuse(broker.error());
  liveness.unregister(broker->name());
  return protocol::ok();
}

}  // namespace tern::nameserver
