// Every form that a record can have, from the append through queues, index and search by time to a start that finds it
// again: long topics (V2), IPv6 hosts, a CRC of their own, and blanks between.

#include "store/store_fixture.hpp"

namespace tern::store {
namespace {

struct Variant {
  std::string name;
  std::string topic;
  bool born_v6 = false;
  bool store_v6 = false;
  bool appends_crc = false;
};

std::vector<Variant> all_variants() {
  std::vector<Variant> variants;
  for (const std::size_t topic_size : {2, 127, 128, 255}) {
    for (int bits = 0; bits < 8; ++bits) {
      const bool born = (bits & 1) != 0;
      const bool stored = (bits & 2) != 0;
      const bool crc = (bits & 4) != 0;
      variants.push_back(
          {fmt::format("Topic{}Born{}Store{}{}", topic_size, born ? 6 : 4, stored ? 6 : 4, crc ? "Crc" : ""),
           std::string(topic_size, 'T'), born, stored, crc});
    }
  }
  return variants;
}

class RecordVariant : public OnSimulatedDisk<::testing::TestWithParam<Variant>> {
 protected:
  static constexpr int kSent = 40;  // more than a segment

  void SetUp() override { options_.log.appends_crc = options_.checks_appended_crc = GetParam().appends_crc; }
  void send(StoreLife& life, int i) {
    const auto properties = fmt::format("KEYS\1key{}\2TAGS\1tag{}\2", i % 5, i % 3);
    const auto body = fmt::format("body {}", i);
    auto parts = parts_of(body, GetParam().topic, properties);
    if (GetParam().born_v6) parts.born_host = *message::parse_host("2001:db8::1", 5000);
    if (GetParam().store_v6) parts.store_host = *message::parse_host("2001:db8::2", 10911);
    life.batch.append_crcs(GetParam().appends_crc);
    life.batch.clear();
    life.batch.begin_group();
    ASSERT_TRUE(life.batch.stage(parts, life->queue(GetParam().topic, 0)));
    for (int attempt = 0; attempt < 20 && !life.batch.is_settled(); ++attempt) {
      life->append(life.batch);
      if (!life.batch.is_settled()) life->segments_step();
    }
    ASSERT_FALSE(life.batch.records().front().error);
    clock_.advance_ms(2);
  }
  std::vector<std::string> answers(StoreLife& life) {
    auto answers = answers_of(*life.store);
    for (int key = 0; key < 6; ++key) {
      const auto found = life->query(GetParam().topic, fmt::format("key{}", key), 64, 0, INT64_MAX);
      answers.push_back(fmt::format("key{}: {}", key, found ? static_cast<int>(found->positions.size()) : -1));
    }
    return answers;
  }
};

INSTANTIATE_TEST_SUITE_P(All, RecordVariant, ::testing::ValuesIn(all_variants()),
                         [](const auto& instance) { return instance.param.name; });

TEST_P(RecordVariant, IsFoundAgainWhateverHappens) {
  std::vector<std::string> before;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    for (int i = 0; i < kSent; ++i) send(life, i);
    life.save();
    for (int i = kSent; i < kSent + 3; ++i) send(life, i);
    life.dispatch();
    before = answers(life);
    ASSERT_GT(life->max_position().value, kSegmentSize) << "no blank";

    const auto queue = life->find_queue(GetParam().topic, 0);
    for (int i = 0; i < kSent + 3; ++i) {
      std::array<QueueEntry, 1> entry;
      ASSERT_TRUE(queue->read({i}, entry, false));
      const auto bytes = life->record_at(entry[0].position);
      ASSERT_TRUE(bytes);
      const auto record = message::parse_record(test::bytes_of(*bytes), message::BodyCheck::kVerifyAppendedCrc);
      ASSERT_TRUE(record) << record.error().text();
      EXPECT_EQ(record->magic, GetParam().topic.size() > 127 ? message::kMagicV2 : message::kMagicV1);
      EXPECT_EQ(record->born_host.text(), GetParam().born_v6 ? "[2001:db8::1]:5000" : "127.0.0.1:59694");
      EXPECT_EQ(record->store_host.text(), GetParam().store_v6 ? "[2001:db8::2]:10911" : "127.0.0.1:10911");
      EXPECT_EQ(message::find_property(record->properties, message::property::kCrc32).has_value(),
                GetParam().appends_crc);
      EXPECT_EQ(test::text_of(record->body), fmt::format("body {}", i));
      const auto time = life->store_time(*queue, {i});
      ASSERT_TRUE(time);
      EXPECT_EQ(*time, record->store_timestamp);
    }
  }
  for (const std::vector<const char*>& removed :
       {std::vector<const char*>{}, {"tern"}, {"consumequeue", "tern"}, {"consumequeue", "index", "tern"}}) {
    SCOPED_TRACE(removed.size());
    const auto disk = disk_.kill();
    for (const auto* directory : removed) remove_tree(*disk, std::string("/store/") + directory);
    StoreLife life(*disk, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    EXPECT_EQ(life.report.scanned_records, removed.empty() ? 3 : kSent + 3);
    EXPECT_EQ(answers(life), before);
    ASSERT_TRUE(life.close());
  }
}

}  // namespace
}  // namespace tern::store
