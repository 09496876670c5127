// GET_BROKER_RUNTIME_INFO (28).
#include "broker/admin/requests.hpp"
#include "broker/blocking_answer.hpp"

namespace tern::broker {

void get_runtime_info(const remoting::Request&, remoting::Reply reply, BrokerStatus& status, WorkQueue& blocking) {
  answer_blocking(blocking, std::move(reply), [&status](remoting::Reply to) {
    to(protocol::ok().with_body(protocol::write_json({{"table", protocol::Json(status.table())}})));
  });
}

}  // namespace tern::broker
