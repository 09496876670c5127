#include "broker/consumer_control/forwarding.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace tern::broker {
namespace {

using protocol::ResponseCode;

constexpr std::int64_t kAnswerMsMax = 10'000;
constexpr int kOldestVersion = 62;  // V3_1_8_SNAPSHOT

}  // namespace

protocol::Outgoing forwarded(const protocol::CommandHeader& header, std::span<const protocol::ExtField> replaced) {
  protocol::Outgoing request;
  request.code = header.code;
  request.fields.set_present();
  const auto is_replaced = [&](std::string_view key) {
    return std::any_of(replaced.begin(), replaced.end(), [&](const auto& field) { return field.key == key; });
  };
  for (auto field = header.fields.begin(); field != header.fields.end(); ++field) {
    if (field->value.data() == nullptr || is_replaced(field->key)) continue;
    const bool comes_again =
        std::any_of(std::next(field), header.fields.end(), [&](const auto& later) { return later.key == field->key; });
    if (!comes_again) request.fields.add(field->key, field->value);
  }
  for (const auto& field : replaced) request.fields.add(field.key, field.value);
  return request;
}

void ask_consumer(const ClientRegistry& clients, ClientCalls& calls, std::string_view group, std::string_view client_id,
                  protocol::Outgoing request, remoting::Reply reply) {
  const auto consumer = clients.find_consumer(group, client_id);
  if (!consumer)
    return reply(protocol::refuse(ResponseCode::kSystemError, "The Consumer <{}> <{}> not online", group, client_id));
  if (consumer->version < kOldestVersion) {
    return reply(protocol::refuse(ResponseCode::kSystemError,
                                  "The Consumer <{}> Version <{}> too low to finish, please upgrade it to "
                                  "V3_1_8_SNAPSHOT",
                                  client_id, consumer->version));
  }
  const auto waiting = std::make_shared<remoting::Reply>(std::move(reply));
  const auto answered = [waiting, group = std::string(group),
                         client_id = std::string(client_id)](Result<remoting::Answer> answer) {
    if (!answer) {
      const bool is_late = answer.error().code == remoting::Errc::kTimeout;
      return (*waiting)(is_late
                            ? protocol::refuse(ResponseCode::kConsumeMessageTimeout,
                                               "consumer <{}> <{}> Timeout: no answer within {} ms", group, client_id,
                                               kAnswerMsMax)
                            : protocol::refuse(ResponseCode::kSystemError, "invoke consumer <{}> <{}> Exception: {}",
                                               group, client_id, answer.error().text()));
    }
    protocol::Response response;
    response.code = answer->code;
    response.remark = std::move(answer->remark);
    response.version = answer->version;
    for (const auto& [key, value] : answer->fields) response.fields.add(key, value);
    response.body = std::move(answer->body);
    (*waiting)(std::move(response));
  };
  calls.call(consumer->peer, std::move(request), kAnswerMsMax, answered);
}

}  // namespace tern::broker
