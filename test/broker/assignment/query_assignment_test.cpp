#include "broker/assignment/requests.hpp"
#include "broker/broker_fixture.hpp"

namespace tern::broker {
namespace {

using test::RequestCode;
using ::testing::HasSubstr;

class QueryAssignment : public test::BrokerFixture {
 protected:
  void SetUp() override {
    BrokerFixture::SetUp();
    make_topic("T");
    make_group("g");
    for (const auto* id : {"c0", "c1"}) join(id);
  }
  void join(const std::string& id) {
    ConsumerHeartbeat heartbeat;
    heartbeat.group = "g";
    clients.consumer_heartbeat({id, new_peer(), 0, 513, clock.steady_ms()}, heartbeat);
  }
  static std::string query(const std::string& client = "c0", const std::string& strategy = "AVG",
                           const std::string& model = "CLUSTERING", const std::string& topic = "T") {
    return fmt::format(
        R"({{"clientId":"{}","consumerGroup":"g","messageModel":"{}","strategyName":"{}","topic":"{}"}})", client,
        model, strategy, topic);
  }
  std::string assigned(const std::string& body) {
    const auto answer = ask(RequestCode::kQueryAssignment, {}, body);
    EXPECT_EQ(answer->code(), 0) << answer->remark();
    return answer->body();
  }
  test::AnswerPtr set_mode(const std::string& mode, int shares = -1, const std::string& topic = "T",
                           const std::string& group = "g") {
    return ask(RequestCode::kSetMessageRequestMode, {},
               fmt::format(R"({{"consumerGroup":"{}","mode":"{}","popShareQueueNum":{},"topic":"{}"}})", group, mode,
                           shares, topic));
  }
  static std::string entry(int queue_id, const std::string& mode, const std::string& topic = "T") {
    return fmt::format(R"({{"messageQueue":{{"brokerName":"b","queueId":{},"topic":"{}"}},"mode":"{}"}})", queue_id,
                       topic, mode);
  }
  static std::string list(std::initializer_list<std::string> entries) {
    std::string text;
    for (const auto& one : entries) text += (text.empty() ? "" : ",") + one;
    return R"({"messageQueueAssignments":[)" + text + "]}";
  }
};

TEST_F(QueryAssignment, GivesEachItsShare) {
  EXPECT_EQ(assigned(query("c0")), list({entry(0, "PULL"), entry(1, "PULL")}));
  EXPECT_EQ(assigned(query("c1")), list({entry(2, "PULL"), entry(3, "PULL")}));
  EXPECT_EQ(assigned(query("c1", "AVG_BY_CIRCLE")), list({entry(1, "PULL"), entry(3, "PULL")}));
}

TEST_F(QueryAssignment, GivesAllWhoBroadcastAll) {
  EXPECT_EQ(assigned(query("c0", "AVG", "BROADCASTING")),
            list({entry(0, "PULL"), entry(1, "PULL"), entry(2, "PULL"), entry(3, "PULL")}));
  assignment_options.balances = false;
  EXPECT_EQ(assigned(query("c0")), list({entry(0, "PULL"), entry(1, "PULL"), entry(2, "PULL"), entry(3, "PULL")}));
}

TEST_F(QueryAssignment, GivesWhoPopsAllQueues) {
  EXPECT_EQ(set_mode("POP")->code(), 0);
  EXPECT_EQ(assigned(query("c0")), list({entry(-1, "POP")}));
  EXPECT_EQ(set_mode("PULL")->code(), 0);
  EXPECT_EQ(assigned(query("c0")), list({entry(0, "PULL"), entry(1, "PULL")}));
}

TEST_F(QueryAssignment, GivesWhoPopsSomeQueuesIfAsked) {
  join("c2");
  join("c3");
  set_mode("POP", 1);
  EXPECT_EQ(assigned(query("c3")), list({entry(0, "POP"), entry(3, "POP")}));
}

TEST_F(QueryAssignment, FollowsTheDefaultMode) {
  assignment_options.default_mode = "POP";
  EXPECT_EQ(assigned(query("c0")), list({entry(-1, "POP")}));
}

TEST_F(QueryAssignment, RetryTopicsArePulled) {
  assignment_options.default_mode = "POP";
  make_topic("%RETRY%g", 1);
  EXPECT_EQ(assigned(query("c0", "AVG", "CLUSTERING", "%RETRY%g")), list({entry(0, "PULL", "%RETRY%g")}));
}

TEST_F(QueryAssignment, LeavesAClientWhatItHasIfNothingIsKnown) {
  EXPECT_EQ(assigned(query("c0", "AVG", "CLUSTERING", "U")), "{}");
  EXPECT_EQ(assigned(query("c0", "CONSISTENT_HASH")), "{}");
  for (const auto& member : clients.members("g")) clients.peer_closed(*member);
  EXPECT_EQ(assigned(query("c0")), "{}");
}

TEST_F(QueryAssignment, GivesAStrangerNothing) {
  EXPECT_EQ(assigned(query("x")), list({}));
}

TEST_F(QueryAssignment, Refuses) {
  for (const auto* body : {"", "[]", "{}", R"({"messageModel":"X"})"})
    EXPECT_EQ(ask(RequestCode::kQueryAssignment, {}, body)->code(), 1) << body;
}

TEST_F(QueryAssignment, ReadsTheQueuesOfARoute) {
  const auto queues = queues_in_route(
      "T", R"({"brokerDatas":[],"queueDatas":[{"brokerName":"x","perm":6,"readQueueNums":2,"writeQueueNums":8},)"
           R"({"brokerName":"y","perm":2,"readQueueNums":4},{"brokerName":"z","perm":4,"readQueueNums":-1},7]})");
  ASSERT_TRUE(queues);
  EXPECT_THAT(*queues, ::testing::ElementsAre(AssignedQueue{"T", "x", 0}, AssignedQueue{"T", "x", 1}));
  for (const auto* body : {"", "{}", "[]", R"({"queueDatas":7})"}) EXPECT_FALSE(queues_in_route("T", body)) << body;
}

// ---- modes

TEST_F(QueryAssignment, AModeIsSavedBeforeItIsAnswered) {
  EXPECT_EQ(set_mode("POP", 3)->code(), 0);
  RequestModes again(disk, "store/config/messageRequestMode.json", blocking);
  EXPECT_EQ(again.load(), std::nullopt);
  const auto mode = again.find("T", "g");
  ASSERT_TRUE(mode);
  EXPECT_TRUE(mode->is_pop);
  EXPECT_EQ(mode->shares, 3);
  EXPECT_FALSE(again.find("T", "h"));
}

TEST_F(QueryAssignment, AModeThatCannotBeSavedIsAFailure) {
  disk.fail_at(disk.changes() + 1, EIO, 10);
  EXPECT_THAT(set_mode("POP")->remark(), HasSubstr("messageRequestMode.json cannot be saved"));
}

TEST_F(QueryAssignment, ShowsAllModes) {
  EXPECT_EQ(ask(RequestCode::kGetAllMessageRequestMode, {})->body(), R"({"messageRequestModeMap":{}})");
  set_mode("POP", 2);
  EXPECT_EQ(
      ask(RequestCode::kGetAllMessageRequestMode, {})->body(),
      R"({"messageRequestModeMap":{"T":{"g":{"consumerGroup":"g","mode":"POP","popShareQueueNum":2,"topic":"T"}}}})");
}

TEST_F(QueryAssignment, RefusesAModeThatIsNone) {
  EXPECT_EQ(set_mode("POP", 0, "%RETRY%g")->code(), 16);
  EXPECT_EQ(set_mode("POP", 0, "U")->code(), 17);
  options.auto_create_groups = false;
  EXPECT_EQ(set_mode("POP", 0, "T", "none")->code(), 26);
  EXPECT_EQ(set_mode("PUSH")->code(), 1);
  EXPECT_EQ(ask(RequestCode::kSetMessageRequestMode, {}, "{")->code(), 1);
  EXPECT_EQ(ask(RequestCode::kSetMessageRequestMode, {},
                R"({"consumerGroup":"g","mode":"POP","popShareQueueNum":99999999999,"topic":"T"})")
                ->code(),
            1);
}

}  // namespace
}  // namespace tern::broker
