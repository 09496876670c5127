#include "store/log_segment.hpp"

#include "store/log/log_fixture.hpp"
#include "support/simulated_disk.hpp"

namespace tern::store {
namespace {

TEST(SegmentName, IsTwentyDigitsAndNothingElse) {
  EXPECT_EQ(segment_name({1 << 30}), "00000000001073741824");
  EXPECT_EQ(parse_segment_name("00000000001073741824"), LogPosition{1 << 30});
  for (const auto* name : {"", "0", "0000000000000000000x", "-0000000000000000001", "000000000000000000000",
                           "99999999999999999999", "0000000000000000000 "}) {
    EXPECT_FALSE(parse_segment_name(name)) << name;
  }
}

class SegmentListTest : public ::testing::Test {
 protected:
  test::SimulatedDisk disk_;
  std::string problem_;

  void put(const std::string& name, std::size_t size) {
    ASSERT_TRUE(disk_.make_directories("/log"));
    ASSERT_TRUE(test::write_text(disk_, "/log/" + name, std::string(size, '\0')));
  }
  std::error_code load(SegmentList& list) {
    const auto loaded = list.load(problem_);
    return loaded ? std::error_code() : loaded.error().code;
  }
  std::error_code load() {
    SegmentList list(disk_, "/log", 4096);
    return load(list);
  }
};

TEST_F(SegmentListTest, FindsSegmentsFromAnyFirstPosition) {
  put("00000000000000008192", 4096);
  put("00000000000000012288", 4096);
  ASSERT_TRUE(disk_.make_directories("/log/a-directory"));
  SegmentList list(disk_, "/log", 4096);
  ASSERT_FALSE(load(list));
  EXPECT_EQ(list.min_position(), LogPosition{8192});
  EXPECT_EQ(list.end(), LogPosition{16384});
  EXPECT_EQ(list.find({8191}), nullptr);
  EXPECT_EQ(list.find({8192})->start(), LogPosition{8192});
  EXPECT_EQ(list.find({12287})->start(), LogPosition{8192});
  EXPECT_EQ(list.find({12288})->start(), LogPosition{12288});
  EXPECT_EQ(list.find({16384}), nullptr);
  EXPECT_EQ(list.start_of({16384}), LogPosition{16384});
}

TEST_F(SegmentListTest, RefusesForeignFilesByName) {
  put("00000000000000000000", 4096);
  put("notes.bak", 3);
  EXPECT_EQ(load(), make_error_code(Errc::kForeign));
  EXPECT_NE(problem_.find("/log/notes.bak"), std::string::npos) << problem_;
  EXPECT_TRUE(*disk_.exists("/log/notes.bak"));
}

TEST_F(SegmentListTest, RefusesAnEmptyForeignFileToo) {
  put("00000000000000000000", 4096);
  put("z", 0);
  EXPECT_EQ(load(), make_error_code(Errc::kForeign));
  EXPECT_TRUE(*disk_.exists("/log/z"));
}

TEST_F(SegmentListTest, RefusesAnotherSegmentSizeByName) {
  put("00000000000000000000", 8192);
  EXPECT_EQ(load(), make_error_code(Errc::kWrongSegmentSize));
  EXPECT_NE(problem_.find("/log/00000000000000000000"), std::string::npos) << problem_;
  EXPECT_NE(problem_.find("8192"), std::string::npos) << problem_;
}

TEST_F(SegmentListTest, RefusesAShortFileThatIsNotTheLast) {
  put("00000000000000000000", 100);
  put("00000000000000004096", 4096);
  EXPECT_EQ(load(), make_error_code(Errc::kWrongSegmentSize));
}

TEST_F(SegmentListTest, RefusesAGapByName) {
  put("00000000000000000000", 4096);
  ASSERT_TRUE(test::write_text(disk_, "/log/00000000000000008192", std::string(4096, 'x')));
  EXPECT_EQ(load(), make_error_code(Errc::kForeign));
  EXPECT_NE(problem_.find("/log/00000000000000004096"), std::string::npos) << problem_;
}

TEST_F(SegmentListTest, RemovesAnEmptyLastFile) {
  put("00000000000000000000", 4096);
  put("00000000000000004096", 0);
  SegmentList list(disk_, "/log", 4096);
  ASSERT_FALSE(load(list));
  EXPECT_EQ(list.end(), LogPosition{4096});
  EXPECT_FALSE(*disk_.exists("/log/00000000000000004096"));
}

TEST_F(SegmentListTest, AddsSegmentsThatSurviveAPowerCut) {
  SegmentList list(disk_, "/log", 4096);
  ASSERT_FALSE(load(list));
  ASSERT_TRUE(list.add());
  ASSERT_TRUE(list.add());
  test::Rng rng(1);
  const auto after = disk_.crash(rng, test::Survival::kNothing);
  SegmentList again(*after, "/log", 4096);
  ASSERT_TRUE(again.load(problem_)) << problem_;
  EXPECT_EQ(again.end(), LogPosition{8192});
}

TEST_F(SegmentListTest, AddsAfterAnAttemptThatFailedHalfWay) {
  SegmentList list(disk_, "/log", 4096);
  ASSERT_FALSE(load(list));
  std::int64_t failures = 0;
  do {
    disk_.fail_at(disk_.changes() + ++failures, EIO);
  } while (!list.add());
  EXPECT_GT(failures, 3);
  EXPECT_EQ(list.end(), LogPosition{4096});
  EXPECT_EQ(test::read_text(disk_, "/log/00000000000000000000"), std::string(4096, '\0'));
}

TEST_F(SegmentListTest, KeepsWhatAReaderHoldsOfARemovedSegment) {
  SegmentList list(disk_, "/log", 4096);
  ASSERT_FALSE(load(list));
  ASSERT_TRUE(list.add());
  ASSERT_TRUE(list.add());
  const auto held = list.find({0});
  ASSERT_TRUE(held->file().write(0, test::bytes_of("still here")));
  ASSERT_TRUE(list.remove_first());
  EXPECT_EQ(list.find({0}), nullptr);
  EXPECT_EQ(list.min_position(), LogPosition{4096});
  EXPECT_EQ(test::read_text(held->file(), 0, 10), "still here");
}

}  // namespace
}  // namespace tern::store
