// INVOKE_BROKER_TO_GET_CONSUMER_STATUS (223): how far each member of a group has come with a topic, by its own account
// (221). Members that do not answer are left out.
#include <map>
#include <memory>
#include <mutex>

#include "tern/protocol/json.hpp"

#include "broker/blocking_answer.hpp"
#include "broker/consumer_control/requests.hpp"

namespace tern::broker {
namespace {

using protocol::Json;
using protocol::ResponseCode;

constexpr std::int64_t kAnswerMsMax = 5'000;
constexpr int kOldestVersion = 28;                  // V3_0_7_SNAPSHOT
constexpr std::size_t kBytesMax = 8 * 1024 * 1024;  // of all that the members say

struct Fields {
  std::string_view topic;
  std::string_view group;
  std::string_view client_id;
};
constexpr auto kFields =
    protocol::fields<Fields>(protocol::required("topic", &Fields::topic), protocol::required("group", &Fields::group),
                             protocol::optional("clientAddr", &Fields::client_id));

/// What has come so far, on whichever io threads.
struct Job {
  remoting::Reply reply;
  std::mutex mutex;
  std::size_t waits_for = 0;  // guarded by mutex, as all below
  std::size_t bytes = 0;
  std::map<std::string, std::string> bodies;  // by client id
};

void merge(Job& job, remoting::Reply reply) {
  auto tables = Json::object();
  for (const auto& [client_id, text] : job.bodies) {
    const auto body = protocol::parse_json(text);
    if (!body || !body->is_object()) continue;
    const auto* table = protocol::object_member(*body, "messageQueueTable");
    tables[client_id] = table != nullptr ? *table : Json::object();
  }
  const Json all = {{"consumerTable", std::move(tables)}, {"messageQueueTable", Json::object()}};
  reply(protocol::ok().with_body(protocol::write_json(all, protocol::KeyStyle::kUnquoted, {"consumerTable"})));
}

// True: it was the last one.
bool take(Job& job, const std::string& client_id, Result<remoting::Answer> answer) {
  const std::lock_guard lock(job.mutex);
  if (answer && answer->ok() && !answer->body.empty()) {
    job.bytes += answer->body.size();
    if (job.bytes <= kBytesMax) job.bodies[client_id] = std::move(answer->body);
  }
  return --job.waits_for == 0;
}

}  // namespace

void get_consumer_status(const remoting::Request& request, remoting::Reply reply, ClientRegistry& clients,
                         ClientCalls& calls, WorkQueue& blocking) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  const auto group = clients.consumer_group(fields->group);
  if (!group || group->members.empty()) {
    return reply(protocol::refuse(ResponseCode::kSystemError, "No Any Consumer online in the consumer group: [{}]",
                                  fields->group));
  }
  const bool asks_all = fields->client_id.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos;
  std::vector<ClientInfo> asked;
  for (const auto& member : group->members) {
    if (member.version < kOldestVersion) {
      return reply(protocol::refuse(ResponseCode::kSystemError, "the client does not support this feature. version={}",
                                    member.version));
    }
    if (asks_all || fields->client_id == member.client_id) asked.push_back(member);
  }
  const auto job = std::make_shared<Job>();
  job->reply = std::move(reply);
  job->waits_for = asked.size() + 1;  // this function, too
  const auto settle = [job, &blocking](const std::string& client_id, Result<remoting::Answer> answer) {
    if (!take(*job, client_id, std::move(answer))) return;
    answer_blocking(blocking, std::move(job->reply), [job](remoting::Reply to) {
      if (job->bytes > kBytesMax) {
        return to(protocol::refuse(ResponseCode::kSystemError,
                                   "what the members say has {} bytes, the limit is {}: ask one of them (clientAddr)",
                                   job->bytes, kBytesMax));
      }
      merge(*job, std::move(to));
    });
  };
  for (const auto& member : asked) {
    auto question = protocol::request(protocol::RequestCode::kGetConsumerStatusFromClient)
                        .field("topic", fields->topic)
                        .field("group", fields->group);
    calls.call(member.peer, std::move(question), kAnswerMsMax,
               [settle, client_id = member.client_id](Result<remoting::Answer> answer) {
                 settle(client_id, std::move(answer));
               });
  }
  settle({}, remoting::error(remoting::Errc::kClosed));
}

}  // namespace tern::broker
