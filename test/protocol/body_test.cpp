#include <gtest/gtest.h>

#include "tern/protocol/command.hpp"

namespace tern::protocol {
namespace {

TEST(Body, IsEmptyAtFirst) {
  const Body body;
  EXPECT_TRUE(body.empty());
  EXPECT_EQ(body.size(), 0U);
  EXPECT_EQ(body.to_string(), "");
}

TEST(Body, JoinsItsPiecesInOrder) {
  Body body("one,");
  body.append(std::string("two,"));
  static constexpr char kThree[] = {'3'};
  body.append(nullptr, std::as_bytes(std::span(kThree)));
  EXPECT_EQ(body.to_string(), "one,two,3");
  EXPECT_EQ(body.size(), 9U);
  EXPECT_EQ(body.pieces().size(), 3U);
}

TEST(Body, KeepsNoEmptyPieces) {
  Body body("");
  body.append(std::string());
  body.append(std::make_shared<int>(1), {});
  EXPECT_TRUE(body.pieces().empty());
}

TEST(Body, PinsTheOwnersOfItsPieces) {
  auto owner = std::make_shared<const std::string>("pinned");
  const std::weak_ptr<const std::string> watch = owner;
  {
    Body body;
    body.append(owner, std::as_bytes(std::span<const char>(*owner)));
    owner.reset();
    const Body copy = body;
    body = Body();
    EXPECT_FALSE(watch.expired());
    EXPECT_EQ(copy.to_string(), "pinned");
  }
  EXPECT_TRUE(watch.expired());
}

// A piece views its text, so the text must not move when the list of pieces grows.
TEST(Body, StaysWholeWhileItGrows) {
  Body body;
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    body.append(std::to_string(i));
    expected += std::to_string(i);
  }
  EXPECT_EQ(body.to_string(), expected);
}

}  // namespace
}  // namespace tern::protocol
