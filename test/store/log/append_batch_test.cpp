#include "tern/store/append_batch.hpp"

#include "store/log/log_fixture.hpp"

namespace tern::store {
namespace {

std::string bytes_of_record(AppendBatch& batch, const StagedRecord& record) {
  std::string text = test::text_of({batch.head(record), record.head_size});
  text += test::text_of(record.body);
  return text + test::text_of({batch.tail(record), record.tail_size});
}

TEST(AppendBatch, PreparesTheBytesOfEachRecord) {
  AppendBatch batch;
  const auto queue = std::make_shared<OffsetsOnly>();
  const std::string long_topic(200, 't');
  const std::vector<message::RecordParts> all = {parts_of("one"), parts_of("", "T", "k\1v\2"),
                                                 parts_of("two", long_topic)};
  batch.begin_group();
  for (const auto& parts : all) ASSERT_TRUE(batch.stage(parts, queue));
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(bytes_of_record(batch, batch.records()[i]), message::encode_record(all[i], 0, 0, 0)) << i;
  }
  EXPECT_EQ(batch.groups()[0].count, 3);
  EXPECT_EQ(batch.groups()[0].total_size, static_cast<std::int64_t>(batch.bytes()));
}

// Whatever is summed up before the placement is known: head, body and tail make the CRC of the whole record.
TEST(AppendBatch, SealsRecordsThatEndWithTheirOwnCrc) {
  AppendBatch batch;
  batch.append_crcs(true);
  const auto queue = std::make_shared<OffsetsOnly>();
  const std::string large(100'000, 'b');
  const std::string old_crc = "k\1v\2__CRC32#\1" + std::string("3404484611\2");
  auto over_v6 = parts_of("six");
  over_v6.born_host.is_v6 = over_v6.store_host.is_v6 = true;
  std::vector<message::RecordParts> all = {parts_of("one"), parts_of("", "T", "k\1v"), parts_of(large), over_v6,
                                           parts_of("x", "T", old_crc)};
  batch.begin_group();
  for (const auto& parts : all) ASSERT_TRUE(batch.stage(parts, queue));
  all.back().properties = "k\1v\2";
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto& record = batch.records()[i];
    all[i].appends_crc = true;
    ASSERT_TRUE(record.crc_behind_head);
    record.placement = {{4096}, {7}, 1'700'000'000'000};
    batch.place(record);
    const auto bytes = bytes_of_record(batch, record);
    EXPECT_EQ(bytes, message::encode_record(all[i], 7, 4096, 1'700'000'000'000)) << i;
    EXPECT_TRUE(message::parse_record(test::bytes_of(bytes), message::BodyCheck::kVerifyAppendedCrc)) << i;
  }
}

TEST(AppendBatch, RefusesWhatIsNoRecordAndStagesNothing) {
  AppendBatch batch;
  const std::string properties(40'000, 'p');
  batch.begin_group();
  EXPECT_FALSE(batch.stage(parts_of("x", "T", properties), std::make_shared<OffsetsOnly>()));
  const std::string with_zero("a\1b\0c\2", 6);
  EXPECT_FALSE(batch.stage(parts_of("x", "T", with_zero), std::make_shared<OffsetsOnly>())) << "no reader takes it";
  EXPECT_TRUE(batch.records().empty());
  EXPECT_EQ(batch.bytes(), 0);
}

TEST(AppendBatch, DropsTheLastGroupOnly) {
  AppendBatch batch;
  const auto queue = std::make_shared<OffsetsOnly>();
  batch.begin_group();
  ASSERT_TRUE(batch.stage(parts_of("kept"), queue));
  const auto bytes = batch.bytes();
  batch.begin_group();
  ASSERT_TRUE(batch.stage(parts_of("gone"), queue));
  ASSERT_TRUE(batch.stage(parts_of("gone too"), queue));
  batch.own_bodies();
  batch.drop_group();
  EXPECT_EQ(batch.records().size(), 1);
  EXPECT_EQ(batch.bytes(), bytes);
  batch.begin_group();
  ASSERT_TRUE(batch.stage(parts_of("new"), queue));
  EXPECT_EQ(bytes_of_record(batch, batch.records()[1]), message::encode_record(parts_of("new"), 0, 0, 0));
}

TEST(AppendBatch, KeepsOwnedBodiesWhenTheirSourceIsGone) {
  AppendBatch batch;
  const auto queue = std::make_shared<OffsetsOnly>();
  std::string body = "first";
  batch.begin_group();
  ASSERT_TRUE(batch.stage(parts_of(body), queue));
  batch.own_bodies();
  body = "xxxxx";
  std::string other = "second";
  ASSERT_TRUE(batch.stage(parts_of(other), queue));
  ASSERT_TRUE(batch.stage(parts_of(""), queue));
  batch.own_bodies();
  other = "yyyyyy";
  EXPECT_EQ(test::text_of(batch.records()[0].body), "first");
  EXPECT_EQ(test::text_of(batch.records()[1].body), "second");
}

TEST(AppendBatch, TakesNoOffsetForPreparedAndRollbackRecords) {
  AppendBatch batch;
  const auto queue = std::make_shared<OffsetsOnly>();
  batch.begin_group();
  for (const auto flag :
       {0, message::kSysTransactionPrepared, message::kSysTransactionCommit, message::kSysTransactionRollback,
        message::kSysCompressed | message::kSysTransactionPrepared}) {
    auto parts = parts_of("x");
    parts.sys_flag = flag;
    ASSERT_TRUE(batch.stage(parts, queue));
  }
  std::vector<bool> takes;
  for (const auto& record : batch.records()) takes.push_back(record.takes_offset);
  EXPECT_EQ(takes, (std::vector<bool>{true, false, true, false, false}));
}

TEST(AppendBatch, IsFullAtEitherBound) {
  AppendBatch batch;
  const auto queue = std::make_shared<OffsetsOnly>();
  const std::string body(kGroupBytesMax, 'b');
  batch.begin_group();
  EXPECT_FALSE(batch.is_full());
  ASSERT_TRUE(batch.stage(parts_of(body), queue));
  EXPECT_TRUE(batch.is_full());
  batch.clear();
  EXPECT_TRUE(batch.empty());
  batch.begin_group();
  for (std::size_t i = 0; i < kGroupRecordsMax; ++i) {
    EXPECT_FALSE(batch.is_full());
    ASSERT_TRUE(batch.stage(parts_of(""), queue));
  }
  EXPECT_TRUE(batch.is_full());
}

}  // namespace
}  // namespace tern::store
