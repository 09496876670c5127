#include "remoting/deadlines.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tern::remoting {
namespace {

TEST(Deadlines, ExpireInOrderOfTime) {
  Deadlines deadlines;
  std::string order;
  deadlines.add(30, [&] { order += 'c'; });
  deadlines.add(10, [&] { order += 'a'; });
  deadlines.add(20, [&] { order += 'b'; });
  EXPECT_EQ(deadlines.next_ns(), 10);
  deadlines.expire(9);
  EXPECT_EQ(order, "");
  deadlines.expire(20);
  EXPECT_EQ(order, "ab");
  deadlines.expire(100);
  EXPECT_EQ(order, "abc");
  EXPECT_TRUE(deadlines.empty());
}

TEST(Deadlines, DoNotExpireWhenCancelled) {
  Deadlines deadlines;
  std::vector<Deadlines::Token> tokens;
  int expired = 0;
  for (int i = 0; i < 10'000; ++i) tokens.push_back(deadlines.add(i, [&] { ++expired; }));
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i % 100 != 0) deadlines.cancel(tokens[i]);
  }
  deadlines.expire(10'000);
  EXPECT_EQ(expired, 100);
  deadlines.cancel(tokens[0]);  // long gone
}

TEST(Deadlines, MayBeAddedAndCancelledByOthers) {
  Deadlines deadlines;
  std::string order;
  Deadlines::Token other = 0;
  deadlines.add(1, [&] {
    order += 'a';
    deadlines.cancel(other);
    deadlines.add(2, [&] { order += 'c'; });
  });
  other = deadlines.add(2, [&] { order += 'b'; });
  deadlines.expire(5);
  EXPECT_EQ(order, "ac");
}

}  // namespace
}  // namespace tern::remoting
