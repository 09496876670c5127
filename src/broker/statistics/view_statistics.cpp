// VIEW_BROKER_STATS_DATA (315): one counter over the last minute, hour and day.
#include "tern/protocol/json.hpp"

#include "broker/statistics/requests.hpp"

namespace tern::broker {
namespace {

using protocol::Json;

struct Fields {
  std::string_view name;
  std::string_view key;
};
constexpr auto kFields = protocol::fields<Fields>(protocol::required("statsName", &Fields::name),
                                                  protocol::required("statsKey", &Fields::key));

// "avgpt" would be the sum per request, and requests are not counted.
Json to_json(const StatisticsSpan& span) {
  return {{"avgpt", 0.0}, {"sum", span.sum}, {"tps", span.per_second}};
}

}  // namespace

protocol::Response view_statistics(const remoting::Request& request, Statistics& statistics) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return protocol::refuse(fields.error());
  const auto view = statistics.find(fields->name, fields->key);
  if (!view) {
    return protocol::refuse(protocol::ResponseCode::kSystemError, "The stats <{}> <{}> not exist", fields->name,
                            fields->key);
  }
  return protocol::ok().with_body(protocol::write_json(
      {{"statsDay", to_json(view->day)}, {"statsHour", to_json(view->hour)}, {"statsMinute", to_json(view->minute)}}));
}

}  // namespace tern::broker
