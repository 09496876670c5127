#include "store/put/publication.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tern::store {
namespace {

constexpr std::size_t kSlots = 8;

class PublicationOrder : public ::testing::Test {
 protected:
  /// The append of a ticket ends at ten times the number behind it.
  bool finish(std::uint64_t ticket) {
    return publication_->finish(ticket, {static_cast<std::int64_t>(ticket + 1) * 10},
                                [this](LogPosition to) { published_.push_back(to.value); });
  }

  const std::unique_ptr<Publication<kSlots>> publication_ = std::make_unique<Publication<kSlots>>();
  std::vector<std::int64_t> published_;
};

TEST_F(PublicationOrder, PublishesAtOnceWhatIsInFront) {
  EXPECT_EQ(publication_->draw(), 0U);
  EXPECT_FALSE(finish(0));
  EXPECT_EQ(published_, std::vector<std::int64_t>{10});
}

TEST_F(PublicationOrder, LeavesTheRestToWhoCompletesThePrefix) {
  for (int i = 0; i < 4; ++i) publication_->draw();
  EXPECT_FALSE(finish(2));
  EXPECT_FALSE(finish(1));
  EXPECT_TRUE(published_.empty());
  EXPECT_TRUE(finish(0));
  EXPECT_EQ(published_, (std::vector<std::int64_t>{10, 20, 30}));
  EXPECT_FALSE(finish(3));
  EXPECT_EQ(published_.back(), 40);
}

TEST_F(PublicationOrder, HasNoRoomForMoreThanTheRingHolds) {
  for (std::size_t i = 0; i < kSlots; ++i) {
    ASSERT_TRUE(publication_->has_room());
    publication_->draw();
  }
  EXPECT_FALSE(publication_->has_room());
  for (std::size_t i = 1; i < kSlots; ++i) finish(i);
  EXPECT_FALSE(publication_->has_room());
  EXPECT_TRUE(finish(0));
  EXPECT_TRUE(publication_->has_room());
  EXPECT_EQ(published_.size(), kSlots);
}

TEST_F(PublicationOrder, UsesItsSlotsAgain) {
  for (std::uint64_t i = 0; i < 3 * kSlots; i += 2) {
    publication_->draw(), publication_->draw();
    finish(i + 1);
    finish(i);
  }
  EXPECT_EQ(published_.size(), 3 * kSlots);
}

// Threads copy (a plain store) and finish in whatever order they are run. A reader that sees a position published must
// see everything below it copied; the sanitizer sees to the order of memory.
TEST(Publication, NeverShowsAHoleAndForgetsNobody) {
  constexpr int kThreads = 8;
  constexpr std::size_t kAppends = 4'000;
  const auto publication = std::make_unique<Publication<kSlots>>();
  std::vector<int> copied(kAppends, 0);
  std::atomic<std::int64_t> published{0};
  std::mutex placement;
  std::size_t placed = 0;

  std::thread reader([&] {
    std::int64_t seen = 0;
    while (seen < static_cast<std::int64_t>(kAppends)) {
      const auto now = published.load(std::memory_order_acquire);
      ASSERT_GE(now, seen);
      for (; seen < now; ++seen) ASSERT_EQ(copied[static_cast<std::size_t>(seen)], 1) << seen;
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (;;) {
        std::uint64_t ticket = 0;
        {
          const std::lock_guard lock(placement);
          if (placed == kAppends) return;
          if (!publication->has_room()) {
            std::this_thread::yield();
            continue;
          }
          ++placed;
          ticket = publication->draw();
        }
        if (ticket % 7 == 0) std::this_thread::yield();
        copied[ticket] = 1;
        publication->finish(ticket, {static_cast<std::int64_t>(ticket) + 1}, [&published](LogPosition to) {
          auto seen = published.load(std::memory_order_relaxed);
          while (seen < to.value && !published.compare_exchange_weak(seen, to.value, std::memory_order_acq_rel,
                                                                     std::memory_order_relaxed)) {
          }
        });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  reader.join();
  EXPECT_EQ(published.load(), static_cast<std::int64_t>(kAppends));
}

}  // namespace
}  // namespace tern::store
