// PUT_KV_CONFIG (100), GET_KV_CONFIG (101), DELETE_KV_CONFIG (102), GET_KVLIST_BY_NAMESPACE (219).

#include "nameserver/processors/processors.hpp"

namespace tern::nameserver {
namespace {

using protocol::ResponseCode;

struct Fields {
  std::string_view name_space, key, value;
};
constexpr auto kNamespace = protocol::required("namespace", &Fields::name_space);
constexpr auto kKey = protocol::required("key", &Fields::key);
constexpr auto kPutFields = protocol::fields<Fields>(kNamespace, kKey, protocol::required("value", &Fields::value));
constexpr auto kKeyFields = protocol::fields<Fields>(kNamespace, kKey);
constexpr auto kListFields = protocol::fields<Fields>(kNamespace);

}  // namespace

void put_kv_config(const Request& request, Reply reply, KvConfig& kv) {
  const auto fields = kPutFields.decode(request.header);
  if (!fields) return reply(refuse(fields.error()));
  kv.put(fields->name_space, fields->key, fields->value, std::move(reply));
}

void delete_kv_config(const Request& request, Reply reply, KvConfig& kv) {
  const auto fields = kKeyFields.decode(request.header);
  if (!fields) return reply(refuse(fields.error()));
  kv.remove(fields->name_space, fields->key, std::move(reply));
}

Response get_kv_config(const Request& request, const KvConfig& kv) {
  const auto fields = kKeyFields.decode(request.header);
  if (!fields) return refuse(fields.error());
  if (const auto value = kv.find(fields->name_space, fields->key)) return protocol::ok().field("value", *value);
  auto response =
      refuse(ResponseCode::kQueryNotFound, "No config item, Namespace: {} Key: {}", fields->name_space, fields->key);
  response.fields.set_present();
  return response;
}

Response get_kv_list(const Request& request, const KvConfig& kv) {
  const auto fields = kListFields.decode(request.header);
  if (!fields) return refuse(fields.error());
  if (const auto table = kv.list(fields->name_space)) return protocol::ok().with_body(key_value_table_body(*table));
  return refuse(ResponseCode::kQueryNotFound, "No config item, Namespace: {}", fields->name_space);
}

}  // namespace tern::nameserver
