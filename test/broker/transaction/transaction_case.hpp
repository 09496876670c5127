#pragma once
// A broker fixture with a producer that sends half messages and ends them.

#include <string>
#include <string_view>
#include <vector>

#include "broker/broker_fixture.hpp"

namespace tern::test {

inline constexpr int kUnknown = 0, kCommit = 8, kRollback = 12;
inline constexpr std::int64_t kTimeoutMs = 6'000, kRoundMs = 30'000;

class TransactionCase : public BrokerFixture {
 protected:
  using BrokerFixture::BrokerFixture;
  struct Half {
    std::int64_t offset = 0;
    std::int64_t position = 0;
  };

  void SetUp() override {
    BrokerFixture::SetUp();
    make_topic("T");
    become_producer(peer);
  }
  void become_producer(const FakePeerPtr& producer, const std::string& group = "p") {
    clients.producer_heartbeat({"client", producer, 0, 513, clock.steady_ms()}, group);
  }
  static Fields half_properties(const Fields& more = {}) { return with({{"TRAN_MSG", "true"}, {"PGROUP", "p"}}, more); }
  AnswerPtr ask_half(std::string_view body, const Fields& more = {}, const Fields& changes = {}) {
    return send("T", body, half_properties(more),
                with({{"bornTimestamp", std::to_string(clock.wall_ms())}, {"sysFlag", "4"}}, changes));
  }
  Half send_half(std::string_view body, const Fields& more = {}, const Fields& changes = {}) {
    const auto answer = ask_half(body, more, changes);
    EXPECT_EQ(answer->code(), 0) << answer->remark();
    return {halves().back().queue_offset, halves().back().position};
  }
  static Fields end_fields(const Half& half, int decision) {
    return {{"producerGroup", "p"},
            {"tranStateTableOffset", std::to_string(half.offset)},
            {"commitLogOffset", std::to_string(half.position)},
            {"commitOrRollback", std::to_string(decision)},
            {"msgId", "id"}};
  }
  AnswerPtr end(const Half& half, int decision, const Fields& changes = {}) {
    return ask(RequestCode::kEndTransaction, with(end_fields(half, decision), changes));
  }
  StepResult step() {
    const auto result = transaction_check->step();
    run();
    return result;
  }
  /// Steps until nothing is left to do now.
  void settle() {
    constexpr int kIdleSteps = 20;  // looking into the past may take a few that change nothing
    for (int idle = 0; idle < kIdleSteps; ++idle) {
      const auto before = store->log().watermarks().published();
      if (step().done > 0 || store->log().watermarks().published() != before) idle = 0;
    }
  }
  /// A round begins and ends.
  void round() {
    clock.advance_ms(kRoundMs);
    settle();
  }
  std::vector<StoredMessage> halves() { return stored(message::kTransactionHalfTopic); }
  std::vector<StoredMessage> ops() { return stored(message::kTransactionOpTopic); }
  /// What the op queue says by now, all marks written.
  std::string marks() {
    transaction_check->write_all_marks();
    run();
    std::string text;
    for (const auto& op : ops()) text += op.body;
    return text;
  }
  std::optional<std::int64_t> progress(std::string_view topic = message::kTransactionHalfTopic) {
    return offsets.find(message::kTransactionGroup, topic, 0);
  }
  /// The question, and the copy that it is about.
  struct Question {
    std::map<std::string, std::string> fields;
    StoredMessage message;
    Half half;
  };
  std::vector<Question> questions(const FakePeerPtr& producer) {
    std::vector<Question> all;
    for (const auto& notice : producer->notices()) {
      EXPECT_EQ(notice.code, 39);
      Question one;
      const auto json = protocol::parse_json("{" + std::string(notice.fields.json()) + "}");
      for (const auto& [key, value] : json->items()) one.fields[key] = value.get<std::string>();
      one.message = stored_message(notice.body.to_string());
      one.half = {std::stoll(one.fields["tranStateTableOffset"]), std::stoll(one.fields["commitLogOffset"])};
      all.push_back(std::move(one));
    }
    producer->take_notices();
    return all;
  }
  std::vector<Question> questions() { return questions(peer); }
};

}  // namespace tern::test
