#include "broker/table_save.hpp"

#include <gtest/gtest.h>

namespace tern::broker {
namespace {

TEST(TableSave, WritesOnceForAllChangesThatWait) {
  WorkQueue blocking;
  int writes = 0;
  int told = 0;
  TableSave saves(blocking, "topics.json", [&]() -> Status {
    ++writes;
    return {};
  });
  for (int i = 0; i < 1000; ++i) saves.request([&](Status saved) { told += saved ? 1 : 0; });
  EXPECT_EQ(blocking.depth(), 1U);
  blocking.step();
  EXPECT_EQ(writes, 1);
  EXPECT_EQ(told, 1000);
  saves.request({});
  blocking.step();
  EXPECT_EQ(writes, 2);
}

TEST(TableSave, WritesAgainForAChangeThatComesWhileItWrites) {
  WorkQueue blocking;
  int writes = 0;
  bool was_told = false;
  TableSave* again = nullptr;
  TableSave saves(blocking, "topics.json", [&]() -> Status {
    if (++writes == 1) again->request([&](Status) { was_told = true; });
    return {};
  });
  again = &saves;
  saves.request({});
  blocking.step();
  EXPECT_FALSE(was_told);
  blocking.step();
  EXPECT_EQ(writes, 2);
  EXPECT_TRUE(was_told);
}

TEST(TableSave, HandsOnWhyItFailed) {
  WorkQueue blocking;
  TableSave saves(blocking, "topics.json", []() -> Status { return errno_error(ENOSPC); });
  Status heard;
  saves.request([&](Status saved) { heard = saved; });
  blocking.step();
  ASSERT_FALSE(heard);
  EXPECT_EQ(heard.error(), errno_error(ENOSPC));
}

TEST(TableSave, TellsAtOnceThatTooMuchIsWaiting) {
  WorkQueue blocking({.depth_max = 1});
  int writes = 0;
  TableSave saves(blocking, "topics.json", [&]() -> Status {
    ++writes;
    return {};
  });
  ASSERT_TRUE(blocking.post([] {}));
  Status heard;
  saves.request([&](Status saved) { heard = saved; });
  EXPECT_FALSE(heard);
  blocking.step();
  saves.request([&](Status saved) { heard = saved; });
  blocking.step();
  EXPECT_TRUE(heard);
  EXPECT_EQ(writes, 1);
}

}  // namespace
}  // namespace tern::broker
