#include "broker/retry/send_back.hpp"

#include <random>

#include "tern/message/message_id.hpp"
#include "tern/message/properties.hpp"
#include "tern/message/topic_name.hpp"

#include "broker/blocking_answer.hpp"

namespace tern::broker {
namespace {

using protocol::ResponseCode;
namespace property = message::property;

constexpr std::string_view kFaq = "See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.";
constexpr int kClientWithMaxReconsumeTimes = 121;  // V3_4_9
constexpr int kFirstRetryLevel = 3;                // 10 s with the default table

struct Fields {
  std::int64_t offset = 0;
  std::string_view group;
  std::int32_t delay_level = 0;
  bool unit_mode = false;
  std::optional<std::int32_t> max_reconsume_times;
};
constexpr auto kFields = protocol::fields<Fields>(
    protocol::required("offset", &Fields::offset), protocol::required("group", &Fields::group),
    protocol::required("delayLevel", &Fields::delay_level), protocol::optional("unitMode", &Fields::unit_mode),
    protocol::optional("maxReconsumeTimes", &Fields::max_reconsume_times));

std::string_view status_name(store::Errc error) {
  switch (error) {
    case store::Errc::kNotReady:
      return "OS_PAGE_CACHE_BUSY";
    case store::Errc::kRecordTooLarge:
      return "MESSAGE_ILLEGAL";
    default:
      return "SERVICE_NOT_AVAILABLE";
  }
}

}  // namespace

void consumer_send_back(const remoting::Request& request, remoting::Reply reply, SendBackServices& services) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  const auto group = services.groups.find_or_create(fields->group);
  if (!group) {
    return reply(protocol::refuse(ResponseCode::kSubscriptionGroupNotExist, "subscription group not exist, {} \n{}\n{}",
                                  fields->group, kFaq, kGroupNotCreated));
  }
  if ((services.options.permission & kPermWrite) == 0) {
    return reply(protocol::refuse(ResponseCode::kNoPermission, "the broker[{}] sending message is forbidden",
                                  services.identity.address));
  }
  if (group->retry_queues <= 0) return reply(protocol::ok());
  const auto retry = services.topics.ensure(message::retry_topic(fields->group), group->retry_queues,
                                            fields->unit_mode ? kTopicUnitSub : 0, false);
  if ((retry->perm & kPermWrite) == 0) {
    return reply(
        protocol::refuse(ResponseCode::kNoPermission, "the topic[{}] sending message is forbidden", retry->name));
  }
  std::int32_t attempts = group->retry_max_times;
  if (fields->max_reconsume_times && request.header.version >= kClientWithMaxReconsumeTimes)
    attempts = *fields->max_reconsume_times;

  // The failed message is anywhere in the log: it is read where waiting is allowed, then re-sent from this io thread.
  struct Job {
    remoting::Reply reply;
    std::string group;
    std::int64_t offset;
    std::int32_t delay_level;
    std::int32_t attempts;
    TopicPtr retry;
    std::string record;
  };
  auto job = std::make_shared<Job>(
      Job{std::move(reply), std::string(fields->group), fields->offset, fields->delay_level, attempts, retry, {}});
  const auto resend = [job, io_thread = request.io_thread, &services] {
    auto record = services.store.record_at({job->offset});
    if (!record) {
      return job->reply(protocol::refuse(ResponseCode::kSystemError, "look message by offset failed, {}", job->offset));
    }
    job->record = std::move(*record);
    services.on_io_thread(io_thread, [job, &services](SendStage& stage) {
      const auto failed = message::parse_record(std::as_bytes(std::span(job->record)), message::BodyCheck::kSkip);
      // One message cannot be told from the others of its batch: its client sends it itself when it gets this answer.
      if ((failed->sys_flag & message::kSysInnerBatch) != 0) {
        return job->reply(protocol::refuse(ResponseCode::kSystemError, "MESSAGE_ILLEGAL"));
      }
      message::RecordParts parts;
      parts.flag = failed->flag;
      parts.sys_flag = failed->sys_flag;
      parts.born_timestamp = failed->born_timestamp;
      parts.born_host = failed->born_host;
      parts.store_host = services.identity.store_host;
      parts.reconsume_times = failed->reconsume_times + 1;
      parts.body = failed->body;

      auto& properties = stage.scratch();
      properties.clear();
      message::PropertyWriter writer(properties);
      const auto origin = message::find_property(failed->properties, property::kOriginMessageId);
      writer.add(
          property::kOriginMessageId,
          origin ? std::string(*origin) : message::offset_message_id(failed->store_host, failed->physical_offset));
      const auto first_topic = message::find_property(failed->properties, property::kRetryTopic);
      writer.add(property::kRetryTopic, first_topic.value_or(failed->topic));
      writer.add(property::kWait, "false");
      std::string dead_letters;
      const bool is_dead = failed->reconsume_times >= job->attempts || job->delay_level < 0;
      if (is_dead) {
        dead_letters = message::dead_letter_topic(job->group);
        services.topics.ensure(dead_letters, 1, 0, false);
        parts.topic = dead_letters;
        parts.queue_id = 0;
        writer.add(property::kDelay, std::int64_t{0});
        writer.copy(failed->properties, property::kOriginMessageId, property::kRetryTopic, property::kWait,
                    property::kDelay);
      } else {
        const int level = services.levels.capped(job->delay_level == 0 ? kFirstRetryLevel + failed->reconsume_times
                                                                       : job->delay_level);
        thread_local std::minstd_rand random{std::random_device{}()};
        const auto queue_id =
            static_cast<std::int64_t>(random() % static_cast<std::uint32_t>(std::max(job->retry->write_queues, 1)));
        writer.add(property::kDelay, std::int64_t{level});
        writer.add(property::kRealTopic, job->retry->name);
        writer.add(property::kRealQueueId, queue_id);
        writer.copy(failed->properties, property::kOriginMessageId, property::kRetryTopic, property::kWait,
                    property::kDelay, property::kRealTopic, property::kRealQueueId);
        parts.topic = message::kScheduleTopic;
        parts.queue_id = level - 1;
      }
      parts.properties = properties;
      const bool staged = stage.send(parts, false, [job](const PutOutcome& outcome) {
        job->reply(outcome.is_stored()
                       ? protocol::ok()
                       : protocol::refuse(ResponseCode::kSystemError, "{}", status_name(*outcome.error)));
      });
      if (!staged) job->reply(protocol::refuse(ResponseCode::kSystemError, "PROPERTIES_SIZE_EXCEEDED"));
    });
  };
  const bool taken =
      services.blocking.post(resend, [job](const WorkQueue::Lateness& late) { job->reply(refuse_late(late)); });
  if (!taken) job->reply(refuse_overload(services.blocking));
}

}  // namespace tern::broker
