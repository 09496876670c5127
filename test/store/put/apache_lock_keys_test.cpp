// Which strategy a settings file means, with Apache's keys, ours, and both.

#include "store/put/apache_lock_keys.hpp"

#include <gtest/gtest.h>

#include "tern/store/store.hpp"

namespace tern::store {
namespace {

LogOptions chosen(std::vector<std::pair<std::string, std::string>> lines) {
  LogOptions log;
  ApacheLockKeys keys;
  OptionSet set;
  set.add("log", log_option_rows(), log);
  set.add("lock", apache_lock_rows(), keys);
  PropertiesFile file{"broker.conf", {}};
  for (auto& [key, value] : lines) file.lines.push_back({std::move(key), std::move(value), 1});
  EXPECT_TRUE(set.apply(file, false).problems.empty());
  choose_put_strategy(set, keys, log);
  return log;
}

TEST(ApacheLockKeys, LeaveOurDefaultAloneIfNoneIsGiven) {
  EXPECT_EQ(chosen({}).put_strategy.get(), LogOptions().put_strategy.get());
}

TEST(ApacheLockKeys, NameALockEach) {
  EXPECT_EQ(chosen({{"useReentrantLockWhenPutMessage", "true"}}).put_strategy.get(), "mutex");
  EXPECT_EQ(chosen({{"useReentrantLockWhenPutMessage", "false"}}).put_strategy.get(), "kBackoff");
  EXPECT_EQ(chosen({{"useABSLock", "true"}}).put_strategy.get(), "abs");
  EXPECT_EQ(chosen({{"useABSLock", "false"}}).put_strategy.get(), LogOptions().put_strategy.get());
}

TEST(ApacheLockKeys, PutAbsFirst) {
  EXPECT_EQ(chosen({{"useReentrantLockWhenPutMessage", "true"}, {"useABSLock", "true"}}).put_strategy.get(), "abs");
  EXPECT_EQ(chosen({{"useReentrantLockWhenPutMessage", "false"}, {"useABSLock", "false"}}).put_strategy.get(),
            "kBackoff");
}

TEST(ApacheLockKeys, GiveWayToOurs) {
  EXPECT_EQ(chosen({{"putMessageLock", "spin"}, {"useABSLock", "true"}}).put_strategy.get(), "spin");
  EXPECT_EQ(chosen({{"putMessageLock", "mutex"}, {"useReentrantLockWhenPutMessage", "false"}}).put_strategy.get(),
            "mutex");
}

TEST(ApacheLockKeys, TellAGivenLimitFromTheDefault) {
  EXPECT_EQ(chosen({}).spin_limit, 1000);
  EXPECT_FALSE(chosen({}).spin_limit_was_set);
  const auto given = chosen({{"spinLockCollisionRetreatOptimalDegree", "1000"}});
  EXPECT_EQ(given.spin_limit, 1000);
  EXPECT_TRUE(given.spin_limit_was_set);
}

}  // namespace
}  // namespace tern::store
