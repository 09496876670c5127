#include "broker/pop/pop_hold.hpp"

#include "broker/pop/pop_case.hpp"

namespace tern::broker {
namespace {

using test::RequestCode;

class PopHoldCase : public test::PopCase {};

TEST_F(PopHoldCase, AConnectionThatIsGoneWaitsForNothing) {
  const auto gone = new_peer();
  const auto lost = ask_pop({{"pollTime", "15000"}}, {.over = gone});
  const auto other = ask_pop({{"pollTime", "15000"}});
  gone->close();
  pop->hold->peer_closed(*gone);
  EXPECT_TRUE(lost->is_forgotten());
  EXPECT_EQ(pop->hold->parked(), 1U);
  EXPECT_FALSE(other->has_answer());
}

TEST_F(PopHoldCase, EverybodyIsAnsweredWhenTheBrokerStops) {
  const auto first = ask_pop({{"pollTime", "15000"}});
  const auto second = ask_pop({{"pollTime", "15000"}, {"queueId", "2"}});
  pop->hold->wake_all();
  run();
  EXPECT_EQ(first->code(), 210);
  EXPECT_EQ(second->code(), 210);
}

TEST_F(PopHoldCase, AMessageThatComesWhileARequestIsBeingParkedWakesIt) {
  // The message is readable before the request waits: it is looked for again then.
  send("T", "a");
  PopRequest request;
  request.group = "g";
  request.topic = "T";
  request.peer = peer;
  request.deadline_ms = clock.steady_ms() + 1'000;
  request.invisible_ms = 1'000;
  const auto captured = std::make_shared<test::CapturedAnswer>();
  request.reply = remoting::Reply(captured, 1, false);
  EXPECT_TRUE(pop->hold->park(std::make_shared<PopRequest>(std::move(request)), {10, 10, 100'000}));
  run();
  EXPECT_EQ(captured->code(), 0);
}

TEST_F(PopHoldCase, HasALimitOfBytes) {
  options.parked_pulls_bytes_max = 2'000;
  EXPECT_FALSE(ask_pop({{"pollTime", "15000"}})->has_answer());
  EXPECT_FALSE(ask_pop({{"pollTime", "15000"}})->has_answer());
  EXPECT_EQ(ask_pop({{"pollTime", "15000"}})->code(), 209);
  pop_options.parked_max = 2;
  options.parked_pulls_bytes_max = 1'000'000;
  EXPECT_EQ(ask_pop({{"pollTime", "15000"}})->code(), 209);
  pop->hold->wake_all();
  run();
  EXPECT_FALSE(ask_pop({{"pollTime", "15000"}})->has_answer()) << "what has gone is not counted";
}

TEST_F(PopHoldCase, ARequestOfOneQueueIsNotWokenByAnother) {
  const auto waiting = ask_pop({{"pollTime", "15000"}, {"queueId", "1"}});
  send("T", "a");
  EXPECT_EQ(pop->hold->parked(), 1U);
  send("T", "b", {}, {{"queueId", "1"}});
  EXPECT_EQ(waiting->code(), 0);
}

}  // namespace
}  // namespace tern::broker
