// VIEW_MESSAGE_BY_ID (33): the message at a log position.
#include "broker/blocking_answer.hpp"
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
  answer_blocking(blocking, std::move(reply), [offset = fields->offset, &store](remoting::Reply to) {
    auto record = store.record_at({offset});
    if (!record)
      return to(
          protocol::refuse(protocol::ResponseCode::kSystemError, "can not find message by the offset, {}", offset));
    to(protocol::ok().with_body(std::move(*record)));
  });
}

}  // namespace tern::broker
