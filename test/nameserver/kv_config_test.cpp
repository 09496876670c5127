#include "nameserver/kv_config.hpp"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nameserver/captured_reply.hpp"
#include "support/bytes.hpp"
#include "support/crash_everywhere.hpp"
#include "support/simulated_disk.hpp"

namespace tern::nameserver {
namespace {

using test::CapturedReply;
using ::testing::HasSubstr;
using ::testing::Optional;

const std::string kPath = "home/namesrv/kvConfig.json";

std::shared_ptr<CapturedReply> put(KvConfig& kv, std::string_view name_space, std::string_view key,
                                   std::string_view value) {
  auto captured = std::make_shared<CapturedReply>();
  kv.put(name_space, key, value, remoting::Reply(captured, 1, false));
  return captured;
}

std::shared_ptr<CapturedReply> remove(KvConfig& kv, std::string_view name_space, std::string_view key) {
  auto captured = std::make_shared<CapturedReply>();
  kv.remove(name_space, key, remoting::Reply(captured, 1, false));
  return captured;
}

TEST(KvConfig, AnswersOnlyWhenTheChangeIsOnTheDisk) {
  test::SimulatedDisk disk;
  KvConfig kv(disk, kPath);
  ASSERT_EQ(kv.open(), std::nullopt);
  const auto first = put(kv, "n", "k", "v");
  const auto second = put(kv, "n", "l", "w");
  EXPECT_THAT(kv.find("n", "k"), Optional(std::string("v"))) << "visible at once";
  EXPECT_FALSE(first->has_answer());
  EXPECT_EQ(kv.step().done, 2);
  EXPECT_EQ(first->code(), 0);
  EXPECT_EQ(second->code(), 0);
  EXPECT_EQ(test::read_text(disk, kPath), R"({"configTable":{"n":{"k":"v","l":"w"}}})");
  EXPECT_EQ(kv.step().done, 0);
}

TEST(KvConfig, FindsWhatItSavedAfterARestart) {
  test::SimulatedDisk disk;
  {
    KvConfig kv(disk, kPath);
    put(kv, "n", "k", "v");
    put(kv, "n", "gone", "v");
    put(kv, "emptied", "k", "v");
    remove(kv, "n", "gone");
    remove(kv, "emptied", "k");
    kv.step();
  }
  KvConfig kv(disk, kPath);
  ASSERT_EQ(kv.open(), std::nullopt);
  EXPECT_THAT(kv.find("n", "k"), Optional(std::string("v")));
  EXPECT_EQ(kv.find("n", "gone"), std::nullopt);
  EXPECT_THAT(kv.list("emptied"), Optional(KvConfig::Table{}));
  EXPECT_EQ(kv.list("never written"), std::nullopt);
}

TEST(KvConfig, ReadsTheFileOfApachesNameserver) {
  test::SimulatedDisk disk;
  ASSERT_TRUE(disk.make_directories("home/namesrv"));
  ASSERT_TRUE(test::write_text(disk, kPath, R"({"configTable":{"ORDER_TOPIC_CONFIG":{"T":"b:4;d:4"}}})"));
  KvConfig kv(disk, kPath);
  ASSERT_EQ(kv.open(), std::nullopt);
  EXPECT_THAT(kv.find(kOrderTopicNamespace, "T"), Optional(std::string("b:4;d:4")));
}

TEST(KvConfig, AnswersAtOnceWhenThereIsNothingToRemove) {
  test::SimulatedDisk disk;
  KvConfig kv(disk, kPath);
  EXPECT_EQ(remove(kv, "n", "k")->code(), 0);
  EXPECT_EQ(kv.step().done, 0);
}

TEST(KvConfig, RefusesToOpenADamagedFileAndNamesIt) {
  for (const std::string content : {"", "{", "[]", "{}", R"({"configTable":5})", R"({"configTable":{"n":5}})",
                                    R"({"configTable":{"n":{"k":{}}}})"}) {
    test::SimulatedDisk disk;
    ASSERT_TRUE(disk.make_directories("home/namesrv"));
    ASSERT_TRUE(test::write_text(disk, kPath, content));
    KvConfig kv(disk, kPath);
    EXPECT_THAT(kv.open(), Optional(HasSubstr(kPath))) << content;
  }
}

TEST(KvConfig, SaysWhyAChangeCouldNotBeSavedAndTriesAgainWithTheNext) {
  test::SimulatedDisk disk;
  KvConfig kv(disk, kPath);
  disk.fail_at(1, ENOSPC);
  const auto failed = put(kv, "n", "k", "v");
  kv.step();
  EXPECT_EQ(failed->code(), 1);
  EXPECT_THAT(failed->response().remark, HasSubstr(kPath));
  const auto saved = put(kv, "n", "l", "w");
  kv.step();
  EXPECT_EQ(saved->code(), 0);
  EXPECT_EQ(test::read_text(disk, kPath), R"({"configTable":{"n":{"k":"v","l":"w"}}})");
}

TEST(KvConfig, RefusesToGrowBeyondItsLimit) {
  test::SimulatedDisk disk;
  KvConfig kv(disk, kPath);
  const std::string half(KvConfig::kBytesMax / 2, 'x');
  put(kv, "n", "k", half);
  const auto refused = put(kv, "n", "l", half);
  ASSERT_TRUE(refused->has_answer());
  EXPECT_EQ(refused->code(), 1);
  EXPECT_THAT(refused->response().remark, HasSubstr("16777216"));
  EXPECT_EQ(kv.find("n", "l"), std::nullopt);
  remove(kv, "n", "k");
  EXPECT_FALSE(put(kv, "n", "l", half)->has_answer()) << "there is room again";
}

// Whatever the moment of the crash: what was answered is there, and the file can be read.
TEST(KvConfigCrash, KeepsEveryAnsweredChange) {
  test::crash_at_every_operation(
      [](test::SimulatedDisk& disk) {
        KvConfig kv(disk, kPath);
        std::vector<std::string> answered;
        for (const std::string key : {"a", "b", "c"}) {
          const auto reply = put(kv, "n", key, "v");
          kv.step();
          if (reply->code() == 0) answered.push_back(key);
        }
        return answered;
      },
      [](test::SimulatedDisk& disk, const test::CrashPoint&, const std::vector<std::string>& answered) {
        KvConfig kv(disk, kPath);
        ASSERT_EQ(kv.open(), std::nullopt);
        for (const auto& key : answered) EXPECT_THAT(kv.find("n", key), Optional(std::string("v"))) << key;
      });
}

}  // namespace
}  // namespace tern::nameserver
