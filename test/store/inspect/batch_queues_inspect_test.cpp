// A store with batch queues: overview, entries, every damaged field of an entry, and what repair makes of it.
#include "tern/store/repair.hpp"

#include "store/inspect/inspect_fixture.hpp"

namespace tern::store {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr const char* kBatchFile = "/store/batchconsumequeue/TB/0/00000000000000000000";
constexpr const char* kSecondFile = "/store/batchconsumequeue/TB/0/00000000000000000460";
constexpr int kBatches = 26;

class InspectedBatches : public Inspected {
 protected:
  InspectedBatches() { options_.queues.batch_file_size_bytes = 10 * kBatchEntrySize; }
  static Store::Hooks hooks() {
    Store::Hooks hooks;
    hooks.queue_kind = [](std::string_view topic) {
      return std::optional(topic == "TB" ? QueueKind::kBatch : QueueKind::kSimple);
    };
    return hooks;
  }
  /// Each third record of TB is one message, the others three; between them there are some of TA.
  void make_batches() {
    StoreLife life(disk_, clock_, options_, hooks());
    ASSERT_TRUE(life) << life.problem.text;
    for (int i = 0; i < kBatches; ++i) {
      ASSERT_TRUE(life.send({fmt::format("b{}", i), "TB", 0, "k", 0, static_cast<std::int16_t>(i % 3 == 0 ? 0 : 3)}));
      if (i % 4 == 0) {
        ASSERT_TRUE(life.send({fmt::format("a{}", i), "TA"}));
      }
      clock_.advance_ms(7);
    }
    life.dispatch();
    ASSERT_TRUE(life.close());
  }
};

TEST_F(InspectedBatches, AreFoundWhole) {
  make_batches();
  const auto report = verify(disk_);
  EXPECT_THAT(damages_of(report), IsEmpty());
  EXPECT_THAT(notes_of(report), IsEmpty());
  EXPECT_EQ(report.queue_entries, kBatches + 7);
  const auto overview = (*Inspector::open(disk_, inspected()))->overview();
  ASSERT_TRUE(overview);
  EXPECT_EQ(overview->batch_queue_file_size_bytes, 460);
  const auto queue = std::find_if(overview->queues.begin(), overview->queues.end(),
                                  [](const auto& each) { return each.topic == "TB"; });
  EXPECT_EQ(queue->kind, QueueKind::kBatch);
  EXPECT_EQ(queue->bounds.min.value, 0);
  EXPECT_EQ(queue->bounds.max.value, 9 + 17 * 3);
  EXPECT_EQ(queue->files, 3U);
}

TEST_F(InspectedBatches, TellTheRecordOfAnOffset) {
  make_batches();
  std::vector<std::string> entries;
  const auto status = (*Inspector::open(disk_, inspected()))->entries("TB", 0, {5}, 3, [&](const HeldEntry& found) {
    entries.push_back(fmt::format("{}+{} {}", found.offset, found.entry.count, found.at));
    return found.held && found.held->kind == Held::Kind::kRecord;
  });
  EXPECT_TRUE(status);
  EXPECT_THAT(entries, ElementsAre("4+3 92", "7+1 138", "8+3 184"));
}

TEST_F(InspectedBatches, AreDamagedIfAnyFieldOfAnEntryIs) {
  make_batches();
  for (const std::int64_t entry : {0, 4, 9}) {
    for (std::int64_t byte = 0; byte < 38; ++byte) {
      const auto disk = disk_.kill();
      write_byte(*disk, kBatchFile, entry * kBatchEntrySize + byte, 0x01);
      EXPECT_THAT(damages_of(verify(*disk)), Contains(StartsWith(kBatchFile))) << entry << " byte " << byte;
    }
  }
}

TEST_F(InspectedBatches, NameTheOneEntryThatIsWrong) {
  make_batches();
  const auto damaged = [&](std::int64_t byte, std::uint8_t bits) {
    const auto disk = disk_.kill();
    write_byte(*disk, kBatchFile, 4 * kBatchEntrySize + byte, bits);
    auto found = damages_of(verify(*disk));
    for (auto& text : found) text.resize(std::min(text.size(), text.find(']') + 1));
    return found;
  };
  const auto whole = std::string(kBatchFile) + "[184+46]";
  EXPECT_THAT(damaged(0, 0x80), ElementsAre(whole)) << "no entry";
  EXPECT_THAT(damaged(2, 0x01), ElementsAre(whole)) << "far away";
  EXPECT_THAT(damaged(27, 0x01), ElementsAre(std::string(kBatchFile) + "[204+8]")) << "store time";
  EXPECT_THAT(damaged(35, 0x01), ElementsAre(std::string(kBatchFile) + "[212+8]")) << "first offset";
  EXPECT_THAT(damaged(37, 0x01), ElementsAre(std::string(kBatchFile) + "[220+2]")) << "messages";
}

TEST_F(InspectedBatches, MissTheirFiles) {
  make_batches();
  ASSERT_TRUE(disk_.remove(kSecondFile));
  EXPECT_THAT(damages_of(verify(disk_)), Contains(StartsWith(kSecondFile)));
}

TEST_F(InspectedBatches, AreBuiltAnewAfterARepair) {
  make_batches();
  write_byte(disk_, kBatchFile, 4 * kBatchEntrySize + 37, 0x01);
  const auto planned = plan_repair(disk_, inspected(), verify(disk_));
  ASSERT_TRUE(planned);
  EXPECT_EQ(planned->steps.size(), 3U);
  EXPECT_THAT(planned->left, IsEmpty());
  std::string kept_in;
  ASSERT_TRUE(apply_repair(disk_, clock_, "/store", *planned, kept_in));
  EXPECT_TRUE(disk_.exists(kept_in + "/batchconsumequeue/TB/0/00000000000000000000").value());
  {
    StoreLife life(disk_, clock_, options_, hooks());
    ASSERT_TRUE(life) << life.problem.text;
    EXPECT_EQ(bounds_of(*life.store, "TB", 0), "0-60");
    ASSERT_TRUE(life.close());
  }
  EXPECT_THAT(damages_of(verify(disk_)), IsEmpty());
}

}  // namespace
}  // namespace tern::store
