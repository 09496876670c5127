// HEART_BEAT (34): a client says who it is, which groups it produces and consumes for, and what those subscribe to.
#include <algorithm>

#include "tern/message/topic_name.hpp"
#include "tern/protocol/json.hpp"

#include "broker/clients/requests.hpp"

namespace tern::broker {
namespace {

using protocol::Json;

constexpr std::size_t kGroupsMax = 10'000;         // of one heartbeat
constexpr std::size_t kSubscriptionsMax = 10'000;  // of one group

// Enums arrive as names or as ordinals.
int ordinal(const Json& object, std::string_view name, std::initializer_list<std::string_view> names, int fallback) {
  const auto found = object.find(name);
  if (found == object.end()) return fallback;
  if (found->is_number_integer()) {
    const auto value = found->get<std::int64_t>();
    return value >= 0 && value < static_cast<std::int64_t>(names.size()) ? static_cast<int>(value) : fallback;
  }
  if (!found->is_string()) return fallback;
  const auto at = std::find(names.begin(), names.end(), found->get_ref<const std::string&>());
  return at == names.end() ? fallback : static_cast<int>(at - names.begin());
}

std::vector<Subscription> subscriptions_of(const Json& consumer) {
  std::vector<Subscription> all;
  const auto* list = protocol::array_member(consumer, "subscriptionDataSet");
  if (list == nullptr) return all;
  for (const auto& item : *list) {
    if (!item.is_object() || all.size() >= kSubscriptionsMax) continue;
    Subscription subscription;
    subscription.topic = protocol::string_member(item, "topic");
    subscription.expression = protocol::string_member(item, "subString", "*");
    subscription.expression_type = protocol::string_member(item, "expressionType", "TAG");
    if (subscription.expression_type.empty()) subscription.expression_type = "TAG";
    subscription.version = protocol::int_member(item, "subVersion");
    subscription.class_filter_mode = protocol::bool_member(item, "classFilterMode");
    if (const auto* tags = protocol::array_member(item, "tagsSet")) {
      for (const auto& tag : *tags) {
        if (tag.is_string()) subscription.tags.push_back(tag.get<std::string>());
      }
    }
    if (const auto* codes = protocol::array_member(item, "codeSet")) {
      for (const auto& code : *codes) {
        if (code.is_number_integer())
          subscription.codes.insert(static_cast<std::int32_t>(code.get<std::int64_t>()));
        else if (code.is_string())
          subscription.codes.insert(
              static_cast<std::int32_t>(std::strtoll(code.get_ref<const std::string&>().c_str(), nullptr, 10)));
      }
    }
    if (!subscription.topic.empty()) all.push_back(std::move(subscription));
  }
  return all;
}

}  // namespace

protocol::Response heart_beat(const remoting::Request& request, ClientRegistry& clients, GroupTable& groups,
                              TopicTable& topics, BrokerOptions& options, Clock& clock) {
  const auto body = protocol::parse_json(request.body_text());
  if (!body || !body->is_object())
    return protocol::refuse(protocol::ResponseCode::kSystemError, "the heartbeat's body is no JSON object");
  ClientInfo client{protocol::string_member(*body, "clientID"), request.peer, request.header.language,
                    request.header.version, clock.steady_ms()};
  const auto fingerprint = static_cast<std::int32_t>(protocol::int_member(*body, "heartbeatFingerprint"));
  const bool keeps_subscriptions =
      fingerprint != 0 && protocol::bool_member(*body, "withoutSub", protocol::bool_member(*body, "isWithoutSub"));
  bool fingerprint_differs = false;

  if (const auto* list = protocol::array_member(*body, "consumerDataSet")) {
    for (std::size_t i = 0; i < list->size() && i < kGroupsMax; ++i) {
      const auto& data = (*list)[i];
      if (!data.is_object()) continue;
      ConsumerHeartbeat heartbeat;
      heartbeat.group = protocol::string_member(data, "groupName");
      const auto group = groups.find_or_create(heartbeat.group);
      if (!group) continue;  // auto-creation is off, or the name is illegal: the heartbeat succeeds all the same
      heartbeat.type = static_cast<ConsumeType>(
          ordinal(data, "consumeType", {"CONSUME_ACTIVELY", "CONSUME_PASSIVELY", "CONSUME_POP"}, 1));
      heartbeat.model = static_cast<MessageModel>(ordinal(data, "messageModel", {"BROADCASTING", "CLUSTERING"}, 1));
      heartbeat.consume_from = ordinal(
          data, "consumeFromWhere",
          {"CONSUME_FROM_LAST_OFFSET", "CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST",
           "CONSUME_FROM_MIN_OFFSET", "CONSUME_FROM_MAX_OFFSET", "CONSUME_FROM_FIRST_OFFSET", "CONSUME_FROM_TIMESTAMP"},
          0);
      heartbeat.subscriptions = subscriptions_of(data);
      heartbeat.keeps_subscriptions = keeps_subscriptions;
      bool is_order = false;
      for (const auto& subscription : heartbeat.subscriptions) {
        const auto topic = topics.find(subscription.topic);
        is_order |= topic && topic->is_order;
      }
      topics.ensure(message::retry_topic(heartbeat.group), std::max(group->retry_queues, 0),
                    protocol::bool_member(data, "unitMode") ? kTopicUnitSub : 0, is_order);
      const bool changed = clients.consumer_heartbeat(client, heartbeat);
      bool was_stored = false;
      if (clients.exchange_fingerprint(heartbeat.group, fingerprint, was_stored) && was_stored)
        fingerprint_differs = true;
      // "As before" says nothing about a group that we do not know: without this, its pulls would be refused for good.
      if (keeps_subscriptions && !clients.knows_subscriptions(heartbeat.group)) fingerprint_differs = true;
      if (changed && heartbeat.model != MessageModel::kBroadcasting && options.notify_consumer_ids_changed &&
          group->notify_consumer_ids_changed_enable) {
        notify_members(clients, heartbeat.group);
      }
    }
  }
  if (const auto* list = protocol::array_member(*body, "producerDataSet")) {
    for (std::size_t i = 0; i < list->size() && i < kGroupsMax; ++i) {
      const auto group = (*list)[i].is_object() ? protocol::string_member((*list)[i], "groupName") : std::string();
      if (!group.empty()) clients.producer_heartbeat(client, group);
    }
  }
  const bool sub_change = fingerprint == 0 || fingerprint_differs;
  return protocol::ok().field("IS_SUPPORT_HEART_BEAT_V2", true).field("IS_SUB_CHANGE", sub_change);
}

void notify_members(const ClientRegistry& clients, std::string_view group) {
  for (const auto& peer : clients.members(group)) {
    peer->notify(protocol::request(protocol::RequestCode::kNotifyConsumerIdsChanged).field("consumerGroup", group));
  }
}

}  // namespace tern::broker
