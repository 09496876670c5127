// Whether a store is whole: every kind of damage to every kind of file, one at a time.

#include <algorithm>

#include "tern/base/byte_order.hpp"
#include "tern/message/record_layout.hpp"

#include "store/index_file.hpp"
#include "store/inspect/inspect_fixture.hpp"

namespace tern::store {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr const char* kFirstSegment = "/store/commitlog/00000000000000000000";
constexpr const char* kSecondSegment = "/store/commitlog/00000000000000004096";

class Verify : public Inspected {
 protected:
  /// Damages a copy of the store and expects that some finding names the file.
  void expect_named(const std::string& file, const std::function<void(file::Disk&)>& damage,
                    const std::string& text = "") {
    const auto disk = disk_.kill();
    damage(*disk);
    const auto found = damages_of(verify(*disk));
    EXPECT_THAT(found, Contains(AllOf(StartsWith(file + "["), HasSubstr(text)))) << file;
  }
  std::vector<std::string> files_below(const std::string& directory) {
    std::vector<std::string> names;
    for (const auto& [path, content] : files_in(disk_, directory)) names.push_back(path);
    return names;
  }
};

TEST_F(Verify, FindsAStoppedStoreWhole) {
  make_stopped();
  const auto report = verify(disk_);
  EXPECT_THAT(damages_of(report), IsEmpty());
  EXPECT_THAT(notes_of(report), IsEmpty());
  EXPECT_EQ(report.records, kSent);
  EXPECT_EQ(report.queue_entries, kSent);
  EXPECT_EQ(report.index_keys, 2 * kSent);
  EXPECT_TRUE(report.is_whole());
}

TEST_F(Verify, FindsAStoreWholeWhoseTopicWasDeleted) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, kSent);
    life.dispatch();
    ASSERT_TRUE(life->remove_topic("TA"));
    ASSERT_TRUE(life.close());
  }
  const auto report = verify(disk_);
  EXPECT_THAT(damages_of(report), IsEmpty());
  EXPECT_THAT(notes_of(report), Contains(HasSubstr("the topic was deleted")));
}

TEST_F(Verify, FindsAStoreWholeWhoseTopicWasDeletedAndMadeAgain) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    for (const int again : {kSent, kSent / 2, kSent / 3}) {
      send_some(life, 0, again);
      life.dispatch();
      if (again > kSent / 3) {
        ASSERT_TRUE(life->remove_topic("TA"));
      }
    }
    ASSERT_TRUE(life.close());
  }
  const auto report = verify(disk_);
  EXPECT_THAT(damages_of(report), IsEmpty());
  EXPECT_THAT(notes_of(report), Contains(HasSubstr("the topic was deleted and made again")));
  EXPECT_EQ(report.records, kSent + kSent / 2 + kSent / 3);

  // What is wrong with the queue is found as ever.
  const std::string queue = "/store/consumequeue/TA/1/00000000000000000000";
  for (const std::int64_t at : {7, 27}) {
    write_byte(disk_, queue, at, 1);
    EXPECT_FALSE(verify(disk_).is_whole()) << at;
    write_byte(disk_, queue, at, 1);
  }
  EXPECT_TRUE(verify(disk_).is_whole());
}

TEST_F(Verify, FindsAKilledStoreWholeUpToWhatWasSaved) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, kSent);
    life.save();
    send_some(life, kSent, kSent + 20);
    life.dispatch();
  }
  const auto disk = disk_.kill();
  const auto report = verify(*disk);
  EXPECT_THAT(damages_of(report), IsEmpty());
  EXPECT_EQ(report.records, kSent + 20);  // the log is there, its queue entries need not be
}

TEST_F(Verify, FindsAStoreWholeAfterEveryPowerCut) {
  test::Rng rng(7);
  StoreLife life(disk_, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  for (int i = 0; i < 40; ++i) {
    send_some(life, 10 * i, 10 * i + 10);
    if (i % 3 == 0) life.save();
    if (i % 3 == 1) {
      life.dispatch();
      life.upkeep();
    }
    const auto disk = disk_.crash(rng);
    EXPECT_THAT(damages_of(verify(*disk)), IsEmpty()) << i;
  }
}

TEST_F(Verify, LooksAtARunningStoreUpToWhatWasDispatched) {
  StoreLife life(disk_, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  send_some(life, 0, kSent);
  life.save();
  send_some(life, kSent, kSent + 20);
  disk_.lock_elsewhere("/store/lock", true);
  const auto report = verify(disk_);
  EXPECT_THAT(damages_of(report), IsEmpty());
  EXPECT_THAT(notes_of(report), ElementsAre(HasSubstr("is in use: verified up to")));
  EXPECT_EQ(report.records, kSent);
  // What is torn behind is the business of the process that writes it.
  write_byte(disk_, kSecondSegment, report.to.value - 4096 + 4, 0xFF);
  EXPECT_THAT(damages_of(verify(disk_)), IsEmpty());
  const auto last = (*Inspector::open(disk_, inspected()))->at(report.to - 1);
  ASSERT_TRUE(last);
  write_byte(disk_, kSecondSegment, last->at + 4, 0xFF);
  EXPECT_THAT(damages_of(verify(disk_)), Contains(StartsWith(kSecondSegment)));
}

TEST_F(Verify, ChangesNothing) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, kSent);
    life.save();
    send_some(life, kSent, kSent + 20);
    life.dispatch();
  }
  const auto disk = disk_.kill();
  // Everything that a start would change: files that were being made, and sizes that a crash has left.
  for (const auto* path : {"/store/commitlog/00000000000000008192", "/store/consumequeue/TA/0/00000000000000000600",
                           "/store/index/20240101000000000"}) {
    ASSERT_TRUE(test::write_text(*disk, path, ""));
  }
  const auto before = files_in(*disk, "/");
  const auto changes = disk->changes();
  auto inspector = Inspector::open(*disk, inspected());
  ASSERT_TRUE(inspector) << inspector.error().text;
  ASSERT_TRUE((*inspector)->verify({}));
  ASSERT_TRUE((*inspector)->overview());
  ASSERT_TRUE((*inspector)->at({0}));
  ASSERT_TRUE((*inspector)->entries("TA", 0, {0}, 10, [](const HeldEntry&) { return true; }));
  EXPECT_EQ(disk->changes(), changes);
  EXPECT_EQ(files_in(*disk, "/"), before);
}

// Each byte of the log that says something about itself, its queue or its keys. What a record says beside that (flag,
// times and hosts of the producer) is covered by the state file's digest alone, so only at the log's end.
TEST_F(Verify, NamesEveryFlippedByteOfTheLog) {
  make_stopped();
  const auto whole = verify(disk_);
  ASSERT_GT(whole.to.value, kSegmentSize + 1000);
  std::vector<std::pair<LogPosition, message::RecordView>> records;
  std::vector<std::string> bytes;
  bytes.reserve(kSent);
  auto inspector = Inspector::open(disk_, inspected());
  LogPosition blank{-1};
  for (LogPosition at{0}; at < whole.to;) {
    const auto held = (*inspector)->at(at);
    ASSERT_TRUE(held);
    if (held->kind == Held::Kind::kBlank) {
      blank = at;
      at += held->size;
      continue;
    }
    ASSERT_EQ(held->kind, Held::Kind::kRecord);
    bytes.push_back(held->bytes);
    records.emplace_back(at, *message::parse_record(test::bytes_of(bytes.back()), message::BodyCheck::kSkip));
    at += held->size;
  }
  const LogPosition digested = std::max(whole.to - 4096, LogPosition{whole.to.value / kSegmentSize * kSegmentSize});
  const auto expect = [&](LogPosition position) {
    const auto* const file = position.value < kSegmentSize ? kFirstSegment : kSecondSegment;
    const auto at = position.value % kSegmentSize;
    const auto disk = disk_.kill();
    write_byte(*disk, file, at, 0x10);
    const auto report = verify(*disk);
    EXPECT_FALSE(report.is_whole()) << position.value;
    // Where the log contradicts itself, the byte is among those that are named.
    const auto* const first = report.first_damage();
    if (first == nullptr || first->file != file || first->size == 0) return false;
    return at >= first->at && at < first->at + first->size;
  };
  std::int64_t exact = 0;
  std::int64_t tried = 0;
  for (std::size_t n = 0; n < records.size(); n += n + 2 < records.size() ? 3 : 1) {
    const auto& [position, record] = records[n];
    for (std::int64_t i = 0; i < record.total_size; ++i) {
      const bool is_producers =
          (i >= message::offset_of::kFlag && i < message::offset_of::kFlag + 4) ||
          (i >= message::offset_of::kSysFlag && i < message::offset_of::kSysFlag + 3) ||
          (i >= message::offset_of::kBornTimestamp && i < message::offset_of::body_length(false, false));
      if (position + i < digested && is_producers) continue;
      ++tried;
      if (expect(position + i)) ++exact;
    }
  }
  for (int i = 0; i < message::kBlankSizeMin; ++i) EXPECT_TRUE(expect(blank + i)) << i;
  EXPECT_GT(tried, 1500);
  EXPECT_GT(exact, tried / 3);
}

TEST_F(Verify, SaysWhatIsWrongWithARecord) {
  make_stopped();
  const struct {
    std::int64_t at;
    std::uint8_t bits;
    const char* text;
  } kRows[] = {
      {0, 0x80, "too few for a record"},
      {1, 0x10, "does not fit"},
      {3, 0x01, "do not add up"},
      {4, 0x01, "is not how a record begins"},
      {8, 0x01, "is not the one that its CRC is of"},
      {23, 0x01, "the record says that it is message"},
      {35, 0x01, "the record says that it stands at"},
      {84, 0x40, "its body has"},
      {88, 0x01, "is not the one that its CRC is of"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.text);
    expect_named(kFirstSegment, [&](file::Disk& disk) { write_byte(disk, kFirstSegment, row.at, row.bits); }, row.text);
  }
}

TEST_F(Verify, NamesEveryFlippedByteOfQueueFiles) {
  make_stopped();
  for (const auto& path : files_below("/store/consumequeue")) {
    const auto content = test::read_text(disk_, path);
    for (std::int64_t at = 0; at < static_cast<std::int64_t>(content.size()); ++at) {
      const auto* const entry = reinterpret_cast<const std::byte*>(content.data()) + at / 20 * 20;
      const bool is_used = load_be<std::int32_t>(entry + 8) > 0;
      // Behind the end only what makes the next entry a valid one matters.
      if (!is_used) continue;
      expect_named(path, [&](file::Disk& disk) { write_byte(disk, path, at, 0x10); });
      if (HasFailure()) return;
    }
  }
}

TEST_F(Verify, NamesEveryFlippedByteOfIndexFiles) {
  make_stopped(150);
  const auto paths = files_below("/store/index");
  ASSERT_EQ(paths.size(), 2U);
  for (const auto& path : paths) {
    const auto content = test::read_text(disk_, path);
    const auto next = load_be<std::int32_t>(reinterpret_cast<const std::byte*>(content.data()) + 36);
    const IndexShape shape{64, 256};
    for (std::int64_t at = 0; at < shape.entry_at(next); ++at) {
      const bool is_low_time = at == 6 || at == 7 || at == 14 || at == 15;  // entries keep whole seconds
      const bool is_unused = at >= shape.entry_at(0) && at < shape.entry_at(1);
      // Of the oldest file's first entry nobody knows what it counts from.
      const bool is_first_seconds =
          path == paths.front() && at >= shape.entry_at(1) + 12 && at < shape.entry_at(1) + 16;
      if (is_low_time || is_unused || is_first_seconds) continue;
      const auto number = (at - shape.entry_at(0)) / IndexShape::kEntrySize;
      if (number > 2 && number + 2 < next && number % 16 != 0) continue;  // all alike
      expect_named(path, [&](file::Disk& disk) { write_byte(disk, path, at, 0x08); });
      if (HasFailure()) {
        ADD_FAILURE() << path << " byte " << at;
        return;
      }
    }
  }
}

// Apache's broker counts a file's first entry from the end of the file before, ours from itself.
TEST_F(Verify, FindsAnIndexFileWholeThatApacheMade) {
  constexpr int kPerFile = 127;  // of two keys each, with the one in front: 255 entries
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    ASSERT_TRUE(life.send({"one key", "TA", 0, "alone"}));
    send_some(life, 0, kPerFile);
    clock_.advance_ms(70'500);
    send_some(life, kPerFile, kPerFile + 10);
    life.dispatch();
    ASSERT_TRUE(life.close());
  }
  const auto paths = files_below("/store/index");
  ASSERT_EQ(paths.size(), 2U);
  const IndexShape shape{64, 256};
  const auto write_seconds = [&](file::Disk& disk, const std::string& path, std::int32_t seconds) {
    std::array<std::byte, 4> bytes{};
    store_be(bytes.data(), seconds);
    const auto file = disk.open(path, file::OpenMode::kReadWrite);
    ASSERT_TRUE(file && (*file)->write(shape.entry_at(1) + 12, bytes));
  };
  for (const std::int32_t seconds : {0, 70}) {
    const auto disk = disk_.kill();
    write_seconds(*disk, paths.back(), seconds);
    const auto report = verify(*disk);
    EXPECT_THAT(damages_of(report), IsEmpty()) << seconds;
    EXPECT_EQ(report.index_keys, 1 + 2 * (kPerFile + 10));
  }
  for (const std::int32_t seconds : {-1, 1, 69, 71}) {
    expect_named(paths.back(), [&](file::Disk& disk) { write_seconds(disk, paths.back(), seconds); }, "entry 1 says");
  }
  // Of the oldest file nobody knows what it counts from: the one before it may have expired.
  const auto disk = disk_.kill();
  write_seconds(*disk, paths.front(), 123);
  EXPECT_THAT(damages_of(verify(*disk)), IsEmpty());
}

TEST_F(Verify, NamesEveryFlippedByteOfTheSmallFiles) {
  make_stopped();
  for (const auto* path : {"/store/tern/state", "/store/checkpoint"}) {
    for (std::int64_t at = 0; at < size_of(disk_, path); at += at < 300 ? 1 : 61) {
      expect_named(path, [&](file::Disk& disk) { write_byte(disk, path, at, 0x04); });
      if (HasFailure()) return;
    }
  }
}

class VerifyExtension : public Verify {
 protected:
  VerifyExtension() {
    options_.queues.writes_ext = true;
    options_.queues.ext_file_size_bytes = 400;  // 19 units
  }
};

TEST_F(VerifyExtension, FindsAStoreWholeWheneverItEnds) {
  make_stopped(150);
  ASSERT_GT(files_below("/store/consumequeue_ext/TA/1").size(), 1U);
  const auto report = verify(disk_);
  EXPECT_THAT(damages_of(report), IsEmpty());
  EXPECT_THAT(notes_of(report), IsEmpty());
  test::Rng rng(11);
  test::SimulatedDisk disk({.clock = &clock_});
  StoreLife life(disk, clock_, options_);
  ASSERT_TRUE(life) << life.problem.text;
  for (int i = 0; i < 20; ++i) {
    send_some(life, 10 * i, 10 * i + 10);
    if (i % 3 == 0) life.save();
    if (i % 3 == 1) {  // entries that nothing has synced may be there without their units
      life.dispatch();
      life.upkeep();
    }
    for (int cuts = 0; cuts < 5; ++cuts) {
      EXPECT_THAT(damages_of(verify(*disk.crash(rng))), IsEmpty()) << i;
    }
  }
}

TEST_F(VerifyExtension, NamesEveryFlippedByteOfAUnit) {
  make_stopped(150);
  const auto paths = files_below("/store/consumequeue_ext/TA/1");
  for (const auto& path : paths) {
    const auto content = test::read_text(disk_, path);
    for (std::int64_t unit = 0; unit < 19; unit += 9) {
      if (load_be<std::int16_t>(content.data() + unit * 20) != 20) continue;  // behind the last
      for (std::int64_t at = unit * 20; at < unit * 20 + 20; ++at) {
        expect_named(path, [&](file::Disk& disk) { write_byte(disk, path, at, 0x10); });
      }
      if (HasFailure()) return;
    }
  }
}

TEST_F(VerifyExtension, NamesFilesThatAreMissingShortOrMisnamed) {
  make_stopped(150);
  for (const auto& path : files_below("/store/consumequeue_ext")) {
    SCOPED_TRACE(path);
    const auto directory = path.substr(0, path.rfind('/'));
    expect_named(path, [&](file::Disk& disk) { resize(disk, path, 390); }, "has 390 bytes, but others have 400");
    expect_named(
        directory + "/00000000000000000007",
        [&](file::Disk& disk) { ASSERT_TRUE(disk.rename(path, directory + "/00000000000000000007")); },
        "no multiple of 400");
    const auto disk = disk_.kill();
    ASSERT_TRUE(disk->remove(path));
    EXPECT_THAT(damages_of(verify(*disk)), Contains(AllOf(StartsWith(directory + "["), HasSubstr("no file for it"))));
  }
}

// A part of what is found there is not the store's business; nobody is to think it whole because of that.
TEST_F(Verify, SaysWhatItHasNotLookedAt) {
  make_stopped();
  EXPECT_THAT(verify(disk_).unread, IsEmpty());
  ASSERT_TRUE(disk_.make_directories("/store/timerlog") && disk_.make_directories("/store/config"));
  for (const auto* path : {"/store/timerwheel", "/store/config/a.json", "/store/config/timercheck.bak"}) {
    ASSERT_TRUE(test::write_text(disk_, path, "{}"));
  }
  auto options = inspected();
  options.metadata = {{"", false, [](std::string_view) { return std::nullopt; }}};
  const auto report = verify(disk_, options);
  EXPECT_TRUE(report.is_whole());
  EXPECT_THAT(report.unread,
              testing::UnorderedElementsAre("/store/timerlog", "/store/timerwheel", "/store/config/timercheck.bak"));
  options.index_slots = options.index_entries_max = 0;
  EXPECT_THAT(verify(disk_, options).unread, Contains("/store/index"));
}

TEST_F(Verify, NamesFilesThatAreMissingShortLongOrZeroFilled) {
  make_stopped(150);
  ASSERT_THAT(files_below("/store/commitlog"), testing::SizeIs(testing::Ge(4U)));
  auto paths = files_below("/store/commitlog");
  for (const auto* directory : {"/store/consumequeue", "/store/index"}) {
    const auto more = files_below(directory);
    paths.insert(paths.end(), more.begin(), more.end());
  }
  paths.push_back("/store/checkpoint");
  for (const auto& path : paths) {
    SCOPED_TRACE(path);
    const auto size = size_of(disk_, path);
    // The oldest index file, as the oldest segment, may have been removed in order.
    const bool is_oldest = path == paths.front() || path == files_below("/store/index").front();
    const auto missing = [&](file::Disk& disk) { ASSERT_TRUE(disk.remove(path)); };
    if (!is_oldest && path.find("/index/") == std::string::npos) {
      const bool is_last_segment = path == files_below("/store/commitlog").back();
      if (!is_last_segment) {
        expect_named(path, missing, "is missing");
      } else {
        const auto disk = disk_.kill();
        missing(*disk);
        EXPECT_FALSE(verify(*disk).is_whole());
      }
    }
    expect_named(path, [&](file::Disk& disk) { resize(disk, path, size - 40); }, "bytes");
    expect_named(path, [&](file::Disk& disk) { resize(disk, path, size + 40); }, "bytes");
    expect_named(path, [&](file::Disk& disk) {
      resize(disk, path, 0);
      resize(disk, path, size);
    });
  }
}

// Their size is taken from the files, or from the distance of their names: here there is neither.
TEST_F(Verify, IsNotLostWhenAllQueueFilesAreEmpty) {
  make_stopped(10);
  const auto paths = files_below("/store/consumequeue");
  for (const auto& path : paths) resize(disk_, path, 0);
  EXPECT_THAT(damages_of(verify(disk_)), Contains(HasSubstr("is missing, or has no files")));
  const auto disk = disk_.kill();
  remove_tree(*disk, "/store/commitlog");
  ASSERT_TRUE(disk->make_directories("/store/commitlog"));
  EXPECT_THAT(notes_of(verify(*disk)), Contains(StartsWith(paths.front() + " is empty")));
}

TEST_F(Verify, NamesWhatIsMissingAltogether) {
  make_stopped(150);
  const auto index = files_below("/store/index");
  expect_named(
      index.front(), [&](file::Disk& disk) { ASSERT_TRUE(disk.remove(index.back())); }, "there is no entry for a key");
  expect_named("/store/index", [&](file::Disk& disk) { remove_tree(disk, "/store/index"); }, "has no index files");
  expect_named(
      "/store/consumequeue/TA/1", [&](file::Disk& disk) { remove_tree(disk, "/store/consumequeue/TA/1"); },
      "is missing");
  expect_named(
      "/store/commitlog", [&](file::Disk& disk) { remove_tree(disk, "/store/commitlog"); },
      "was known to be on disk up to");
}

TEST_F(Verify, NamesForeignFiles) {
  make_stopped();
  for (const auto* path : {"/store/commitlog/notes.txt", "/store/consumequeue/TA/0/00000000000000000000.swp"}) {
    expect_named(path, [&](file::Disk& disk) { ASSERT_TRUE(test::write_text(disk, path, "?")); });
  }
  const auto disk = disk_.kill();
  ASSERT_TRUE(test::write_text(*disk, "/store/index/notes", "?"));
  const auto report = verify(*disk);
  EXPECT_TRUE(report.is_whole());
  EXPECT_THAT(notes_of(report), ElementsAre(StartsWith("/store/index/notes")));
}

TEST_F(Verify, TellsATornTailFromDamage) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, 20);
    life.save();
    send_some(life, 20, 25);
  }
  const auto disk = disk_.kill();
  const auto end = verify(*disk).to;
  const auto last = (*Inspector::open(*disk, inspected()))->at(end - 1);
  ASSERT_TRUE(last);
  write_byte(*disk, kFirstSegment, last->at + 4, 0xFF);
  const auto torn = verify(*disk);
  EXPECT_TRUE(torn.is_whole());
  EXPECT_EQ(torn.to, last->start);
  EXPECT_THAT(notes_of(torn), Contains(HasSubstr("the next start cuts it")));
}

TEST_F(Verify, FindsDamageInTheTailOfAStoppedStoreWithoutItsState) {
  make_stopped(20);
  ASSERT_TRUE(disk_.remove("/store/tern/state"));
  EXPECT_TRUE(verify(disk_).is_whole());
  const auto last = (*Inspector::open(disk_, inspected()))->at(verify(disk_).to - 1);
  ASSERT_TRUE(last);
  write_byte(disk_, kFirstSegment, last->at + 4, 0xFF);
  EXPECT_THAT(damages_of(verify(disk_)), Contains(StartsWith(kFirstSegment)));
}

TEST_F(Verify, GoesOnBehindADamagedRecord) {
  make_stopped(150);
  write_byte(disk_, kFirstSegment, 4, 0xFF);
  write_byte(disk_, kSecondSegment, 4, 0xFF);
  const auto report = verify(disk_);
  const auto found = damages_of(report);
  ASSERT_GE(found.size(), 2U);
  EXPECT_THAT(found[0], StartsWith(std::string(kFirstSegment) + "[4+4]"));
  EXPECT_THAT(found[1], StartsWith(std::string(kSecondSegment) + "[4+4]"));
  EXPECT_GT(report.records_behind_damage, 0);
  EXPECT_EQ(report.records_behind_damage, report.records);
  EXPECT_GT(report.known_end, LogPosition{8192});
}

// A repair knows of nothing that has no finding.
TEST_F(Verify, NamesTheLogsDamageBehindThatOfAZeroFilledQueue) {
  options_.queues.file_size_bytes = 200 * kQueueEntrySize;
  constexpr int kEntries = 2 * VerifyReport::kFindingsMax;
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    for (int i = 0; i < kEntries; ++i) ASSERT_TRUE(life.send({fmt::format("body {}", i)}));
    life.dispatch();
    ASSERT_TRUE(life.close());
  }
  const std::string queue = "/store/consumequeue/TA/0/00000000000000000000";
  resize(disk_, queue, 0);
  resize(disk_, queue, kEntries * kQueueEntrySize);
  const auto last_segment = files_below("/store/commitlog").back();
  write_byte(disk_, last_segment, 4, 0xFF);
  const auto report = verify(disk_);
  const auto found = damages_of(report);
  EXPECT_THAT(found, Contains(StartsWith(last_segment + "[4+4]")));
  EXPECT_EQ(std::count_if(found.begin(), found.end(), [&](const auto& text) { return text.starts_with(queue); }),
            VerifyReport::kFindingsPerFile);
  EXPECT_GT(report.damages, VerifyReport::kFindingsMax);
  EXPECT_EQ(report.unnamed_damages, 0) << "all files are named";
}

TEST_F(Verify, CountsDamageOfFilesThatItDoesNotName) {
  make_stopped();
  constexpr int kForeign = VerifyReport::kFindingsMax + 20;
  for (int i = 0; i < kForeign; ++i) {
    ASSERT_TRUE(test::write_text(disk_, fmt::format("/store/commitlog/{:03}.txt", i), "?"));
  }
  write_byte(disk_, kFirstSegment, 4, 0xFF);
  const auto report = verify(disk_);
  EXPECT_GT(report.damages, kForeign);
  EXPECT_GE(report.unnamed_damages, 20);
  EXPECT_THAT(damages_of(report), Contains(StartsWith(std::string(kFirstSegment) + "[4+4]")))
      << "where the log breaks off is always named";
}

TEST_F(Verify, RefusesSettingsOfAnotherStoreWithBothNumbers) {
  make_stopped();
  auto options = inspected();
  options.segment_size_bytes = 8192;
  auto refused = Inspector::open(disk_, options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.code, Errc::kWrongSegmentSize);
  EXPECT_THAT(refused.error().text, AllOf(HasSubstr("4096"), HasSubstr("8192"), HasSubstr("mappedFileSizeCommitLog")));
  options.segment_size_bytes = kSegmentSize;
  options.queue_file_size_bytes = 6'000'000;
  refused = Inspector::open(disk_, options);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text, AllOf(HasSubstr("has 200 bytes"), HasSubstr("6000000")));
  options.queue_file_size_bytes = 199;  // rounded up
  EXPECT_TRUE(Inspector::open(disk_, options));
}

TEST_F(Verify, PassesOverAnIndexOfUnknownShape) {
  make_stopped();
  auto options = inspected();
  options.index_slots = options.index_entries_max = 0;
  const auto report = verify(disk_, options);
  EXPECT_TRUE(report.is_whole());
  EXPECT_EQ(report.index_keys, 0);
  EXPECT_THAT(notes_of(report), ElementsAre(StartsWith("/store/index is not looked at")));
}

TEST_F(Verify, RefusesWhatIsNoStore) {
  const auto refused = Inspector::open(disk_, inspected());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error.code, Errc::kNotFound);
  ASSERT_TRUE(disk_.make_directories("/store/consumequeue"));
  ASSERT_TRUE(test::write_text(disk_, "/store/consumequeue/CURRENT", "MANIFEST-000001"));
  const auto foreign = Inspector::open(disk_, inspected());
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().error.code, Errc::kForeign);
}

TEST_F(Verify, NamesMetadataThatIsNotWhole) {
  make_stopped();
  auto options = inspected();
  const auto check = [](std::string_view content) {
    return content.starts_with('{') && content.ends_with('}') ? std::nullopt : std::optional<std::string>("no JSON");
  };
  options.metadata = {{"topics.json", true, check}, {"", false, check}};
  ASSERT_TRUE(disk_.make_directories("/store/config"));
  EXPECT_THAT(damages_of(verify(disk_, options)), ElementsAre(HasSubstr("topics.json[-1+0] is missing")));
  ASSERT_TRUE(test::write_text(disk_, "/store/config/topics.json", "{}"));
  ASSERT_TRUE(test::write_text(disk_, "/store/config/other.json", "{}"));
  EXPECT_TRUE(verify(disk_, options).is_whole());
  ASSERT_TRUE(test::write_text(disk_, "/store/config/topics.json", "{"));
  EXPECT_THAT(damages_of(verify(disk_, options)),
              ElementsAre(AllOf(HasSubstr("topics.json[-1+0] no JSON"), HasSubstr("not whole either"))));
  ASSERT_TRUE(test::write_text(disk_, "/store/config/topics.json.bak", "{}"));
  EXPECT_THAT(damages_of(verify(disk_, options)),
              ElementsAre(AllOf(HasSubstr("topics.json[-1+0] no JSON"), HasSubstr("the next start uses it"))));
  ASSERT_TRUE(disk_.remove("/store/config/topics.json"));
  const auto replaced = verify(disk_, options);
  EXPECT_TRUE(replaced.is_whole());
  EXPECT_THAT(notes_of(replaced), ElementsAre(HasSubstr("topics.json is missing; its backup is whole")));
  ASSERT_TRUE(test::write_text(disk_, "/store/config/other.json.bak", ""));
  EXPECT_THAT(damages_of(verify(disk_, options)), ElementsAre(HasSubstr("other.json.bak[-1+0] no JSON")));
  ASSERT_TRUE(disk_.remove("/store/config/other.json.bak"));
  ASSERT_TRUE(test::write_text(disk_, "/store/tern/identity", "brokerName=x"));
  EXPECT_THAT(damages_of(verify(disk_, options)), ElementsAre(HasSubstr("/store/tern/identity[-1+0]")));
}

TEST_F(Verify, TellsItsProgressInBytes) {
  make_stopped();
  auto inspector = Inspector::open(disk_, inspected());
  ASSERT_TRUE(inspector);
  std::int64_t last = 0;
  std::int64_t whole = 0;
  ASSERT_TRUE((*inspector)->verify([&](std::int64_t done, std::int64_t total) {
    EXPECT_GE(done, last);
    EXPECT_LE(done, total);
    last = done;
    whole = total;
  }));
  EXPECT_GT(last, 0);
  EXPECT_EQ(last, whole);
}

}  // namespace
}  // namespace tern::store
