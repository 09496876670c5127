#include "broker/pop/pop.hpp"

#include "tern/message/topic_name.hpp"

#include "broker/pop/pop_message.hpp"

namespace tern::broker {

using protocol::refuse;
using protocol::ResponseCode;

namespace {

constexpr std::string_view kFaq = "See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.";

}  // namespace

std::unique_ptr<Pop> make_pop(PopParts parts) {
  std::unique_ptr<Pop> pop(new Pop{parts.options, parts.broker_options, parts.identity, parts.clock, parts.store,
                                   parts.topics, parts.groups, parts.offsets, parts.filters, parts.cold_reads,
                                   parts.orders, parts.timed_wakeup, std::move(parts.on_io_thread),
                                   revive_topic(parts.identity.cluster)});
  auto& made = *pop;
  if (const auto revive = made.topics.find(made.revive_topic);
      revive && revive->read_queues < made.options.revive_queues) {
    TopicConfig wide = *revive;
    wide.read_queues = wide.write_queues = made.options.revive_queues;
    made.topics.put(std::move(wide));
  }
  made.hold = std::make_unique<PopHold>(PopHold::Parts{
      made.clock, made.on_io_thread,
      [&made](PopRequestPtr request, bool is_expired, SendStage& stage) {
        resume_pop(std::move(request), is_expired, stage, made);
      },
      [&made](const PopRequest& request) { return has_message(made, request); },
      [](const PopRequest& request) -> std::vector<std::string> {
        if (request.is_order || message::is_retry_topic(request.topic)) return {};
        return {pop_retry_topic_v1(request.group, request.topic), pop_retry_topic_v2(request.group, request.topic)};
      }});
  return pop;
}

PopChecked check_readable(const Pop& pop, std::string_view group, std::string_view topic, std::int32_t queue_id,
                          const remoting::Peer& peer, std::string_view doing) {
  PopChecked checked;
  if ((pop.broker_options.permission & kPermRead) == 0) {
    checked.refusal =
        refuse(ResponseCode::kNoPermission, "the broker[{}] {} message is forbidden", pop.identity.address, doing);
    return checked;
  }
  checked.topic = pop.topics.find(topic);
  if (!checked.topic) {
    checked.refusal = refuse(ResponseCode::kTopicNotExist, "topic[{}] not exist, apply first please! {}", topic, kFaq);
    return checked;
  }
  if ((checked.topic->perm & kPermRead) == 0) {
    checked.refusal = refuse(ResponseCode::kNoPermission, "the topic[{}] {} message is forbidden", topic, doing);
    return checked;
  }
  if (queue_id >= checked.topic->read_queues || queue_id < -1) {
    checked.refusal = refuse(ResponseCode::kInvalidParameter,
                             "queueId[{}] is illegal, topic:[{}] topicConfig.readQueueNums:[{}] consumer:[/{}]",
                             queue_id, topic, checked.topic->read_queues, peer.remote_text());
    return checked;
  }
  checked.group = pop.groups.find_or_create(group);
  if (!checked.group) {
    checked.refusal = refuse(ResponseCode::kSubscriptionGroupNotExist, "subscription group [{}] does not exist, {}\n{}",
                             group, kFaq, kGroupNotCreated);
    return checked;
  }
  if (!checked.group->consume_enable)
    checked.refusal = refuse(ResponseCode::kNoPermission, "subscription group no permission, {}", group);
  return checked;
}

PopStart next_offset(Pop& pop, const PopRequest& request, std::string_view topic, const store::Queue& queue) {
  if (const auto committed = pop.offsets.find(request.group, topic, queue.id())) return {*committed, false};
  const auto bounds = queue.bounds();
  const bool is_retry = topic != request.topic;
  if (!request.starts_at_end || is_retry || message::is_retry_topic(topic)) return {bounds.min.value, true};
  if (bounds.min.value == 0 && bounds.max.value > 0 && pop.options.starts_at_zero_in_memory) {
    const auto first = queue.positions().first;
    if (first.value >= 0 && pop.store.is_in_memory(first)) return {0, true};
  }
  return {std::max<std::int64_t>(bounds.max.value - 1, 0), true};
}

std::vector<TopicPtr> retry_topics_of(const Pop& pop, const PopRequest& request) {
  std::vector<TopicPtr> found;
  if (request.is_order || message::is_retry_topic(request.topic)) return found;
  const auto add = [&](const std::string& name) {
    if (auto topic = pop.topics.find(name); topic && (topic->perm & kPermRead) != 0) found.push_back(std::move(topic));
  };
  const auto v1 = pop_retry_topic_v1(request.group, request.topic);
  const auto v2 = pop_retry_topic_v2(request.group, request.topic);
  const bool is_v2 = pop.options.retries_to_v2;
  add(is_v2 ? v2 : v1);
  add(is_v2 ? v1 : v2);
  return found;
}

bool write_revive_record(Pop& pop, SendStage& stage, std::int32_t revive_queue, ReviveText text, SendStage::Done done) {
  // The body is not copied before the turn ends.
  const auto kept = std::make_shared<const ReviveText>(std::move(text));
  message::RecordParts parts;
  parts.topic = pop.revive_topic;
  parts.queue_id = revive_queue;
  parts.born_timestamp = pop.clock.wall_ms();
  parts.born_host = parts.store_host = pop.identity.store_host;
  parts.body = std::as_bytes(std::span(kept->body));
  parts.properties = kept->properties;
  return stage.send(parts, true, [kept, done = std::move(done)](const PutOutcome& outcome) { done(outcome); });
}

}  // namespace tern::broker
