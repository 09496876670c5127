#include "broker/topics/topic_attributes.hpp"

#include <gmock/gmock.h>

namespace tern::broker {
namespace {

using Attributes = std::map<std::string, std::string>;
using ::testing::HasSubstr;
using ::testing::Optional;

TEST(TopicAttributes, AreAddedToANewTopic) {
  Attributes attributes;
  EXPECT_EQ(change_attributes("+message.type=FIFO,+queue.type=BatchCQ,+reserve.time=-1", true, attributes),
            std::nullopt);
  EXPECT_EQ(attributes, (Attributes{{"message.type", "FIFO"}, {"queue.type", "BatchCQ"}, {"reserve.time", "-1"}}));
}

TEST(TopicAttributes, AreNotDeletedFromANewTopic) {
  Attributes attributes;
  EXPECT_THAT(change_attributes("-message.type", true, attributes), Optional(HasSubstr("only add attribute")));
}

TEST(TopicAttributes, AreAlteredAndDeletedLater) {
  Attributes attributes{{"message.type", "FIFO"}, {"reserve.time", "5"}};
  EXPECT_EQ(change_attributes("+message.type=DELAY,-reserve.time", false, attributes), std::nullopt);
  EXPECT_EQ(attributes, (Attributes{{"message.type", "DELAY"}}));
}

TEST(TopicAttributes, StayAsTheyAreWithoutChanges) {
  Attributes attributes{{"message.type", "FIFO"}};
  EXPECT_EQ(change_attributes("", false, attributes), std::nullopt);
  EXPECT_EQ(attributes, (Attributes{{"message.type", "FIFO"}}));
}

struct Refused {
  const char* changes;
  bool is_new;
  const char* why;
};

TEST(TopicAttributes, AreLeftAloneByAChangeThatIsWrongAnywhere) {
  const Attributes before{{"message.type", "FIFO"}};
  for (const auto& [changes, is_new, why] : {
           Refused{"+message.type=DELAY,+foo=1", false, "unsupported key: foo"},
           {"+message.type=DELAY,+message.type=FIFO", false, "key duplication: message.type"},
           {"+message.type=WEIRD", false, "value is not in set"},
           {"+message.type=", false, "value is not in set"},
           {"+message.type", false, "value is not in set"},
           {"+reserve.time=-2", false, "value is not in set"},
           {"+reserve.time=1x", false, "value is not in set"},
           {"+lite.topic.expiration=43201", false, "value is not in set"},
           {"+queue.type=BatchCQ", false, "unchangeable attribute. key: queue.type"},
           {"-cleanup.policy", false, "unchangeable attribute. key: cleanup.policy"},
           {"-reserve.time", false, "attempt to delete a nonexistent key: reserve.time"},
           {"message.type=DELAY", false, "kv string format wrong"},
           {"=", true, "kv string format wrong"},
           {"+", true, "unsupported key: "},
       }) {
    auto attributes = before;
    EXPECT_THAT(change_attributes(changes, is_new, attributes), Optional(HasSubstr(why))) << changes;
    EXPECT_EQ(attributes, before) << changes;
  }
}

}  // namespace
}  // namespace tern::broker
