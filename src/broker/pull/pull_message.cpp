// PULL_MESSAGE (11), LITE_PULL_MESSAGE (361): read one queue from an offset on; wait for a message if there is none.
// The order of checks is Apache's.
#include "broker/pull/pull_message.hpp"

#include "tern/message/topic_name.hpp"

#include "broker/blocking_answer.hpp"

namespace tern::broker {
namespace {

using protocol::Response;
using protocol::ResponseCode;

constexpr std::string_view kFaq = "See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.";
constexpr std::int32_t kFlagCommitOffset = 0x1, kFlagSuspend = 0x2, kFlagSubscription = 0x4;
constexpr std::int64_t kSuspendMaxMs = 120'000;  // clients ask for 15 to 30 s

enum class Forbidden : std::uint8_t { kBroker = 1, kGroup, kTopic, kBroadcast, kSubscription };

struct PullFields {
  std::string_view group;
  std::string_view topic;
  std::int32_t queue_id = 0;
  std::int64_t offset = 0;
  std::int32_t count_max = 32;
  std::int32_t sys_flag = 0;
  std::int64_t commit_offset = 0;
  std::int64_t suspend_ms = 0;
  std::string_view subscription;
  std::int64_t sub_version = 0;
  std::string_view expression_type;
};
using P = PullFields;
using protocol::optional;
using protocol::required;
constexpr auto kFields = protocol::fields<P>(
    required("consumerGroup", &P::group), required("topic", &P::topic), required("queueId", &P::queue_id),
    required("queueOffset", &P::offset), optional("maxMsgNums", &P::count_max), optional("sysFlag", &P::sys_flag),
    optional("commitOffset", &P::commit_offset), optional("suspendTimeoutMillis", &P::suspend_ms),
    optional("subscription", &P::subscription), optional("subVersion", &P::sub_version),
    optional("expressionType", &P::expression_type));

template <class... Args>
Response forbid(Forbidden type, fmt::format_string<Args...> remark, Args&&... args) {
  return protocol::refuse(ResponseCode::kNoPermission, remark, std::forward<Args>(args)...)
      .field("forbiddenType", static_cast<int>(type));
}

bool is_tag(std::string_view expression_type) {
  return expression_type.empty() || expression_type == "TAG";
}

// Codes 0, 19, 20 and 21 carry all four numbers: clients unbox them unasked.
Response answer(const ReadResult& read, std::int64_t asked_offset, int topic_sys_flag, int group_sys_flag) {
  Response response;
  auto code = ResponseCode::kPullNotFound;
  switch (read.status) {
    case ReadStatus::kFound:
      code = ResponseCode::kSuccess;
      break;
    case ReadStatus::kNoMatchedMessage:
    case ReadStatus::kMessageWasRemoving:
      code = ResponseCode::kPullRetryImmediately;
      break;
    case ReadStatus::kNoMessageInQueue:
      code = asked_offset != 0 ? ResponseCode::kPullOffsetMoved : ResponseCode::kPullNotFound;
      break;
    case ReadStatus::kOffsetOverflowBadly:
    case ReadStatus::kOffsetTooSmall:
    case ReadStatus::kOffsetReset:
      code = ResponseCode::kPullOffsetMoved;
      break;
    case ReadStatus::kOffsetFoundNull:
    case ReadStatus::kOffsetOverflowOne:
    case ReadStatus::kWouldBlock:
      break;
  }
  response.code = static_cast<std::int32_t>(code);
  response.remark = to_text(read.status);
  response.fields.add("suggestWhichBrokerId", std::int64_t{0});
  response.fields.add("nextBeginOffset", read.next_offset);
  response.fields.add("minOffset", read.bounds.min.value);
  response.fields.add("maxOffset", read.bounds.max.value);
  response.fields.add("topicSysFlag", topic_sys_flag);
  response.fields.add("groupSysFlag", group_sys_flag);
  return response;
}

void give(PendingPull& pull, ReadResult& read, PullServices& services) {
  auto response = answer(read, pull.offset, pull.topic_sys_flag, pull.group_sys_flag);
  auto& counters = *services.counters;
  const bool is_found = read.status == ReadStatus::kFound;
  const auto bytes = is_found ? static_cast<std::int64_t>(read.messages.size()) : 0;
  if (is_found) {
    counters.found.fetch_add(1, std::memory_order_relaxed);
    counters.messages.fetch_add(read.count, std::memory_order_relaxed);
    counters.bytes.fetch_add(bytes, std::memory_order_relaxed);
    response.body = std::move(read.messages);
  } else {
    counters.missed.fetch_add(1, std::memory_order_relaxed);
  }
  services.offsets.pulled(pull.group, pull.queue->topic(), pull.queue->id(), read.next_offset,
                          is_found ? read.count : 0, bytes);
  pull.reply(std::move(response));
}

ReadLimits limits_of(const PullServices& services, int count_max) {
  const auto& options = services.options;
  return {std::min(count_max, options.pull_count_max.get()), options.pull_bytes_max, options.filter_scan_bytes_max};
}

ReadResult read_for(const PendingPull& pull, const PullServices& services, bool no_wait) {
  return read_messages(services.store, *pull.queue, pull.offset, limits_of(services, pull.count_max),
                       {pull.filter.get(), pull.property_filter.get()}, no_wait);
}

HoldLimits hold_limits(const BrokerOptions& options) {
  return {options.parked_pulls_max.get(), options.parked_pulls_bytes_max.get()};
}

Response refuse_parking(Parking limit, const BrokerOptions& options) {
  const bool is_count = limit == Parking::kTooMany;
  return protocol::refuse(
      ResponseCode::kSystemBusy,
      "[OVERLOAD]system busy, start flow control for a while: {} of parked pulls are at their limit "
      "of {} ({}), and this connection holds its share or more",
      is_count ? "the number" : "the bytes",
      is_count ? options.parked_pulls_max.get() : options.parked_pulls_bytes_max.get(),
      is_count ? "parkedPullsMax" : "parkedPullsBytesMax");
}

// Reads where waiting for the disk is allowed, then answers.
void read_cold(PendingPull pull, PullServices& services) {
  if (const auto parking = services.hold.count(pull, hold_limits(services.options)); parking != Parking::kParked) {
    return pull.reply(refuse_parking(parking, services.options));
  }
  auto job = std::make_shared<PendingPull>(std::move(pull));
  const auto work = [job, &services] {
    services.hold.uncount(*job);
    if (!job->peer->is_open()) return job->reply.forget();
    // What has not been read weighs nothing: it is tried again when the client has taken what it was given.
    if (!job->peer->takes_answers()) return services.hold.defer(std::move(*job));
    auto read = read_for(*job, services, false);
    give(*job, read, services);
  };
  const auto late = [job, &services](const WorkQueue::Lateness& lateness) {
    services.hold.uncount(*job);
    job->reply(refuse_late(lateness));
  };
  if (services.cold_reads.post(work, late)) return;
  services.hold.uncount(*job);
  job->reply(refuse_overload(services.cold_reads));
}

}  // namespace

std::int64_t resume_pull(PendingPull pull, PullServices& services) {
  auto read = read_for(pull, services, true);
  if (read.status == ReadStatus::kWouldBlock) {
    read_cold(std::move(pull), services);
    return 0;
  }
  const auto bytes = static_cast<std::int64_t>(read.messages.size());
  give(pull, read, services);
  return bytes;
}

void pull_message(const remoting::Request& request, remoting::Reply reply, PullServices& services) {
  const auto fields = kFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  const auto& options = services.options;
  const bool is_lite = request.header.code == static_cast<std::int32_t>(protocol::RequestCode::kLitePullMessage);

  if ((options.permission & kPermRead) == 0) {
    return reply(forbid(Forbidden::kBroker, "the broker[{}] pulling message is forbidden", services.identity.address));
  }
  if (is_lite && !options.lite_pull_enable) {
    return reply(
        forbid(Forbidden::kBroker, "the broker[{}] for lite pull consumer is forbidden", services.identity.address));
  }
  const auto group = services.groups.find_or_create(fields->group);
  if (!group) {
    return reply(protocol::refuse(ResponseCode::kSubscriptionGroupNotExist,
                                  "subscription group [{}] does not exist, \n{}\n{}", fields->group, kFaq,
                                  kGroupNotCreated));
  }
  if (!group->consume_enable)
    return reply(forbid(Forbidden::kGroup, "subscription group no permission, {}", fields->group));
  const auto topic = services.topics.find(fields->topic);
  if (!topic) {
    return reply(protocol::refuse(ResponseCode::kTopicNotExist, "topic[{}] not exist, apply first please! \n{}",
                                  fields->topic, kFaq));
  }
  if ((topic->perm & kPermRead) == 0) {
    return reply(forbid(Forbidden::kTopic, "the topic[{}] pulling message is forbidden", fields->topic));
  }
  if (fields->queue_id < 0 || fields->queue_id >= topic->read_queues) {
    return reply(protocol::refuse(ResponseCode::kInvalidParameter,
                                  "queueId[{}] is illegal, topic:[{}] topicConfig.readQueueNums:[{}] consumer:[/{}]",
                                  fields->queue_id, fields->topic, topic->read_queues, request.peer->remote_text()));
  }

  SubscriptionPtr filter;
  PropertyFilterChoice chosen;
  const bool brings_filter = (fields->sys_flag & kFlagSubscription) != 0;
  if (brings_filter) {
    if (is_tag(fields->expression_type)) {
      auto parsed = parse_subscription(fields->topic, fields->subscription, "TAG");
      if (!parsed) {
        return reply(
            protocol::refuse(ResponseCode::kSubscriptionParseFailed,
                             "parse the consumer's subscription failed: it names no tag, or is longer than {} bytes",
                             kExpressionBytesMax));
      }
      // It may wait with the pull: what filters is kept, not what it was made of.
      parsed->tags = {};
      parsed->expression = {};
      if (!parsed->codes.empty()) filter = std::make_shared<const Subscription>(std::move(*parsed));
    } else {
      chosen = services.property_filters == nullptr
                   ? not_filtered_by(fields->expression_type)
                   : services.property_filters->of_pull(fields->group, fields->topic, fields->subscription,
                                                        fields->expression_type);
    }
  } else {
    const auto model = services.clients.model_of(fields->group);
    if (!model) {
      return reply(
          protocol::refuse(ResponseCode::kSubscriptionNotExist, "the consumer's group info not exist\n{}", kFaq));
    }
    if (!group->consume_broadcast_enable && *model == MessageModel::kBroadcasting) {
      return reply(
          forbid(Forbidden::kBroadcast, "the consumer group[{}] can not consume by broadcast way", fields->group));
    }
    if (services.groups.is_forbidden(fields->group, fields->topic)) {
      return reply(forbid(Forbidden::kSubscription, "the consumer group[{}] is forbidden for topic[{}]", fields->group,
                          fields->topic));
    }
    filter = services.clients.find_subscription(fields->group, fields->topic);
    if (!filter) {
      return reply(
          protocol::refuse(ResponseCode::kSubscriptionNotExist, "the consumer's subscription not exist\n{}", kFaq));
    }
    if (filter->version < fields->sub_version) {
      return reply(protocol::refuse(ResponseCode::kSubscriptionNotLatest, "the consumer's subscription not latest"));
    }
    if (const auto& type = filter->expression_type; !is_tag(type)) {
      chosen = services.property_filters == nullptr
                   ? not_filtered_by(type)
                   : services.property_filters->of_group(fields->group, fields->topic, fields->sub_version, type);
    }
  }
  if (chosen.code != ResponseCode::kSuccess) return reply(protocol::refuse(chosen.code, "{}", chosen.remark));
  if (filter && filter->codes.empty()) filter.reset();

  if ((fields->sys_flag & kFlagCommitOffset) != 0) {
    services.offsets.commit(fields->group, fields->topic, fields->queue_id, fields->commit_offset);
  }
  PendingPull pull{
      std::move(reply),  request.peer,     group->name,       services.store.queue(topic->name, fields->queue_id),
      std::move(filter), fields->offset,   fields->count_max, topic->sys_flag,
      group->sys_flag,   request.io_thread};
  pull.property_filter = std::move(chosen.filter);
  if (brings_filter && pull.property_filter) pull.own_property_filter_bytes = pull.property_filter->bytes();
  ReadResult read;
  if (const auto reset = services.offsets.take_reset(fields->group, fields->topic, fields->queue_id)) {
    read.status = ReadStatus::kOffsetReset;
    read.next_offset = *reset;
    read.bounds = pull.queue->bounds();
    return give(pull, read, services);
  }
  read = read_for(pull, services, true);
  if (read.status == ReadStatus::kWouldBlock) return read_cold(std::move(pull), services);

  const bool is_not_found = read.status == ReadStatus::kOffsetOverflowOne ||
                            read.status == ReadStatus::kOffsetFoundNull ||
                            (read.status == ReadStatus::kNoMessageInQueue && pull.offset == 0);
  if (is_not_found && (fields->sys_flag & kFlagSuspend) != 0) {
    const std::int64_t wait_ms =
        options.long_polling ? std::min(fields->suspend_ms, kSuspendMaxMs) : options.short_polling_ms.get();
    const auto parking = services.hold.park(pull, wait_ms, hold_limits(options));
    if (parking != Parking::kParked) pull.reply(refuse_parking(parking, options));
    return;
  }
  give(pull, read, services);
}

}  // namespace tern::broker
