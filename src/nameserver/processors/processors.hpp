#pragma once
// All requests a nameserver answers. One function each; which code it has stands in processors.cpp.

#include <span>

#include "tern/base/clock.hpp"
#include "tern/base/runtime_config.hpp"
#include "tern/remoting/processor.hpp"

#include "nameserver/broker_liveness.hpp"
#include "nameserver/kv_config.hpp"
#include "nameserver/minimum_notices.hpp"
#include "nameserver/route_bodies.hpp"
#include "nameserver/route_table.hpp"

namespace tern::nameserver {

using protocol::Response;
using remoting::Reply;
using remoting::Request;

/// When this nameserver began to serve, on the steady clock.
struct ServingSince {
  std::int64_t steady_ms = 0;
};

// register_broker.cpp
Response register_broker(const Request&, RouteTable&, const KvConfig&, const MinimumNotices&, const NameserverOptions&,
                         const Clock&);
Response unregister_broker(const Request&, BrokerLiveness&);
// broker_heartbeat.cpp
Response broker_heartbeat(const Request&, RouteTable&, const Clock&);
Response query_data_version(const Request&, RouteTable&, const Clock&);
// route_info.cpp
Response get_route_info(const Request&, const RouteTable&, RouteBodies&, const KvConfig&, const NameserverOptions&,
                        const ServingSince&, const Clock&);
// cluster_info.cpp
Response get_cluster_info(const Request&, const RouteTable&);
Response get_broker_member_group(const Request&, const RouteTable&);
// topic_lists.cpp
Response get_all_topics(const Request&, const RouteTable&, const NameserverOptions&);
Response get_topics_by_cluster(const Request&, const RouteTable&, const NameserverOptions&);
Response get_system_topics(const Request&, const RouteTable&);
Response get_unit_topics(const Request&, const RouteTable&, const NameserverOptions&);
Response get_unit_sub_topics(const Request&, const RouteTable&, const NameserverOptions&);
Response get_unit_sub_ununit_topics(const Request&, const RouteTable&, const NameserverOptions&);
// topics.cpp
Response delete_topic(const Request&, RouteTable&);
Response register_topic(const Request&, RouteTable&);
// permissions.cpp
Response wipe_write_permission(const Request&, RouteTable&);
Response add_write_permission(const Request&, RouteTable&);
// kv_config.cpp
void put_kv_config(const Request&, Reply, KvConfig&);
void delete_kv_config(const Request&, Reply, KvConfig&);
Response get_kv_config(const Request&, const KvConfig&);
Response get_kv_list(const Request&, const KvConfig&);
// server_config.cpp
Response update_server_config(const Request&, RuntimeConfig&);
Response get_server_config(const Request&, const RuntimeConfig&);

}  // namespace tern::nameserver
