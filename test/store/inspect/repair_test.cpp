// What is taken away from a damaged store, that it is kept, and that the store then starts.

#include "tern/store/repair.hpp"

#include "store/inspect/inspect_fixture.hpp"

namespace tern::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kKeptIn = "/store/tern/removed-20231114T221400.000Z";

class RepairTest : public Inspected {
 protected:
  RepairPlan plan(const InspectOptions& options = inspected()) {
    const auto made = plan_repair(disk_, options, verify(disk_, options));
    EXPECT_TRUE(made) << made.error().text();
    return made ? *made : RepairPlan();
  }
  std::string kept(const std::string& name) { return test::read_text(disk_, std::string(kKeptIn) + "/" + name); }
  void repair(const InspectOptions& options = inspected()) {
    const auto planned = plan(options);
    clock_.set_wall_ms(1'700'000'040'000);
    std::string kept_in;
    const auto done = apply_repair(disk_, clock_, "/store", planned, kept_in);
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_EQ(kept_in, kKeptIn);
  }
  std::size_t records_before(LogPosition end) {
    std::size_t count = 0;
    auto inspector = Inspector::open(disk_, inspected());
    for (LogPosition at{0}; at < end;) {
      const auto held = (*inspector)->at(at);
      if (!held) break;
      if (held->kind == Held::Kind::kRecord) ++count;
      at += held->size;
    }
    return count;
  }
  /// Starts the store, sends one more message, stops it, and expects it to be whole.
  std::vector<std::string> bodies_after_a_start() {
    std::vector<std::string> bodies;
    StoreLife life(disk_, clock_, options_);
    EXPECT_TRUE(life) << life.problem.text;
    if (!life) return bodies;
    bodies = bodies_of(*life.store);
    EXPECT_TRUE(life.send({"new", "TA", 0, "k1"}));
    life.dispatch();
    const auto found = life->query("TA", "k1", 100, 0, INT64_MAX);
    EXPECT_TRUE(found && !found->positions.empty());
    EXPECT_TRUE(life.close());
    EXPECT_THAT(damages_of(verify(disk_)), IsEmpty());
    return bodies;
  }
};

TEST_F(RepairTest, HasNothingToDoForAWholeStore) {
  make_stopped();
  EXPECT_THAT(plan().steps, IsEmpty());
  EXPECT_THAT(plan().left, IsEmpty());
}

TEST_F(RepairTest, ChangesNothingWhilePlanning) {
  make_stopped(150);
  write_byte(disk_, "/store/commitlog/00000000000000004096", 4, 0xFF);
  const auto before = files_in(disk_, "/");
  EXPECT_THAT(plan().steps, testing::Not(IsEmpty()));
  EXPECT_EQ(files_in(disk_, "/"), before);
}

TEST_F(RepairTest, CutsTheLogAtItsFirstDamagedRecordAndKeepsTheRest) {
  make_stopped(150);
  const auto before = files_in(disk_, "/store");
  const auto third = (*Inspector::open(disk_, inspected()))->at(LogPosition{2 * 112});
  ASSERT_TRUE(third);
  const auto at = third->start.value;
  ASSERT_GT(at, 0);
  write_byte(disk_, "/store/commitlog/00000000000000000000", at + 4, 0xFF);
  const auto damaged = test::read_text(disk_, "/store/commitlog/00000000000000000000");
  repair();
  EXPECT_EQ(kept(fmt::format("commitlog/00000000000000000000.from-{}", at)),
            damaged.substr(static_cast<std::size_t>(at)));
  for (const auto& [path, content] : before) {
    const auto name = path.substr(std::string("/store/").size());
    if (name.starts_with("commitlog/") && !name.ends_with("00000000000000000000")) {
      EXPECT_EQ(kept(name), content);
    }
  }
  EXPECT_THAT(damages_of(verify(disk_)), IsEmpty()) << "also before a start";
  const auto bodies = bodies_after_a_start();
  EXPECT_THAT(bodies, ElementsAre("body 0", "body 1"));
}

// What a start refuses to take for a torn tail can be accepted.
TEST_F(RepairTest, AcceptsWhatAStartRefuses) {
  make_stopped();
  const auto third = (*Inspector::open(disk_, inspected()))->at(LogPosition{2 * 112});
  ASSERT_TRUE(third);
  write_byte(disk_, "/store/commitlog/00000000000000000000", third->start.value + 4, 0xFF);
  remove_tree(disk_, "/store/tern");
  for (int start = 0; start < 2; ++start) {
    StoreLife refused(disk_, clock_, options_);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.problem.text, HasSubstr("ternctl store repair --yes"));
  }
  repair();
  EXPECT_THAT(bodies_after_a_start(), ElementsAre("body 0", "body 1"));
}

TEST_F(RepairTest, KeepsWhatACrashedStoreLosesThatOnlyItsCheckpointKnowsOf) {
  {
    StoreLife life(disk_, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    send_some(life, 0, 30);
    life.save();
  }
  const auto third = (*Inspector::open(disk_, inspected()))->at(LogPosition{2 * 112});
  ASSERT_TRUE(third);
  const auto name = "commitlog/00000000000000000000";
  write_byte(disk_, file::join("/store", name), third->start.value + 4, 0xFF);
  remove_tree(disk_, "/store/tern");
  {
    StoreLife refused(disk_, clock_, options_);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.problem.text, HasSubstr("/store/checkpoint"));
  }
  repair();
  EXPECT_THAT(kept(fmt::format("{}.from-{}", name, third->start.value)), testing::Not(IsEmpty()));
  EXPECT_THAT(bodies_after_a_start(), ElementsAre("body 0", "body 1"));
}

TEST_F(RepairTest, LetsTheNextStartMakeDerivedFilesAnew) {
  make_stopped(150);
  const auto damages = std::vector<std::string>{"/store/consumequeue/TA/0/00000000000000000000",
                                                "/store/consumequeue/TB/1/00000000000000000200", "/store/tern/state"};
  write_byte(disk_, "/store/checkpoint", 100, 0xFF);
  for (const auto& path : damages) write_byte(disk_, path, 3, 0xFF);
  for (const auto& [path, content] : files_in(disk_, "/store/index")) write_byte(disk_, path, 45, 0xFF);
  repair();
  EXPECT_THAT(kept("consumequeue/TA/0/00000000000000000000"), SizeIs(200));
  EXPECT_THAT(kept("checkpoint"), SizeIs(4096));
  EXPECT_THAT(bodies_after_a_start(), SizeIs(150));
}

// Its entries name units by their place.
TEST_F(RepairTest, LetsTheNextStartMakeAQueueAnewWhoseExtensionIsDamaged) {
  options_.queues.writes_ext = true;
  options_.queues.ext_file_size_bytes = 400;
  make_stopped(150);
  const std::string unit = "/store/consumequeue_ext/TA/1/00000000000000000000";
  write_byte(disk_, unit, 5, 0x10);
  for (const auto& step : plan().steps) EXPECT_THAT(step.path, HasSubstr("/TA/1/"));
  repair();
  EXPECT_THAT(kept("consumequeue_ext/TA/1/00000000000000000000"), SizeIs(400));
  EXPECT_THAT(bodies_after_a_start(), SizeIs(150));
}

TEST_F(RepairTest, RepairsWhatOneQueueLacksWithoutTouchingOthers) {
  make_stopped(150);
  resize(disk_, "/store/consumequeue/TA/0/00000000000000000000", 100);
  const auto planned = plan();
  ASSERT_THAT(planned.steps, testing::Not(IsEmpty()));
  for (const auto& step : planned.steps) EXPECT_THAT(step.path, HasSubstr("/TA/0/"));
  repair();
  EXPECT_THAT(bodies_after_a_start(), SizeIs(150));
}

TEST_F(RepairTest, EndsTheLogBeforeAMissingSegment) {
  make_stopped(150);
  ASSERT_TRUE(disk_.remove("/store/commitlog/00000000000000004096"));
  repair();
  EXPECT_THAT(kept("commitlog/00000000000000008192"), SizeIs(kSegmentSize));
  EXPECT_THAT(damages_of(verify(disk_)), IsEmpty()) << "also before a start";
  const auto bodies = bodies_after_a_start();
  EXPECT_GT(bodies.size(), 20U);
  EXPECT_LT(bodies.size(), 60U);
}

// It stands on a file system that is not mounted, say: what else tells of its records would be taken for damage, and
// the start after that would give their offsets out again.
TEST_F(RepairTest, LeavesAStoreAloneWhoseLogIsNotThere) {
  for (const bool has_state : {true, false}) {
    SCOPED_TRACE(has_state);
    make_stopped(150);
    for (const auto* segment : {"00000000000000000000", "00000000000000004096", "00000000000000008192",
                                "00000000000000012288", "00000000000000016384", "00000000000000020480"}) {
      const auto path = std::string("/store/commitlog/") + segment;
      if (*disk_.exists(path)) {
        ASSERT_TRUE(disk_.remove(path));
      }
    }
    ASSERT_THAT(files_in(disk_, "/store/commitlog"), IsEmpty());
    if (!has_state) remove_tree(disk_, "/store/tern");
    ASSERT_FALSE(damages_of(verify(disk_)).empty());
    EXPECT_THAT(plan().steps, IsEmpty());
    ASSERT_THAT(plan().left, SizeIs(1 + damages_of(verify(disk_)).size()));
    EXPECT_EQ(plan().left[0].file, "/store/commitlog");
    EXPECT_THAT(plan().left[0].text, HasSubstr("storePathCommitLog"));
    remove_tree(disk_, "/store");
  }
}

TEST_F(RepairTest, TakesForeignFilesAndWhatIsTooLongAway) {
  make_stopped();
  ASSERT_TRUE(test::write_text(disk_, "/store/commitlog/notes.txt", "remember"));
  const auto path = std::string("/store/commitlog/00000000000000000000");
  resize(disk_, path, kSegmentSize + 100);
  repair();
  EXPECT_EQ(kept("commitlog/notes.txt"), "remember");
  EXPECT_THAT(kept("commitlog/00000000000000000000.behind"), SizeIs(100));
  EXPECT_EQ(size_of(disk_, path), kSegmentSize);
  EXPECT_THAT(bodies_after_a_start(), SizeIs(kSent));
}

TEST_F(RepairTest, TakesMetadataAwayOnlyIfItsOtherVersionIsWhole) {
  make_stopped();
  auto options = inspected();
  options.metadata = {{"", false, [](std::string_view content) {
                         return content == "{}" ? std::nullopt : std::optional<std::string>("no JSON");
                       }}};
  ASSERT_TRUE(disk_.make_directories("/store/config"));
  ASSERT_TRUE(test::write_text(disk_, "/store/config/a.json", "{"));
  ASSERT_TRUE(test::write_text(disk_, "/store/config/a.json.bak", "{}"));
  ASSERT_TRUE(test::write_text(disk_, "/store/config/b.json", "{"));
  ASSERT_TRUE(test::write_text(disk_, "/store/config/b.json.bak", "}"));
  const auto planned = plan(options);
  ASSERT_THAT(planned.steps, SizeIs(1));
  EXPECT_EQ(planned.steps[0].path, "/store/config/a.json");
  EXPECT_THAT(planned.left, SizeIs(2));
}

TEST_F(RepairTest, LeavesARecordThatIsWholeAlone) {
  make_stopped();
  write_byte(disk_, "/store/commitlog/00000000000000000000", message::offset_of::kQueueOffset + 7, 0x01);
  const auto planned = plan();
  EXPECT_THAT(planned.steps, IsEmpty());
  ASSERT_THAT(planned.left, testing::Not(IsEmpty()));
  EXPECT_THAT(planned.left[0].text, HasSubstr("the record says that it is message"));
}

// Wherever the tool is killed, a second repair ends what the first began, and the store starts with the same records.
TEST_F(RepairTest, CanBeRepeatedWhereverItWasInterrupted) {
  make_stopped(150);
  const auto kept_record = (*Inspector::open(disk_, inspected()))->at(LogPosition{kSegmentSize});
  ASSERT_TRUE(kept_record);
  const auto end = kept_record->start + kept_record->size;
  std::vector<std::string> bodies;  // of the records before the cut
  for (std::size_t i = 0; i < records_before(end); ++i) bodies.push_back(message(static_cast<int>(i)).body);
  write_byte(disk_, "/store/commitlog/00000000000000004096", end.value - kSegmentSize + 4, 0xFF);
  const auto planned = plan();
  std::int64_t operation = 1;
  for (bool is_interrupted = true; is_interrupted && !HasFailure(); ++operation) {
    SCOPED_TRACE(operation);
    const auto first = disk_.kill();
    first->crash_at(operation);
    std::string kept_in;
    is_interrupted = !apply_repair(*first, clock_, "/store", planned, kept_in);
    clock_.advance_ms(1);
    const auto second = first->kill();
    const auto rest = plan_repair(*second, inspected(), verify(*second));
    ASSERT_TRUE(rest);
    ASSERT_TRUE(apply_repair(*second, clock_, "/store", *rest, kept_in));
    StoreLife life(*second, clock_, options_);
    ASSERT_TRUE(life) << life.problem.text;
    EXPECT_EQ(life->max_position(), end);
    EXPECT_EQ(bodies_of(*life.store), bodies);
  }
  EXPECT_GT(operation, 20);
}

TEST_F(RepairTest, TellsHowMuchItHasCopied) {
  make_stopped(150);
  const auto at = (*Inspector::open(disk_, inspected()))->at(LogPosition{2 * 112})->start.value;
  write_byte(disk_, "/store/commitlog/00000000000000000000", at + 4, 0xFF);
  std::int64_t last = 0;
  std::string kept_in;
  const auto done = [&](std::int64_t copied, std::int64_t total) {
    EXPECT_GT(copied, last);
    EXPECT_EQ(total, kSegmentSize - at);
    last = copied;
  };
  ASSERT_TRUE(apply_repair(disk_, clock_, "/store", plan(), kept_in, done));
  EXPECT_EQ(last, kSegmentSize - at);
}

TEST_F(RepairTest, RefusesARunningStore) {
  make_stopped();
  write_byte(disk_, "/store/checkpoint", 100, 0xFF);
  disk_.lock_elsewhere("/store/lock", true);
  const auto before = files_in(disk_, "/");
  std::string kept_in;
  const auto done = apply_repair(disk_, clock_, "/store", plan(), kept_in);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), error(Errc::kInUse, 4711));
  EXPECT_EQ(files_in(disk_, "/"), before);
}

}  // namespace
}  // namespace tern::store
