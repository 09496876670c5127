// VIEW_MESSAGE_BY_ID (33): the message at a log position.
#include "broker/query/requests.hpp"

namespace tern::broker {
namespace {

struct Fields {
  std::int64_t offset = 0;
};
constexpr auto kFields = protocol::fields<Fields>(protocol::required("offset", &Fields::offset));

}  // namespace

void view_message(const remoting::Request& request, remoting::Reply reply, store::Store& store, WorkQueue& blocking) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  auto job = std::make_shared<remoting::Reply>(std::move(reply));
  const bool taken = blocking.post([job, offset = fields->offset, &store] {
    auto record = store.record_at({offset});
    if (!record)
      return (*job)(
          protocol::refuse(protocol::ResponseCode::kSystemError, "can not find message by the offset, {}", offset));
    (*job)(protocol::ok().with_body(std::move(*record)));
  });
  if (!taken)
    (*job)(
        protocol::refuse(protocol::ResponseCode::kSystemBusy, "[OVERLOAD]system busy, start flow control for a while"));
}

}  // namespace tern::broker
