#include <memory>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tern/remoting/processor.hpp"

namespace tern::remoting {
namespace {

using protocol::RequestCode;

struct Counter {
  int value = 0;
};
struct Name {
  std::string text = "name";
};

struct Services {
  Counter counter;
  Name name;
  template <class T>
  T& get(const Request&) {
    if constexpr (std::is_same_v<T, Counter>) {
      return counter;
    } else {
      return name;
    }
  }
};

protocol::Response heart_beat(const Request&, Counter& counter, const Name& name) {
  ++counter.value;
  protocol::Response response;
  response.remark = name.text;
  return response;
}
void pull(const Request&, Reply reply, Counter& counter) {
  counter.value += 100;
  reply(protocol::refuse(protocol::ResponseCode::kPullNotFound, "later"));
}

const ProcessorRow<Services> kClientRows[] = {{RequestCode::kHeartBeat, "heart_beat", processor<&heart_beat>}};
const ProcessorRow<Services> kPullRows[] = {{RequestCode::kPullMessage, "pull", processor<&pull>, false}};

ProcessorTable<Services> make_table(std::vector<std::span<const ProcessorRow<Services>>> lists) {
  return ProcessorTable<Services>(lists);
}

struct RecordingSink final : Reply::Sink {
  std::vector<protocol::Response> answers;
  void answer(std::int32_t, protocol::Response response) override { answers.push_back(std::move(response)); }
};

class ProcessorTableTest : public testing::Test {
 protected:
  protocol::Response ask(std::int32_t code, Listener listener = Listener::kMain) {
    protocol::CommandHeader header;
    header.code = code;
    const PeerPtr peer;
    const auto sink = std::make_shared<RecordingSink>();
    table_.dispatch(services_, {header, {}, peer, listener}, Reply(sink, 1, false));
    EXPECT_EQ(sink->answers.size(), 1U);
    return sink->answers.empty() ? protocol::Response() : sink->answers.front();
  }
  Services services_;
  const ProcessorTable<Services> table_ = make_table({kPullRows, kClientRows});
};

TEST_F(ProcessorTableTest, GivesFunctionsWhatTheyName) {
  const auto answer = ask(static_cast<int>(RequestCode::kHeartBeat));
  EXPECT_EQ(answer.code, 0);
  EXPECT_EQ(answer.remark, "name");
  EXPECT_EQ(services_.counter.value, 1);
}

TEST_F(ProcessorTableTest, LetsDeferredFunctionsAnswer) {
  EXPECT_EQ(ask(static_cast<int>(RequestCode::kPullMessage)).code, 19);
  EXPECT_EQ(services_.counter.value, 100);
}

TEST_F(ProcessorTableTest, RefusesUnknownCodes) {
  for (const std::int32_t code : {0, -1, 9999, 35}) {
    const auto answer = ask(code);
    EXPECT_EQ(answer.code, 3);
    EXPECT_EQ(answer.remark, " request type " + std::to_string(code) + " not supported");
  }
}

TEST_F(ProcessorTableTest, RefusesOnTheFastListenerWhatIsNotForIt) {
  EXPECT_EQ(ask(static_cast<int>(RequestCode::kPullMessage), Listener::kFast).code, 3);
  EXPECT_EQ(ask(static_cast<int>(RequestCode::kHeartBeat), Listener::kFast).code, 0);
}

TEST_F(ProcessorTableTest, ListsItsRowsByCode) {
  ASSERT_EQ(table_.rows().size(), 2U);
  EXPECT_EQ(table_.rows()[0].name, "pull");
  EXPECT_EQ(table_.rows()[1].name, "heart_beat");
  EXPECT_TRUE(make_table({}).rows().empty());
}

TEST(ProcessorTableDeathTest, StopsAtTwoRowsOfOneCode) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(make_table({kPullRows, kClientRows, kPullRows}), "request code 11 has two rows");
}

}  // namespace
}  // namespace tern::remoting
