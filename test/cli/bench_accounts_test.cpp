#include "cli/bench_accounts.hpp"

#include <gtest/gtest.h>

namespace tern::cli {
namespace {

TEST(Accounts, ConfirmsWhatIsFoundWhereItWasAcknowledged) {
  Accounts accounts({100, 0});
  accounts.acknowledge(0, 101, 7, 1);
  accounts.acknowledge(1, 0, 20, 3);  // a batch: 20, 21, 22
  accounts.acknowledge(0, 100, 8, 1);
  accounts.found(0, 100, 8);
  accounts.found(0, 101, 7);
  for (std::int64_t i = 0; i < 3; ++i) accounts.found(1, i, 20 + static_cast<std::uint64_t>(i));
  const auto findings = accounts.findings();
  EXPECT_EQ(findings.acknowledged, 5);
  EXPECT_EQ(findings.confirmed, 5);
  EXPECT_EQ(findings.missing, 0);
  EXPECT_TRUE(findings.are_good());
  EXPECT_EQ(accounts.first_offset(0), 100);
  EXPECT_EQ(accounts.end_offset(0), 102);
  EXPECT_EQ(accounts.end_offset(1), 3);
}

TEST(Accounts, MissesWhatIsNotThere) {
  Accounts accounts({0});
  accounts.acknowledge(0, 0, 0, 1);
  accounts.acknowledge(0, 2, 1, 1);  // offset 1 belongs to somebody else
  accounts.found(0, 0, 0);
  const auto findings = accounts.findings();
  EXPECT_EQ(findings.confirmed, 1);
  EXPECT_EQ(findings.missing, 1);
  EXPECT_FALSE(findings.are_good());
}

TEST(Accounts, SeesThatTwoMessagesWerePromisedOnePlace) {
  Accounts accounts({0});
  accounts.acknowledge(0, 5, 1, 1);
  accounts.acknowledge(0, 4, 2, 3);  // 4, 5, 6
  EXPECT_EQ(accounts.findings().acknowledged_twice, 1);
  EXPECT_FALSE(accounts.findings().are_good());
}

TEST(Accounts, DoesNotBelieveInImpossiblePlaces) {
  Accounts accounts({10});
  accounts.acknowledge(0, 9, 1, 1);    // before the run
  accounts.acknowledge(1, 10, 2, 1);   // no such queue
  accounts.acknowledge(-1, 10, 3, 1);  // an answer without one
  accounts.acknowledge(0, INT64_MAX, 4, 1);
  EXPECT_EQ(accounts.findings().acknowledged, 4);
  EXPECT_EQ(accounts.findings().acknowledged_twice, 4);
}

TEST(Accounts, SeesAnotherMessageInAPlace) {
  Accounts accounts({0});
  accounts.acknowledge(0, 0, 1, 2);
  accounts.found(0, 0, 2);
  accounts.found(0, 1, 1);
  const auto findings = accounts.findings();
  EXPECT_EQ(findings.displaced, 2);
  EXPECT_EQ(findings.missing, 2);
  EXPECT_FALSE(findings.are_good());
}

// A send whose acknowledgement was lost may be stored: that is no error.
TEST(Accounts, AllowsWhatWasStoredWithoutAcknowledgement) {
  Accounts accounts({0});
  accounts.acknowledge(0, 1, 1, 1);
  accounts.found(0, 0, 0);
  accounts.found(0, 1, 1);
  accounts.found(0, 2, 2);
  EXPECT_EQ(accounts.findings().unacknowledged, 2);
  EXPECT_TRUE(accounts.findings().are_good());
}

TEST(Accounts, CountsAMessageThatIsReadTwiceAsWrong) {
  Accounts accounts({0});
  accounts.acknowledge(0, 0, 1, 1);
  accounts.found(0, 0, 1);
  accounts.found(0, 0, 1);
  EXPECT_FALSE(accounts.findings().are_good());
}

}  // namespace
}  // namespace tern::cli
