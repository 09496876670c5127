#include "broker/assignment/allocation.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace tern::broker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

AssignedQueues queues(int count, const std::string& broker = "b") {
  AssignedQueues all;
  for (int i = 0; i < count; ++i) all.push_back({"T", broker, i});
  return all;
}
std::vector<std::string> clients(int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back(fmt::format("c{}", i));
  return all;
}
std::vector<int> ids(const std::optional<AssignedQueues>& mine) {
  std::vector<int> all;
  for (const auto& queue : mine.value()) all.push_back(queue.queue_id);
  return all;
}

TEST(Allocation, AverageGivesNeighbours) {
  EXPECT_THAT(ids(allocate("AVG", "c0", queues(8), clients(3))), ElementsAre(0, 1, 2));
  EXPECT_THAT(ids(allocate("AVG", "c1", queues(8), clients(3))), ElementsAre(3, 4, 5));
  EXPECT_THAT(ids(allocate("AVG", "c2", queues(8), clients(3))), ElementsAre(6, 7));
  EXPECT_THAT(ids(allocate("AVG", "c1", queues(2), clients(3))), ElementsAre(1));
  EXPECT_THAT(ids(allocate("AVG", "c2", queues(2), clients(3))), IsEmpty());
}

TEST(Allocation, CircleGivesEachInTurn) {
  EXPECT_THAT(ids(allocate("AVG_BY_CIRCLE", "c0", queues(8), clients(3))), ElementsAre(0, 3, 6));
  EXPECT_THAT(ids(allocate("AVG_BY_CIRCLE", "c2", queues(8), clients(3))), ElementsAre(2, 5));
}

TEST(Allocation, GivesEachQueueToOneClient) {
  for (const auto* strategy : {"AVG", "AVG_BY_CIRCLE"}) {
    for (int q = 0; q < 20; ++q) {
      for (int c = 1; c < 12; ++c) {
        AssignedQueues all;
        for (const auto& client : clients(c)) {
          const auto mine = allocate(strategy, client, queues(q), clients(c));
          all.insert(all.end(), mine->begin(), mine->end());
        }
        std::sort(all.begin(), all.end());
        EXPECT_EQ(all, queues(q)) << strategy << " " << q << " queues, " << c << " clients";
      }
    }
  }
}

TEST(Allocation, GivesAStrangerNothingAndKnowsNoOtherStrategy) {
  EXPECT_THAT(ids(allocate("AVG", "x", queues(8), clients(3))), IsEmpty());
  EXPECT_FALSE(allocate("CONSISTENT_HASH", "c0", queues(8), clients(3)));
  EXPECT_FALSE(allocate("", "c0", queues(8), clients(3)));
}

TEST(Allocation, PopGivesEachAllQueuesOfEachBroker) {
  auto all = queues(3, "a");
  const auto more = queues(2, "b");
  all.insert(all.end(), more.begin(), more.end());
  for (const int shares : {-1, 0, 2, 7}) {
    EXPECT_THAT(*allocate_pop("AVG", "c1", all, clients(3), shares),
                ElementsAre(AssignedQueue{"T", "a", -1}, AssignedQueue{"T", "b", -1}))
        << shares;
  }
}

TEST(Allocation, PopSharesWithThoseThatFollow) {
  EXPECT_THAT(ids(allocate_pop("AVG", "c0", queues(8), clients(4), 1)), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(ids(allocate_pop("AVG", "c3", queues(8), clients(4), 1)), ElementsAre(0, 1, 6, 7));
  EXPECT_THAT(ids(allocate_pop("AVG", "c3", queues(8), clients(4), 2)), ElementsAre(0, 1, 2, 3, 6, 7));
  EXPECT_FALSE(allocate_pop("OTHER", "c0", queues(8), clients(4), 1));
}

TEST(Allocation, PopGivesEachOneQueueIfThereAreMoreClients) {
  EXPECT_THAT(ids(allocate_pop("AVG", "c0", queues(3), clients(5), 1)), ElementsAre(0));
  EXPECT_THAT(ids(allocate_pop("AVG", "c4", queues(3), clients(5), 1)), ElementsAre(1));
  EXPECT_THAT(ids(allocate_pop("AVG", "c4", queues(0), clients(5), 1)), IsEmpty());
}

}  // namespace
}  // namespace tern::broker
