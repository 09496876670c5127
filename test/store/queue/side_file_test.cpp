#include "tern/store/side_file.hpp"

#include <cerrno>

#include "tern/base/byte_order.hpp"
#include "tern/base/crc32.hpp"

#include "queue_support.hpp"
#include "support/crash_everywhere.hpp"

namespace tern::store {
namespace {

const std::string kPath = "store/tern/state";

SideState sample(std::int64_t scale = 1) {
  SideState state;
  state.durable = {3000 * scale};
  state.dispatched = {2000 * scale};
  state.indexed = {1000 * scale};
  state.last_store_timestamp = 1'700'000'000'123;
  state.is_clean = true;
  state.digest = 0xDEADBEEF;
  state.queues.push_back({"TA", 3, {{5}, {17}}, 17, {{500}, {1600}}});
  state.queues.push_back({"%RETRY%group", 0, {{0}, {0}}, 44, {}});
  return state;
}

std::string text_of(const SideState& state) {
  std::string text = fmt::format("{} {} {} {} {} {}", state.durable, state.dispatched, state.indexed,
                                 state.last_store_timestamp, state.is_clean, state.digest);
  if (state.only_durable) text += " only durable";
  for (const auto& queue : state.queues) {
    text += fmt::format(" {}#{} {}-{} {} {}-{}", queue.topic, queue.id, queue.bounds.min, queue.bounds.max,
                        queue.next_offset, queue.positions.first, queue.positions.end);
    if (queue.entries) text += fmt::format(" entries {}-{}", queue.entries->begin, queue.entries->end);
  }
  return text;
}

std::string loaded(file::Disk& disk) {
  std::string why;
  const auto state = SideFile(disk, "store/tern").load(why);
  return state ? text_of(*state) : "none: " + why;
}

TEST(SideFile, KnowsTheEntriesOfBatchQueues) {
  test::SimulatedDisk disk;
  SideFile file(disk, "store/tern");
  auto state = sample();
  state.queues.push_back({"TB", 0, {{5}, {17}}, 17, {}, EntryRange{2, 6}});
  state.queues.push_back({"TB", 1, {{9}, {9}}, 9, {}, EntryRange{4, 4}});
  ASSERT_TRUE(file.save(state));
  EXPECT_EQ(loaded(disk), text_of(state));
  // Twelve offsets can be neither none nor thirteen entries, and nothing ends before it begins.
  for (const auto& wrong : {EntryRange{2, 2}, EntryRange{2, 15}, EntryRange{2, 1}, EntryRange{-3, 1}}) {
    state.queues[2].entries = wrong;
    ASSERT_TRUE(file.save(state));
    EXPECT_EQ(loaded(disk), "none: contradicts itself") << wrong.begin << "-" << wrong.end;
  }
}

TEST(SideFile, GivesBackWhatWasSaved) {
  test::SimulatedDisk disk;
  SideFile file(disk, "store/tern");
  EXPECT_EQ(loaded(disk), "none: ");
  ASSERT_TRUE(file.save(sample()));
  EXPECT_EQ(loaded(disk), text_of(sample()));
  auto other = sample(7);
  other.is_clean = false;
  other.only_durable = true;
  other.queues.pop_back();
  ASSERT_TRUE(file.save(other));
  EXPECT_EQ(loaded(disk), text_of(other));
  ASSERT_TRUE(file.remove());
  ASSERT_TRUE(file.remove());
  EXPECT_EQ(loaded(disk), "none: ");
}

TEST(SideFile, RefusesEveryCutAndEveryFlippedBit) {
  test::SimulatedDisk disk;
  ASSERT_TRUE(SideFile(disk, "store/tern").save(sample()));
  const auto whole = test::read_text(disk, kPath);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_TRUE(test::write_text(disk, kPath, whole.substr(0, size)));
    ASSERT_EQ(loaded(disk).substr(0, 6), "none: ") << size;
    ASSERT_GT(loaded(disk).size(), 6U) << size;
  }
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_TRUE(test::write_text(disk, kPath, flipped));
    ASSERT_EQ(loaded(disk).substr(0, 6), "none: ") << bit;
  }
  ASSERT_TRUE(test::write_text(disk, kPath, whole + '\0'));
  EXPECT_EQ(loaded(disk).substr(0, 6), "none: ");
}

// With a checksum that fits, as only an attacker or a mistake of ours makes them.
TEST(SideFile, RefusesContradictions) {
  test::SimulatedDisk disk;
  ASSERT_TRUE(SideFile(disk, "store/tern").save(sample()));
  const auto whole = test::read_text(disk, kPath);
  const auto with = [&](std::size_t at, auto value) {
    auto bytes = whole.substr(0, whole.size() - 4);
    store_be(bytes.data() + at, value);
    append_be(bytes, crc32(test::bytes_of(bytes)));
    static_cast<void>(test::write_text(disk, kPath, bytes));
    return loaded(disk).substr(0, 6) == "none: ";
  };
  EXPECT_FALSE(with(0, whole[0]));
  EXPECT_TRUE(with(8, std::int32_t{2})) << "version";
  EXPECT_TRUE(with(16, std::int64_t{1999})) << "durable below dispatched";
  EXPECT_TRUE(with(32, std::int64_t{-1})) << "indexed";
  EXPECT_TRUE(with(52, std::int32_t{3})) << "number of queues";
  EXPECT_TRUE(with(52, std::int32_t{1})) << "number of queues";
  EXPECT_TRUE(with(52, std::int32_t{INT32_MAX})) << "number of queues";
  EXPECT_TRUE(with(56, std::int16_t{-1})) << "size of a topic";
  EXPECT_TRUE(with(56, std::int16_t{0x7FFF})) << "size of a topic";
  EXPECT_TRUE(with(60, std::int32_t{-1})) << "queue id";
  EXPECT_TRUE(with(64, std::int64_t{18})) << "min above max";
}

TEST(SideFile, AnOldStateOrTheNewOneAfterEveryCrash) {
  const auto scenario = [](test::SimulatedDisk& disk) {
    if (!test::make_store_directory(disk)) return 0;
    SideFile file(disk, "store/tern");
    int saved = 0;
    for (const std::int64_t scale : {1, 2, 3}) {
      if (!file.save(sample(scale))) break;
      ++saved;
    }
    return saved;
  };
  test::crash_at_every_operation(scenario, [](auto& disk, const auto&, int saved) {
    const auto now = loaded(disk);
    const auto is = [&](int n) { return n == 0 ? now == "none: " : now == text_of(sample(n)); };
    ASSERT_TRUE(is(saved) || is(saved + 1)) << saved << ": " << now;
    ASSERT_TRUE(SideFile(disk, "store/tern").save(sample(9)));
    ASSERT_EQ(loaded(disk), text_of(sample(9)));
  });
}

TEST(SideFile, HoldsManyQueues) {
  test::SimulatedDisk disk;
  auto state = sample();
  for (int i = 0; i < 10'000; ++i) state.queues.push_back({fmt::format("topic-{}", i), i, {{i}, {2 * i}}, 2 * i, {}});
  ASSERT_TRUE(SideFile(disk, "store/tern").save(state));
  EXPECT_EQ(loaded(disk), text_of(state));
}

}  // namespace
}  // namespace tern::store
