#include "tern/store/side_file.hpp"

#include "queue_support.hpp"
#include "support/crash_everywhere.hpp"

namespace tern::store {
namespace {

TEST(Identity, IsClaimedOnceAndKnownAgain) {
  test::SimulatedDisk disk;
  std::string problem;
  const StoreIdentity ours{"cluster \xC3\xA9=1", "broker-a", 0};
  ASSERT_TRUE(claim_identity(disk, "store/tern", ours, problem)) << problem;
  ASSERT_TRUE(claim_identity(disk, "store/tern", ours, problem)) << problem;
  for (const auto& other : {StoreIdentity{"c", "broker-a", 0}, StoreIdentity{ours.cluster, "broker-b", 0},
                            StoreIdentity{ours.cluster, "broker-a", 1}}) {
    const auto status = claim_identity(disk, "store/tern", other, problem);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, Errc::kForeign);
    EXPECT_NE(problem.find("broker-a"), std::string::npos) << problem;
    EXPECT_NE(problem.find(other.broker_name), std::string::npos) << problem;
  }
}

TEST(Identity, DamageIsNoEmptyDirectory) {
  for (const auto* text : {"", "brokerName=a\n", "brokerClusterName=c\nbrokerName=a\nbrokerId=x\n"}) {
    test::SimulatedDisk disk;
    ASSERT_TRUE(disk.make_directories("store/tern"));
    ASSERT_TRUE(test::write_text(disk, "store/tern/identity", text));
    std::string problem;
    const auto status = claim_identity(disk, "store/tern", {"c", "a", 0}, problem);
    ASSERT_FALSE(status) << text;
    EXPECT_EQ(status.error().code, Errc::kDamaged);
    EXPECT_NE(problem.find("store/tern/identity"), std::string::npos) << problem;
  }
}

// A part of it may be the identity of another broker.
TEST(Identity, IsDamagedIfItIsCutShortAtAnyByte) {
  test::SimulatedDisk disk;
  std::string problem;
  const StoreIdentity ours{"cluster", "broker-a", 1234};
  ASSERT_TRUE(claim_identity(disk, "store/tern", ours, problem)) << problem;
  const auto whole = test::read_text(disk, "store/tern/identity");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_TRUE(test::write_text(disk, "store/tern/identity", whole.substr(0, size)));
    const auto found = load_identity(disk, "store/tern", problem);
    ASSERT_FALSE(found) << "at " << size;
    EXPECT_EQ(found.error().code, Errc::kDamaged);
    EXPECT_NE(problem.find("store/tern/identity"), std::string::npos) << problem;
  }
  ASSERT_TRUE(test::write_text(disk, "store/tern/identity", whole));
  EXPECT_TRUE(claim_identity(disk, "store/tern", ours, problem)) << problem;
}

TEST(Identity, SurvivesEveryCrash) {
  const auto scenario = [](test::SimulatedDisk& disk) {
    std::string problem;
    if (!test::make_store_directory(disk)) return false;
    return claim_identity(disk, "store/tern", {"c", "a", 0}, problem).has_value();
  };
  test::crash_at_every_operation(scenario, [](auto& disk, const auto&, bool is_claimed) {
    std::string problem;
    if (is_claimed) {
      const auto status = claim_identity(disk, "store/tern", {"c", "b", 0}, problem);
      ASSERT_FALSE(status);
      ASSERT_EQ(status.error().code, Errc::kForeign) << problem;
    }
    ASSERT_TRUE(claim_identity(disk, "store/tern", {"c", "a", 0}, problem)) << problem;
  });
}

}  // namespace
}  // namespace tern::store
