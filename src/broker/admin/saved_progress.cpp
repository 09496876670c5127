// GET_ALL_CONSUMER_OFFSET (43), GET_ALL_DELAY_OFFSET (45): consumerOffset.json and delayOffset.json as they would be
// saved now.
#include "tern/protocol/json.hpp"

#include "broker/admin/requests.hpp"
#include "broker/blocking_answer.hpp"

namespace tern::broker {

void get_all_consumer_offsets(const remoting::Request&, remoting::Reply reply, OffsetTable& offsets,
                              WorkQueue& blocking) {
  answer_blocking(blocking, std::move(reply), [&offsets](remoting::Reply to) {
    to(protocol::ok().with_body(
        protocol::write_json(offsets.to_json(), protocol::KeyStyle::kUnquoted, {"offsetTable", "pullOffsetTable"})));
  });
}

void get_all_delay_offsets(const remoting::Request&, remoting::Reply reply, DelayedDelivery& delayed,
                           WorkQueue& blocking) {
  answer_blocking(blocking, std::move(reply), [&delayed](remoting::Reply to) {
    to(protocol::ok().with_body(
        protocol::write_json(delayed.to_json(), protocol::KeyStyle::kUnquoted, {"offsetTable"})));
  });
}

}  // namespace tern::broker
