// Random lives of a store on a disk that crashes, fails and forgets, beside a model of what must be in it. Everything
// follows from the seed.
//
// TERN_CRASH_SEEDS       how many lives (default: see CMakeLists.txt)
// TERN_CRASH_FIRST_SEED  the seed of the first (1)
// TERN_CRASH_WITH        one of the rows of kKinds below, or another choice of the words in it (default: all rows)
// TERN_CRASH_TRACE       if set, every operation is printed
// scripts/crash-test sets them.

#include <array>
#include <cstdlib>
#include <deque>
#include <string_view>
#include <vector>

#include "store/put/put_table.hpp"
#include "store/store_model.hpp"

namespace tern::store {
namespace {

constexpr int kOperations = 120;
constexpr std::int64_t kSegment = 2048;
constexpr std::int64_t kHourMs = 3'600'000;
constexpr const char* kEveryHour = "00;01;02;03;04;05;06;07;08;09;10;11;12;13;14;15;16;17;18;19;20;21;22;23";

// What may happen besides sends, reads, upkeep, retention, kills and power cuts: "stops" of the disk, also inside of a
// recovery; removals of "topics"; failing operations, "errors"; "derived" files that are removed. A life has each that
// its row names with a likelihood of 70 %.
constexpr std::array<std::string_view, 6> kKinds = {
    "stops", "topics stops", "stops errors", "topics stops errors", "stops derived", "topics stops errors derived"};

constexpr std::array<const char*, 3> kPolicies = {"SYNC_FLUSH", "ASYNC_FLUSH", "ASYNC_FLUSH_REAL_TIME"};

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const auto* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class World {
 public:
  World(std::string_view kinds, std::uint64_t seed)
      : kinds_(kinds),
        random_(seed),
        is_talkative_(std::getenv("TERN_CRASH_TRACE") != nullptr),
        options_(small_store(kPolicies[draw(kPolicies.size())])) {
    options_.log.segment_size_bytes = kSegment;
    options_.log.prepare_ahead_bytes = 4096;
    options_.log.put_strategy = kPutStrategies[draw(kPutStrategies.size())].name;
    options_.log.flush_least_pages = chance(50) ? 0 : 1;
    options_.queues.file_size_bytes = 8 * kQueueEntrySize;
    options_.index.hash_slots = 8;
    options_.index.entries_max = 24;
    options_.delete_when = kEveryHour;
    options_.file_reserved_hours = 24;
    disk_ = std::make_unique<test::SimulatedDisk>(
        test::SimulatedDiskOptions{.file_reservation_bytes = 64 << 10, .clock = &clock_, .seed = seed});
    note("policy {}, lock {}", options_.log.flush_policy, options_.log.put_strategy.get());
    open();
  }

  /// "" or what went wrong.
  std::string run(int operations) {
    for (int i = 0; i < operations && problem_.empty(); ++i) {
      step();
      if (disk_->crashed()) {
        note("the disk has stopped");
        crash(chance(70));
      } else if (problem_.empty() && life_->store && chance(20)) {
        look();
        if (disk_->crashed()) crash(chance(70));
      }
    }
    if (problem_.empty()) {
      calm();
      stop_cleanly();
    }
    return problem_;
  }
  [[nodiscard]] std::string story() const {
    std::string text;
    for (const auto& line : story_) text += "  " + line + "\n";
    return text;
  }

 private:
  /// Whether this life is one with `what`.
  bool with(std::string_view what) { return kinds_.find(what) != std::string_view::npos && chance(70); }

  // ---- dice
  std::size_t draw(std::size_t below) { return static_cast<std::size_t>(random_() % below); }
  bool chance(unsigned percent) { return random_() % 100 < percent; }
  template <class... Args>
  void note(fmt::format_string<Args...> format, Args&&... args) {
    story_.push_back(fmt::format(format, std::forward<Args>(args)...));
    if (is_talkative_) fmt::print("{}\n", story_.back());
    if (story_.size() > 200) story_.pop_front();
  }
  void fail(std::string problem) {
    if (problem_.empty() && !problem.empty()) problem_ = std::move(problem);
  }

  // ---- one operation
  void step() {
    const auto dice = draw(100);
    if ((dice >= 77 && dice < 80 && !removes_topics_) || (dice >= 91 && dice < 95 && !has_trouble_)) return dispatch();
    if (dice < 34) return send();
    if (dice < 45) return flush();
    if (dice < 46) return change_put_lock();
    if (dice < 60) return dispatch();
    if (dice < 74) return pass_time(draw(1500));
    if (dice < 77) return pass_time(25 * kHourMs);
    if (dice < 80) return remove_topic();
    if (dice < 83) return stop_cleanly();
    if (dice < 87) return crash(false);
    if (dice < 91) return crash(true);
    if (dice < 95) return trouble_ahead();
    if (dice < 97) return calm();
    if (dice < 98) return disk_->set_cold(chance(50));
    if (dice < 99) return turn_the_clock();
    look();
  }

  Message any_message() {
    Message message{fmt::format("{} ", ++messages_), draw(3) == 0 ? "TB" : "TA", static_cast<int>(draw(2))};
    message.body.append(draw(chance(10) ? 1500 : 200), static_cast<char>('a' + messages_ % 26));
    if (chance(70)) message.key = fmt::format("k{}", draw(10));
    if (chance(10)) message.sys_flag = message::kSysTransactionPrepared;
    if (chance(5)) message.sys_flag = message::kSysTransactionRollback;
    return message;
  }
  void send() {
    std::vector<std::vector<Message>> groups(chance(70) ? 1 : 1 + draw(4));
    for (auto& group : groups) {
      const auto items = chance(80) ? 1 : 1 + draw(4);
      for (std::size_t i = 0; i < items; ++i) group.push_back(any_message());
    }
    const auto before = model_.size();
    fail(send_groups(*life_, model_, groups));
    note("send {} groups: {} placed, end {}", groups.size(), model_.size() - before,
         life_->store->log().watermarks().published());
  }
  void flush() {
    clock_.advance_ms(1 + static_cast<std::int64_t>(draw(20)));
    life_->store->flush_step();
    note_durable();
    note("flush: durable {} of {}", life_->store->log().watermarks().durable(),
         life_->store->log().watermarks().published());
  }
  void change_put_lock() {
    options_.log.put_strategy = kPutStrategies[draw(kPutStrategies.size())].name;
    life_->store->log().apply_put_strategy();
    note("lock {}", options_.log.put_strategy.get());
  }
  void note_durable() {
    if (life_->store) model_.note_durable(life_->store->log().watermarks().durable());
  }
  void dispatch() {
    life_->store->dispatch();
    note("dispatch: {}", life_->store->log().watermarks().dispatched());
  }
  void pass_time(std::size_t ms) {
    clock_.advance_ms(static_cast<std::int64_t>(ms));
    const auto steps = 1 + draw(chance(50) ? 2 : 30);
    for (std::size_t i = 0; i < steps; ++i) {
      life_->store->upkeep_step();
      life_->store->segments_step();
    }
    model_.note_begin(life_->store->min_position());
    note("{} ms pass, {} steps of upkeep, begin {}", ms, steps, life_->store->min_position());
  }
  void remove_topic() {
    const auto* const topic = chance(50) ? "TA" : "TB";
    const auto status = life_->store->remove_topic(topic);
    // Refused, as long as the queues are there.
    if (status || life_->store->queues_of(topic).empty()) {
      model_.note_removed(topic);
    } else {
      model_.note_half_removed(topic);
    }
    note("remove {}: {}", topic, status ? "done" : status.error().text());
  }
  void turn_the_clock() {
    clock_.set_wall_ms(clock_.wall_ms() - 2000 + static_cast<std::int64_t>(draw(10'000)));
    note("the clock is set");
  }
  /// The disk stops, fails or fills up a few operations from now.
  void trouble_ahead() {
    is_calm_ = false;
    const auto in = static_cast<std::int64_t>(1 + draw(15));
    const auto errno_value = chance(50) ? EIO : ENOSPC;
    const auto times = static_cast<std::int64_t>(1 + draw(4));
    switch (draw(has_errors_ ? 4 : 2)) {
      case 0:
      case 1:
        note("the disk will stop in {} changes", in);
        disk_->crash_at(disk_->changes() + in);
        break;
      case 2:
        note("changes will fail in {}, errno {}, {} times", in, errno_value, times);
        disk_->fail_at(disk_->changes() + in, errno_value, times);
        break;
      default:
        if (chance(50)) {
          note("reads will fail in {}, {} times", in, times);
          disk_->fail_read_at(disk_->reads() + in, EIO, times);
        } else {
          note("the disk is full");
          disk_->set_capacity(4096);
        }
    }
  }
  void calm() {
    note("the disk is well");
    is_calm_ = true;
    disk_->set_capacity(std::int64_t{1} << 30);
    disk_->fail_at(disk_->changes() + 1'000'000, EIO);
    disk_->fail_read_at(disk_->reads() + 1'000'000, EIO);
    disk_->set_cold(false);
  }

  void look() {
    // A reader meets the injected failures of reads, too: that is no fault of the store.
    disk_->fail_read_at(disk_->reads() + 1'000'000, EIO);
    disk_->set_cold(false);
    auto& store = *life_->store;
    const auto& marks = store.log().watermarks();
    if (store.log().acknowledges_durable() && store.max_position() > marks.durable()) {
      fail("a reader could see what is not durable");
    }
    auto problem = model_.compare(store);
    // A reader may have to give a file of a queue the size that a crash has kept from it: that can fail, and the disk
    // can stop there.
    if (!problem.empty() && !is_calm_) {
      disk_->fail_at(disk_->changes() + 1'000'000, EIO);
      problem = model_.compare(store);
    }
    if (!disk_->crashed()) fail(problem);
    note("look: {} sent", model_.size());
  }

  // ---- the ends of lives
  void stop_cleanly() {
    const auto status = life_->close();
    if (disk_->crashed()) return;
    note("stop: {}", status ? "clean" : status.error().text());
    if (status) model_.note_durable({INT64_MAX});
    crash(status && chance(50));
  }
  void crash(bool is_power_cut) {
    take_image(is_power_cut);
    if (removes_derived_ && chance(15)) remove_derived();
    open();
  }
  void take_image(bool is_power_cut) {
    if (life_->store && !disk_->crashed()) note_durable();
    auto image = is_power_cut ? disk_->crash(random_) : disk_->kill();
    for (const auto& violation : disk_->violations()) fail(violation);
    if (!disk_->crashed() && problem_.empty()) {
      for (const auto& store : disk_->uncommitted_stores()) {
        fail(fmt::format("{}: {} bytes stored at {}, never committed", store.path, store.size, store.position));
      }
    }
    note("{}", is_power_cut ? "power cut" : "kill");
    life_.reset();
    disk_ = std::move(image);
    losses_.unsynced |= is_power_cut;
  }
  /// What can be built anew goes, durably, as if an operator had removed it.
  void remove_derived() {
    const auto which = draw(4);
    for (const auto* directory : {"consumequeue", "index", "tern"}) {
      const std::string name = directory;
      if (which != 0 && name != (which == 1 ? "consumequeue" : which == 2 ? "index" : "tern")) continue;
      note("{} is removed", directory);
      for (const auto& [path, bytes] : files_in(*disk_, "/store/" + name)) {
        if (!disk_->remove(path)) fail("cannot remove " + path);
        if (!disk_->sync_directory(path.substr(0, path.rfind('/')))) fail("cannot sync the directory of " + path);
      }
    }
    lost_queue_files_ |= which <= 1;
  }
  void open() {
    for (int attempt = 0; problem_.empty(); ++attempt) {
      // Nothing says where emptied queues stood: neither our state, which may have been removed and not saved again,
      // nor the queues' last files.
      const auto has_state = disk_->exists("/store/tern/state");
      losses_.emptied_queues |= lost_queue_files_ && has_state && !*has_state;
      if (has_trouble_ && attempt < 3 && chance(30)) trouble_ahead();
      clock_.advance_ms(static_cast<std::int64_t>(draw(5000)));
      // A store whose clock went back refuses sends, not to open.
      life_ = std::make_unique<StoreLife>(*disk_, clock_, options_);
      if (!disk_->crashed() && !*life_) {
        note("not opened: {}", life_->problem.text);
        // A commit that could not be written back is told by the next sync, even when all is well again.
        if (is_calm_ && attempt > 4) fail("the store does not open: " + life_->problem.text);
        life_.reset();
        calm();
        continue;
      }
      if (!disk_->crashed()) {
        look_at_what_was_opened();
        if (!disk_->crashed()) return;
      }
      note("the disk has stopped while opening");
      take_image(chance(70));
    }
  }
  void look_at_what_was_opened() {
    auto& store = *life_->store;
    note("opened: [{}, {}), {}, {} records read", store.min_position(), store.max_position(),
         life_->report.used_side_file ? "state used" : "no state", life_->report.scanned_records);
    for (const auto& warning : life_->report.warnings) note("warning: {}", warning);
    disk_->fail_read_at(disk_->reads() + 1'000'000, EIO);
    auto problem = model_.compare_opened(store, losses_);
    // As in look(): the store may have opened before all of the failures to come have come.
    if (!problem.empty() && !is_calm_ && !disk_->crashed()) {
      disk_->fail_at(disk_->changes() + 1'000'000, EIO);
      problem = model_.compare_opened(store, losses_);
    }
    if (disk_->crashed()) return;
    fail(problem);
    losses_ = {};
  }

  const std::string_view kinds_;
  test::Rng random_;
  const bool is_talkative_;
  StoreOptions options_;
  const bool removes_topics_ = with("topics");
  const bool has_trouble_ = with("stops");
  const bool has_errors_ = with("errors");
  const bool removes_derived_ = with("derived");
  test::ManualClock clock_;
  std::unique_ptr<test::SimulatedDisk> disk_;
  std::unique_ptr<StoreLife> life_;
  StoreModel model_;
  Losses losses_;
  int messages_ = 0;
  bool is_calm_ = true;
  bool lost_queue_files_ = false;  // once
  std::string problem_;
  std::deque<std::string> story_;
};

TEST(RandomOperations, KeepWhatTheModelKeeps) {
  const auto first = number_from_environment("TERN_CRASH_FIRST_SEED", 1);
  const auto seeds = number_from_environment("TERN_CRASH_SEEDS", TERN_CRASH_SEEDS);
  const auto* const asked = std::getenv("TERN_CRASH_WITH");
  const auto rows = asked == nullptr ? std::vector<std::string_view>(kKinds.begin(), kKinds.end())
                                     : std::vector<std::string_view>{asked};
  for (const auto kinds : rows) {
    for (auto seed = first; seed < first + seeds; ++seed) {
      World world(kinds, seed);
      const auto problem = world.run(kOperations);
      ASSERT_EQ(problem, "") << kinds << ", seed " << seed << "; again with\n  scripts/crash-test --seeds 1 --seed "
                             << seed << " --with \"" << kinds << "\"\n"
                             << world.story();
    }
  }
}

}  // namespace
}  // namespace tern::store
