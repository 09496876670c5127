#pragma once
// A broker fixture with a consumer that pops: topic T, group g.

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "broker/broker_fixture.hpp"

namespace tern::test {

inline constexpr std::int64_t kInvisibleMs = 60'000;

/// One message, as a client sees it.
struct Popped {
  std::string topic;  // that it stands in: perhaps a retry topic
  std::int32_t queue_id = 0;
  std::int64_t offset = 0;
  std::string receipt;
  std::string body;
  std::int32_t reconsume_times = 0;
  std::map<std::string, std::string> properties;
};

class PopCase : public BrokerFixture {
 protected:
  using BrokerFixture::BrokerFixture;

  void SetUp() override {
    BrokerFixture::SetUp();
    make_topic("T");
    make_group("g");
  }
  Fields pop_fields(const Fields& changes = {}) {
    return with({{"consumerGroup", "g"},
                 {"topic", "T"},
                 {"queueId", "-1"},
                 {"maxMsgNums", "32"},
                 {"invisibleTime", std::to_string(kInvisibleMs)},
                 {"pollTime", "0"},
                 {"bornTime", std::to_string(clock.wall_ms())},
                 {"initMode", "0"},
                 {"exp", "*"},
                 {"expType", "TAG"}},
                changes);
  }
  AnswerPtr ask_pop(const Fields& changes = {}, const AskOptions& how = {}) {
    return ask(RequestCode::kPopMessage, pop_fields(changes), {}, how);
  }
  /// Receipts as clients make them: of the response, or what the message brings.
  std::vector<Popped> messages_in(const AnswerPtr& answer) {
    std::vector<Popped> all;
    if (answer->code() != 0) return all;
    std::map<std::string, std::int64_t> starts;
    for (const auto& entry : split(answer->field("startOffsetInfo"), ';')) {
      const auto parts = split(entry, ' ');
      EXPECT_TRUE(starts.emplace(parts[0] + "@" + parts[1], std::stoll(parts[2])).second) << entry;
    }
    for (const auto& message : messages_of(answer->body())) {
      Popped one;
      one.queue_id = message.queue_id;
      one.offset = message.queue_offset;
      one.body = message.body;
      one.reconsume_times = message.reconsume_times;
      one.properties = message.properties;
      one.topic = message.topic;
      const auto preset = message.properties.find("POP_CK");
      if (preset != message.properties.end()) {
        one.receipt = preset->second;
        const auto receipt = broker::parse_receipt(one.receipt);
        EXPECT_TRUE(receipt.has_value()) << one.receipt;
        one.topic = receipt->flag == broker::RetryFlag::kV2 ? broker::pop_retry_topic_v2("g", message.topic)
                                                            : broker::pop_retry_topic_v1("g", message.topic);
      } else {
        const auto flag = broker::retry_flag(message.topic);
        const auto start = starts.at(fmt::format("{}@{}", static_cast<int>(flag), message.queue_id));
        broker::append_receipt(
            {start, std::stoll(answer->field("popTime")), std::stoll(answer->field("invisibleTime")),
             std::stoi(answer->field("reviveQid")), flag, "b", message.queue_id, message.queue_offset},
            one.receipt);
      }
      all.push_back(std::move(one));
    }
    return all;
  }
  std::vector<Popped> pop_all(const Fields& changes = {}) { return messages_in(ask_pop(changes)); }
  static std::vector<std::string> bodies_of(const std::vector<Popped>& messages) {
    std::vector<std::string> all;
    for (const auto& one : messages) all.push_back(one.body);
    std::sort(all.begin(), all.end());
    return all;
  }
  static Fields receipt_fields(const Popped& message) {
    return {{"consumerGroup", "g"},
            {"topic", message.topic},
            {"queueId", std::to_string(message.queue_id)},
            {"extraInfo", message.receipt},
            {"offset", std::to_string(message.offset)}};
  }
  AnswerPtr ack(const Popped& message, const Fields& changes = {}) {
    return ask(RequestCode::kAckMessage, with(receipt_fields(message), changes));
  }
  AnswerPtr change(const Popped& message, std::int64_t invisible_ms, const Fields& changes = {}) {
    return ask(RequestCode::kChangeMessageInvisibleTime,
               with(with(receipt_fields(message), {{"invisibleTime", std::to_string(invisible_ms)}}), changes));
  }
  /// The message with the receipt that the answer of change() makes.
  static Popped changed(Popped message, const AnswerPtr& answer) {
    const auto old = broker::parse_receipt(message.receipt);
    message.receipt.clear();
    broker::append_receipt(
        {message.offset, std::stoll(answer->field("popTime")), std::stoll(answer->field("invisibleTime")),
         std::stoi(answer->field("reviveQid")), old->flag, "b", message.queue_id, message.offset},
        message.receipt);
    return message;
  }
  /// The reviver does all that there is to do now.
  void revive() {
    for (int idle = 0; idle < 3;) {
      const auto before = store->log().watermarks().published();
      const auto result = reviver->step();
      run();
      idle = result.done > 0 || store->log().watermarks().published() != before ? 0 : idle + 1;
    }
  }
  void pass(std::int64_t ms) {
    clock.advance_ms(ms);
    revive();
  }
  std::size_t records(std::string_view topic) {
    std::size_t count = 0;
    for (const auto& queue : store->queues_of(topic)) count += static_cast<std::size_t>(queue->bounds().max.value);
    return count;
  }
  static std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find(separator, at), text.size());
      parts.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    return parts;
  }
};

}  // namespace tern::test
