#include "tern/store/key_index.hpp"

#include <cerrno>
#include <ctime>

#include "tern/base/byte_order.hpp"

#include "queue_support.hpp"
#include "store/index_file.hpp"
#include "support/manual_clock.hpp"

namespace tern::store {
namespace {

constexpr std::int64_t kAll = INT64_MAX;

class KeyIndexTest : public ::testing::Test {
 protected:
  std::unique_ptr<KeyIndex> open(file::Disk& disk, bool was_clean = true, std::int64_t checkpoint = 0,
                                 LogPosition synced_to = {-1}) {
    std::string problem;
    auto index = KeyIndex::open(disk, clock_, options_, was_clean, checkpoint, problem, synced_to);
    EXPECT_TRUE(index) << problem;
    return std::move(*index);
  }
  std::vector<std::string> files(file::Disk& disk) const {
    std::vector<std::string> paths;
    for (const auto& entry : *disk.list(options_.directory))
      paths.push_back(file::join(options_.directory, entry.name));
    return paths;
  }
  static std::string found(KeyIndex& index, std::string_view topic, std::string_view key, int count = 64,
                           std::int64_t begin = 0, std::int64_t end = kAll) {
    const auto result = index.query(topic, key, count, begin, end);
    if (!result) return result.error().text();
    std::string text;
    for (const auto position : result->positions) text += fmt::format("{} ", position);
    return text;
  }
  /// Keys k<n % 7> of records n in [from, to), at n * 100, one second after the other.
  static void add(KeyIndex& index, std::int64_t from, std::int64_t to) {
    for (std::int64_t n = from; n < to; ++n) {
      const IndexKey key{key_hash("TA", fmt::format("k{}", n % 7)), {n * 100}, 1'000'000 + n * 1000};
      index.add({&key, 1});
    }
  }

  test::ManualClock clock_;
  IndexOptions options_{"store/index", true, 11, 40, 1000};
  test::SimulatedDisk disk_;
};

IndexHeader header_of(file::Disk& disk, const std::string& path) {
  const auto content = test::read_text(disk, path);
  return load_index_header(test::bytes_of(content).data());
}

std::int32_t number_at(std::string_view content, std::int64_t at) {
  return load_be<std::int32_t>(content.data() + at);
}

TEST_F(KeyIndexTest, CollectsKeysInApachesOrder) {
  std::vector<IndexKey> keys;
  const std::string properties =
      "KEYS\x01k1 k2\x02TAGS\x01TagA\x02UNIQ_KEY\x01"
      "7F000001ABCD18B4AAC2000000000001\x02";
  collect_keys("TA", properties, {0}, 5000, keys);
  ASSERT_EQ(keys.size(), 4U);
  EXPECT_EQ(keys[0].hash, 1724999889);
  EXPECT_EQ(keys[1].hash, 79549180);
  EXPECT_EQ(keys[2].hash, 79549181);
  EXPECT_EQ(keys[3].hash, 746136148);
  for (const auto& key : keys) EXPECT_EQ(key.store_timestamp, 5000);
  EXPECT_EQ(key_hash("TA", "k1"), 79549180);
  EXPECT_EQ(key_hash("TA", "T#TagA"), 746136148);
  keys.clear();
  collect_keys("TA", "KEYS\x01  a  b \x02", {0}, 1, keys);
  EXPECT_EQ(keys.size(), 2U);
}

// As a broker of Apache's that is started on our directory by mistake: it enters the end of the log again, and gives
// up.
TEST_F(KeyIndexTest, FindsAllKeysAlthoughSomebodyElseHasWrittenToItsFile) {
  const auto index = open(disk_);
  add(*index, 0, 10);
  ASSERT_TRUE(index->write_step(100));
  {
    const auto other = open(disk_);
    add(*other, 9, 13);
    ASSERT_TRUE(other->write_step(100));
  }
  add(*index, 10, 20);
  ASSERT_TRUE(index->write_step(100));
  for (int key = 0; key < 7; ++key) {
    std::string wanted;
    for (int n = 19; n >= 0; --n) {
      if (n % 7 == key) wanted += fmt::format("{} ", n * 100);
    }
    EXPECT_EQ(found(*index, "TA", fmt::format("k{}", key)), wanted) << "k" << key;
  }
}

TEST_F(KeyIndexTest, WritesTheFileByteForByteAsApache) {
  options_.hash_slots = 1000;
  options_.entries_max = 100;
  const auto index = open(disk_);
  std::vector<IndexKey> keys;
  collect_keys("TA",
               "UNIQ_KEY\x01"
               "7F000001ABCD18B4AAC2000000000001\x02KEYS\x01k1 k2\x02TAGS\x01TagA\x02",
               {0}, 1'700'000'000'123, keys);
  index->add(keys);
  ASSERT_EQ(*index->write_step(100), 4U);
  ASSERT_TRUE(index->sync());
  ASSERT_EQ(files(disk_).size(), 1U);
  const auto content = test::read_text(disk_, files(disk_)[0]);
  ASSERT_EQ(content.size(), 40U + 4 * 1000 + 20 * 100);
  std::string wanted;
  for (const std::int64_t field :
       {std::int64_t{1'700'000'000'123}, std::int64_t{1'700'000'000'123}, std::int64_t{0}, std::int64_t{0}}) {
    append_be(wanted, field);
  }
  append_be(wanted, std::int32_t{4});
  append_be(wanted, std::int32_t{5});
  EXPECT_EQ(content.substr(0, 40), wanted);
  std::int32_t number = 0;
  for (const std::int32_t hash : {1724999889, 79549180, 79549181, 746136148}) {
    ++number;
    EXPECT_EQ(number_at(content, 40 + 4 * (hash % 1000)), number);
    std::string entry;
    append_be(entry, hash);
    append_be(entry, std::int64_t{0});
    append_be(entry, std::int64_t{0});
    EXPECT_EQ(content.substr(static_cast<std::size_t>(4040 + 20 * number), 20), entry);
  }
  EXPECT_EQ(content.substr(4040, 20), std::string(20, '\0')) << "entry 0 is never used";
}

TEST_F(KeyIndexTest, NamesFilesByLocalTime) {
  const auto index = open(disk_);
  add(*index, 0, 1);
  ASSERT_TRUE(index->write_step(1));
  const std::time_t seconds = clock_.wall_ms() / 1000;
  char name[32];
  std::tm local{};
  localtime_r(&seconds, &local);
  ASSERT_EQ(std::strftime(name, sizeof name, "%Y%m%d%H%M%S", &local), 14U);
  EXPECT_EQ(files(disk_)[0], fmt::format("store/index/{}000", name));
}

TEST_F(KeyIndexTest, FindsNewestFirstWhetherWrittenOrNot) {
  const auto index = open(disk_);
  add(*index, 0, 20);
  const std::string wanted = "1700 1000 300 ";
  EXPECT_EQ(found(*index, "TA", "k3"), wanted);
  EXPECT_EQ(index->written_to(), LogPosition{0});
  ASSERT_EQ(*index->write_step(7), 7U);
  EXPECT_EQ(found(*index, "TA", "k3"), wanted);
  EXPECT_EQ(index->written_to(), LogPosition{700});
  ASSERT_EQ(*index->write_step(100), 13U);
  EXPECT_EQ(found(*index, "TA", "k3"), wanted);
  EXPECT_EQ(index->written_to(), LogPosition{INT64_MAX});
  EXPECT_EQ(found(*index, "TA", "k3", 2), "1700 1000 ");
  EXPECT_EQ(found(*index, "TA", "k9"), "");
  EXPECT_EQ(found(*index, "TB", "k3"), "");
  EXPECT_EQ(found(*index, "TA", "k3", 64, 1'004'000, 1'012'000), "1000 ");
  EXPECT_EQ(found(*index, "TA", "k3", 64, 1'010'000, 1'010'000), "1000 ");
  const auto result = index->query("TA", "k3", 1, 0, kAll);
  EXPECT_EQ(result->last_position, LogPosition{1900});
  EXPECT_EQ(result->last_timestamp, 1'019'000);
}

TEST_F(KeyIndexTest, GoesOnInANewFileWhenOneIsFull) {
  const auto index = open(disk_);
  add(*index, 0, 100);  // 39 a file
  ASSERT_EQ(*index->write_step(1000), 100U);
  ASSERT_TRUE(index->sync());
  ASSERT_EQ(files(disk_).size(), 3U);
  EXPECT_EQ(found(*index, "TA", "k1"), "9900 9200 8500 7800 7100 6400 5700 5000 4300 3600 2900 2200 1500 800 100 ");
  EXPECT_EQ(found(*index, "TA", "k1", 64, 1'030'000, 1'050'000), "5000 4300 3600 ");
  const auto second = header_of(disk_, files(disk_)[1]);
  EXPECT_EQ(second.begin_position, 3900);
  EXPECT_EQ(second.next_entry, 40);
  // Reopened, it goes on where it was, and knows what it has.
  const auto again = open(disk_);
  EXPECT_EQ(again->checkpoint_timestamp(), 1'099'000);
  add(*again, 90, 101);
  ASSERT_TRUE(again->write_step(1000));
  EXPECT_EQ(found(*again, "TA", "k2", 3), "10000 9300 8600 ");
  const auto last = header_of(disk_, files(disk_)[2]);
  EXPECT_EQ(last.next_entry, 1 + 22 + 2) << "99, which it may have had in part, and 100";
  ASSERT_TRUE(again->forget_before({3900}));
  EXPECT_EQ(files(disk_).size(), 2U);
  ASSERT_TRUE(again->forget_before({1'000'000}));
  EXPECT_EQ(files(disk_).size(), 1U);
}

TEST_F(KeyIndexTest, LivesWithCollisions) {
  options_.hash_slots = 1;
  const auto index = open(disk_);
  add(*index, 0, 30);
  ASSERT_TRUE(index->write_step(1000));
  EXPECT_EQ(found(*index, "TA", "k3"), "2400 1700 1000 300 ");
  // Different texts, one hash: the caller reads the records and sees.
  ASSERT_EQ(key_hash("TA", "Aa"), key_hash("TA", "BB"));
  const IndexKey key{key_hash("TA", "Aa"), {7777}, 1'050'000};
  index->add({&key, 1});
  EXPECT_EQ(found(*index, "TA", "BB"), "7777 ");
}

TEST_F(KeyIndexTest, DamagedChainsEnd) {
  for (const std::int32_t link : {29, 25, 1'000'000, -5, INT32_MAX, INT32_MIN}) {
    options_.hash_slots = 1;
    test::SimulatedDisk disk;
    {
      const auto index = open(disk);
      add(*index, 0, 28);
      ASSERT_TRUE(index->write_step(1000));
    }
    const IndexShape shape{options_.hash_slots, options_.entries_max};
    std::string bytes;
    append_be(bytes, link);
    const auto file = disk.open(files(disk)[0], file::OpenMode::kReadWrite);
    ASSERT_TRUE((*file)->write(shape.entry_at(25) + 16, test::bytes_of(bytes)));
    const auto index = open(disk);
    EXPECT_EQ(found(*index, "TA", "k5"), "2600 ") << link;
    ASSERT_TRUE((*file)->write(shape.slot_at(0), test::bytes_of(bytes)));
    static_cast<void>(found(*index, "TA", "k5"));
  }
}

// Apache's broker counts a file's first entry from the end of the file before, which after a gap is long ago.
TEST_F(KeyIndexTest, FindsTheFirstKeyOfAFileThatApacheMade) {
  {
    const auto index = open(disk_);
    add(*index, 1, 3);
    ASSERT_EQ(*index->write_step(100), 2U);
    ASSERT_TRUE(index->sync());
  }
  const auto file = disk_.open(files(disk_)[0], file::OpenMode::kReadWrite);
  ASSERT_TRUE(file);
  std::array<std::byte, 4> an_hour{};
  store_be(an_hour.data(), std::int32_t{3600});
  ASSERT_TRUE((*file)->write(IndexShape{11, 40}.entry_at(1) + 12, an_hour));
  const auto index = open(disk_);
  EXPECT_EQ(found(*index, "TA", "k1", 64, 1'001'000, 1'001'000), "100 ");
  EXPECT_EQ(found(*index, "TA", "k1", 64, 1'002'000, kAll), "");
  ASSERT_TRUE(index->truncate_to({200}));
  EXPECT_EQ(index->query("TA", "k1", 64, 0, kAll)->last_timestamp, 1'001'000 + 999);
}

TEST_F(KeyIndexTest, RefusesOtherSizesAndIgnoresOtherNames) {
  {
    const auto index = open(disk_);
    add(*index, 0, 10);
    ASSERT_TRUE(index->write_step(1000));
  }
  ASSERT_TRUE(test::write_text(disk_, "store/index/note", "x"));
  ASSERT_TRUE(test::write_text(disk_, "store/index/20990101000000000", ""));
  EXPECT_EQ(found(*open(disk_), "TA", "k3"), "300 ");
  EXPECT_FALSE(*disk_.exists("store/index/20990101000000000"));
  options_.entries_max = 41;
  std::string problem;
  const auto index = KeyIndex::open(disk_, clock_, options_, true, 0, problem);
  ASSERT_FALSE(index);
  EXPECT_EQ(index.error().code, Errc::kWrongSegmentSize);
  EXPECT_NE(problem.find("884"), std::string::npos) << problem;
  EXPECT_NE(problem.find("904"), std::string::npos) << problem;
}

TEST_F(KeyIndexTest, ADamagedHeaderIsPassedOver) {
  {
    const auto index = open(disk_);
    add(*index, 0, 10);
    ASSERT_TRUE(index->write_step(1000));
  }
  std::string bytes;
  append_be(bytes, std::int32_t{41});
  ASSERT_TRUE((*disk_.open(files(disk_)[0], file::OpenMode::kReadWrite))->write(36, test::bytes_of(bytes)));
  clock_.advance_ms(1000);
  const auto index = open(disk_);
  EXPECT_EQ(found(*index, "TA", "k3"), "");
  add(*index, 10, 20);
  ASSERT_TRUE(index->write_step(1000));
  EXPECT_EQ(found(*index, "TA", "k3"), "1700 1000 ");
}

TEST_F(KeyIndexTest, AfterADirtyExitFilesPastTheCheckpointGo) {
  {
    const auto index = open(disk_);
    add(*index, 0, 50);
    ASSERT_TRUE(index->write_step(1000));
  }
  EXPECT_EQ(files(disk_).size(), 2U);
  const auto index = open(disk_, false, 1'038'000);
  EXPECT_EQ(files(disk_).size(), 1U);
  EXPECT_EQ(found(*index, "TA", "k3"), "3800 3100 2400 1700 1000 300 ");
  add(*index, 0, 50);  // the log is read again
  ASSERT_TRUE(index->write_step(1000));
  EXPECT_EQ(found(*index, "TA", "k3"), "4500 3800 3100 2400 1700 1000 300 ");
}

TEST_F(KeyIndexTest, FullDiskLosesNothing) {
  test::SimulatedDisk disk({.capacity_bytes = 600});
  const auto index = open(disk);
  add(*index, 0, 30);
  EXPECT_FALSE(index->write_step(1000));
  EXPECT_EQ(found(*index, "TA", "k3"), "2400 1700 1000 300 ");
  disk.set_capacity(1 << 20);
  ASSERT_EQ(*index->write_step(1000), 30U);
  EXPECT_EQ(found(*index, "TA", "k3"), "2400 1700 1000 300 ");
}

TEST_F(KeyIndexTest, AFailedSyncIsNeverForgiven) {
  const auto index = open(disk_);
  add(*index, 0, 30);
  ASSERT_TRUE(index->write_step(1000));
  disk_.fail_at(disk_.changes() + 1, EIO);
  EXPECT_FALSE(index->sync());
  EXPECT_FALSE(index->sync());
}

TEST_F(KeyIndexTest, SaysWhenTooManyKeysWait) {
  options_.pending_max = 30;
  const auto index = open(disk_);
  add(*index, 0, 29);
  EXPECT_FALSE(index->is_pending_full());
  add(*index, 29, 30);
  EXPECT_TRUE(index->is_pending_full());
  ASSERT_TRUE(index->write_step(10));
  EXPECT_FALSE(index->is_pending_full());
}

TEST_F(KeyIndexTest, DoesNothingWhenDisabled) {
  options_.is_enabled = false;
  const auto index = open(disk_);
  add(*index, 0, 30);
  EXPECT_EQ(*index->write_step(10), 0U);
  EXPECT_EQ(found(*index, "TA", "k3"), "");
  EXPECT_EQ(index->written_to(), LogPosition{INT64_MAX});
  EXPECT_EQ(disk_.changes(), 0);
}

// Records of several files, and of several keys each, down to none.
TEST_F(KeyIndexTest, ForgetsWhatPointsPastTheLogsEnd) {
  for (const std::int64_t kept : {100, 77, 40, 39, 38, 1, 0}) {
    SCOPED_TRACE(kept);
    test::SimulatedDisk disk;
    ASSERT_TRUE(disk.make_directories("store"));
    ASSERT_TRUE(disk.sync_directory("/"));
    {
      const auto index = open(disk);
      add(*index, 0, 100);
      ASSERT_TRUE(index->write_step(1000));
      ASSERT_TRUE(index->sync());
    }
    const auto index = open(disk);
    ASSERT_TRUE(index->truncate_to({kept * 100}));
    // Other records stand where the lost ones were, closer together.
    for (std::int64_t n = 0; n < 30; ++n) {
      const IndexKey key{key_hash("TA", "new"), {kept * 100 + n}, 1'000'000 + kept * 1000 + n};
      index->add({&key, 1});
    }
    ASSERT_TRUE(index->write_step(1000));
    const auto looks = [&](KeyIndex& at) {
      for (std::int64_t key = 0; key < 7; ++key) {
        std::string wanted;
        for (std::int64_t n = kept - 1; n >= 0; --n) {
          if (n % 7 == key) wanted += fmt::format("{} ", n * 100);
        }
        EXPECT_EQ(found(at, "TA", fmt::format("k{}", key)), wanted);
      }
      std::string wanted;
      for (std::int64_t n = 29; n >= 0; --n) wanted += fmt::format("{} ", kept * 100 + n);
      EXPECT_EQ(found(at, "TA", "new"), wanted);
    };
    looks(*index);
    ASSERT_TRUE(index->sync());
    test::Rng rng(1);
    const auto after = disk.crash(rng, test::Survival::kNothing);
    looks(*open(*after));
  }
}

// What is cut off may be damaged itself: then it does not say which chains led to it.
TEST_F(KeyIndexTest, ForgetsDamagedEntriesPastTheLogsEnd) {
  constexpr std::int32_t kFlipped = INT32_MIN;
  struct Damage {
    std::int64_t at;  // in the entry
    std::int32_t value;
  };
  for (const std::int64_t slots : {1, 5, 500}) {
    options_.hash_slots = slots;
    for (const auto& [at, value] : {Damage{0, kFlipped}, Damage{0, -1}, Damage{4, kFlipped}, Damage{16, kFlipped},
                                    Damage{16, 36}, Damage{16, INT32_MAX}}) {
      for (const std::int64_t damaged : {20, 21, 29}) {
        SCOPED_TRACE(fmt::format("{} slots, byte {} of record {}'s entry: {}", slots, at, damaged, value));
        test::SimulatedDisk disk;
        ASSERT_TRUE(disk.make_directories("store"));
        {
          const auto index = open(disk);
          add(*index, 0, 30);
          ASSERT_TRUE(index->write_step(1000));
        }
        std::string bytes;
        append_be(bytes, value);
        const auto position = IndexShape{slots, options_.entries_max}.entry_at(damaged + 1) + at;
        ASSERT_TRUE((*disk.open(files(disk)[0], file::OpenMode::kReadWrite))->write(position, test::bytes_of(bytes)));
        const auto index = open(disk);
        ASSERT_TRUE(index->truncate_to({20 * 100}));
        const auto expect_all = [&](std::int64_t end) {
          for (std::int64_t key = 0; key < 7; ++key) {
            std::string wanted;
            for (std::int64_t n = end - 1; n >= 0; --n) {
              if (n % 7 == key) wanted += fmt::format("{} ", n * 100);
            }
            EXPECT_EQ(found(*index, "TA", fmt::format("k{}", key)), wanted) << end;
          }
        };
        expect_all(20);
        EXPECT_EQ(index->query("TA", "k5", 64, 1'019'500, kAll)->last_timestamp, 1'019'000 + 999);
        add(*index, 20, 30);
        ASSERT_TRUE(index->write_step(1000));
        expect_all(30);
      }
    }
  }
}

// Power cuts take any part of what was not synced. What was, is found afterwards; and once the log above has been read
// again, so is the rest.
TEST_F(KeyIndexTest, FindsEverythingAfterAPowerCut) {
  options_.hash_slots = 500;  // several sectors
  options_.entries_max = 200;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    test::SimulatedDisk disk;
    ASSERT_TRUE(disk.make_directories("store"));
    ASSERT_TRUE(disk.sync_directory("/"));
    const auto index = open(disk);
    const auto synced = static_cast<std::int64_t>(seed * 3 % 120);
    add(*index, 0, synced);
    ASSERT_TRUE(index->write_step(1000));
    ASSERT_TRUE(index->sync());
    add(*index, synced, 150);
    ASSERT_TRUE(index->write_step(1000));
    test::Rng rng(seed);
    const auto after = disk.crash(rng);
    const auto again = open(*after, true, 0, {synced * 100});
    add(*again, synced, 150);
    ASSERT_TRUE(again->write_step(1000));
    for (std::int64_t key = 0; key < 7; ++key) {
      std::string wanted;
      for (std::int64_t n = 149; n >= 0; --n) {
        if (n % 7 == key) wanted += fmt::format("{} ", n * 100);
      }
      ASSERT_EQ(found(*again, "TA", fmt::format("k{}", key)), wanted) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace tern::store
