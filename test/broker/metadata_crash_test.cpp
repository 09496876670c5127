// What holds for each file of config/: whatever the moment of a crash or the failure while it is replaced, the table
// that the next start loads is the one before or the new one, never a mixture and never an empty one; the version
// before stays beside it; and a file that is cut short, wherever, is recognised.

#include "tern/base/log.hpp"

#include "broker/assignment/request_modes.hpp"
#include "broker/broker_fixture.hpp"
#include "broker/filter/consumer_filters.hpp"
#include "broker/pop/pop_orders.hpp"
#include "support/crash_everywhere.hpp"

namespace tern::broker {
namespace {

using protocol::Json;
using ::testing::HasSubstr;

constexpr int kVersions = 3;
constexpr const char* kConfig = "/config";

/// A table over its file on some disk. Version n follows from version n - 1 by one change().
class Table {
 public:
  virtual ~Table() = default;
  /// `must_exist`: it has been saved before.
  virtual std::optional<std::string> load(bool must_exist) = 0;
  virtual void change(int version) = 0;
  /// As the broker does it after a change.
  virtual Status save() = 0;
  [[nodiscard]] virtual Json contents() const = 0;
};

/// What a table needs besides its own disk.
struct Surroundings {
  const BrokerOptions& options;
  const BrokerIdentity& identity;
  const Clock& clock;
  store::Store& store;  // with one message waiting, and due, for each version and delay level
  const DelayLevels& levels;
  SendStage& stage;
  std::function<void()> settle;  // does what was handed to the stage, to the disk
};

class Topics final : public Table {
 public:
  Topics(const Surroundings& around, file::Disk& disk, const std::string& path)
      : table_(around.options, around.identity, disk, path, around.clock, blocking_) {}
  std::optional<std::string> load(bool must_exist) override { return table_.load(must_exist); }
  void change(int version) override {
    TopicConfig topic;
    topic.name = fmt::format("T{}", version);
    topic.read_queues = topic.write_queues = version + 1;
    table_.put(topic, [this](Status saved) { saved_ = saved; });
  }
  Status save() override {
    blocking_.step();
    return saved_;
  }
  [[nodiscard]] Json contents() const override { return table_.to_json(); }

 private:
  WorkQueue blocking_;
  TopicTable table_;
  Status saved_;
};

class Groups final : public Table {
 public:
  Groups(const Surroundings& around, file::Disk& disk, const std::string& path)
      : table_(around.options, disk, path, around.clock, blocking_) {}
  std::optional<std::string> load(bool /*must_exist*/) override { return table_.load(); }
  void change(int version) override {
    table_.set_forbidden("g", fmt::format("T{}", version), true);
    GroupConfig group;
    group.name = fmt::format("g{}", version);
    group.retry_max_times = version;
    table_.put(group, [this](Status saved) { saved_ = saved; });
  }
  Status save() override {
    blocking_.step();
    return saved_;
  }
  [[nodiscard]] Json contents() const override { return table_.to_json(); }

 private:
  WorkQueue blocking_;
  GroupTable table_;
  Status saved_;
};

class Offsets final : public Table {
 public:
  Offsets(const Surroundings& around, file::Disk& disk, const std::string& path)
      : clock_(around.clock), table_(disk, path) {}
  std::optional<std::string> load(bool /*must_exist*/) override { return table_.load(); }
  void change(int version) override {
    // All of them, so that each part of the file differs from version to version.
    for (int queue = 0; queue < 100; ++queue) table_.commit("g", fmt::format("T{}", queue % 7), queue, version);
  }
  Status save() override { return table_.save(clock_.wall_ms()); }
  [[nodiscard]] Json contents() const override { return table_.to_json(); }

 private:
  const Clock& clock_;
  OffsetTable table_;
};

class DelayProgress final : public Table {
 public:
  DelayProgress(const Surroundings& around, file::Disk& disk, const std::string& path)
      : settle_(around.settle),
        delayed_(around.clock, around.store, around.levels, around.identity, disk, path,
                 [&around](std::size_t, const std::function<void(SendStage&)>& work) { work(around.stage); }) {}
  std::optional<std::string> load(bool /*must_exist*/) override { return delayed_.load(); }
  void change(int version) override {
    delayed_.step(/*budget=*/1);
    settle_();
    EXPECT_EQ(delayed_.offset(1), version);
  }
  Status save() override {
    if (auto noted = delayed_.save(); !noted) return noted;
    return delayed_.save();
  }
  [[nodiscard]] Json contents() const override {
    auto json = delayed_.to_json();
    json.erase("dataVersion");  // it counts saves, not changes
    return json;
  }

 private:
  const std::function<void()> settle_;
  DelayedDelivery delayed_;
};

/// Its contents are which messages pass for whom: the times in the file change with each load.
class Filters final : public Table {
 public:
  Filters(const Surroundings& around, file::Disk& disk, const std::string& path)
      : filters_(options_, disk, path, around.clock) {}
  std::optional<std::string> load(bool /*must_exist*/) override { return filters_.load(); }
  void change(int version) override {
    Subscription wanted;
    wanted.topic = fmt::format("T{}", version);
    wanted.expression = fmt::format("a = {}", version);
    wanted.expression_type = "SQL92";
    wanted.version = version;
    filters_.subscribed(fmt::format("g{}", version), {wanted});
    filters_.subscribed("g", {wanted});
  }
  Status save() override { return filters_.save(); }
  [[nodiscard]] Json contents() const override {
    Json known = Json::object();
    for (int version = 0; version <= kVersions + 2; ++version) {
      const auto topic = fmt::format("T{}", version);
      for (const auto& group : {std::string("g"), fmt::format("g{}", version)}) {
        const auto filter = filters_.find(group, topic);
        if (!filter) continue;
        std::string passes;
        for (int value = 0; value <= kVersions + 2; ++value) {
          passes += filter->matches(fmt::format("a\x01{}\x02", value)) ? '1' : '0';
        }
        known[group][topic] = passes;
      }
    }
    return known;
  }

 private:
  const FilterOptions options_;
  ConsumerFilters filters_;
};

class Modes final : public Table {
 public:
  Modes(const Surroundings& /*around*/, file::Disk& disk, const std::string& path) : table_(disk, path, blocking_) {}
  std::optional<std::string> load(bool /*must_exist*/) override { return table_.load(); }
  void change(int version) override {
    table_.set("T", "g", {version % 2 == 1, version}, [this](Status saved) { saved_ = saved; });
    table_.set(fmt::format("T{}", version), "g", {true, -1}, [this](Status saved) { saved_ = saved; });
  }
  Status save() override {
    blocking_.step();
    return saved_;
  }
  [[nodiscard]] Json contents() const override { return table_.to_json(); }

 private:
  WorkQueue blocking_;
  RequestModes table_;
  Status saved_;
};

/// Its contents are which queues are blocked for whom: what else it holds shows when a message comes back.
class Orders final : public Table {
 public:
  Orders(const Surroundings& around, file::Disk& disk, const std::string& path)
      : clock_(around.clock), table_(around.clock, disk, path) {}
  std::optional<std::string> load(bool /*must_exist*/) override { return table_.load(); }
  void change(int version) override {
    table_.hand_out({"g", "T", version}, fmt::format("attempt {}", version), clock_.wall_ms(), kInvisibleMs, {7, 9});
    table_.acknowledge({"g", "T", version}, 7, clock_.wall_ms());
  }
  Status save() override { return table_.save(); }
  [[nodiscard]] Json contents() const override {
    Json blocked = Json::array();
    for (int queue = 0; queue <= kVersions + 2; ++queue) {
      blocked.push_back(table_.is_blocked({"g", "T", queue}, "another"));
      blocked.push_back(table_.is_blocked({"g", "T", queue}, fmt::format("attempt {}", queue)));
    }
    return blocked;
  }

 private:
  static constexpr std::int64_t kInvisibleMs = 60'000;
  const Clock& clock_;
  PopOrders table_;
};

struct Row {
  const char* file;
  std::unique_ptr<Table> (*make)(const Surroundings& around, file::Disk& disk, const std::string& path);
};
template <class Kind>
std::unique_ptr<Table> make(const Surroundings& around, file::Disk& disk, const std::string& path) {
  return std::make_unique<Kind>(around, disk, path);
}

class MetadataTables : public test::BrokerFixture, public ::testing::WithParamInterface<Row> {
 protected:
  void SetUp() override {
    test::BrokerFixture::SetUp();
    make_topic("delayed");
    for (int i = 0; i <= kVersions; ++i) {
      for (int level = 1; level <= levels->count(); ++level) {
        ASSERT_EQ(send("delayed", "m", {{"DELAY", std::to_string(level)}})->code(), 0);
      }
    }
    flush();
    clock.advance_ms(levels->delay_ms(levels->count()));
    around_ = std::make_unique<Surroundings>(
        Surroundings{options, identity, clock, *store, *levels, stage(), [this] { flush_all(); }});
  }

  std::unique_ptr<Table> make_table(file::Disk& config) const { return GetParam().make(*around_, config, path_); }

  /// The table as the next start finds it, on a disk of its own: the store's does not crash.
  std::unique_ptr<Table> load(file::Disk& config, bool must_exist) const {
    auto table = make_table(config);
    const auto problem = table->load(must_exist);
    EXPECT_EQ(problem, std::nullopt);
    return table;
  }

  /// What each version holds; the last one is saved at the end.
  std::vector<Json> save_versions(file::Disk& config) const {
    EXPECT_TRUE(config.make_directories(kConfig) && config.sync_directory("/"));
    std::vector<Json> versions;
    auto table = load(config, false);
    versions.push_back(table->contents());
    for (int version = 1; version <= kVersions; ++version) {
      table->change(version);
      versions.push_back(table->contents());
      EXPECT_NE(versions[versions.size() - 2], versions.back());
      EXPECT_TRUE(table->save());
    }
    return versions;
  }

  void expect_backup(test::SimulatedDisk& config, const Json& expected) const {
    const auto copy = config.kill();
    static_cast<void>(copy->remove(path_));
    EXPECT_EQ(load(*copy, true)->contents(), expected);
  }

  const std::string path_ = file::join(kConfig, GetParam().file);
  const std::string backup_ = path_ + ".bak";

 private:
  void flush_all() {
    run();
    flush();
  }
  std::unique_ptr<Surroundings> around_;
};
INSTANTIATE_TEST_SUITE_P(
    Files, MetadataTables,
    ::testing::Values(Row{"topics.json", &make<Topics>}, Row{"subscriptionGroup.json", &make<Groups>},
                      Row{"consumerOffset.json", &make<Offsets>}, Row{"delayOffset.json", &make<DelayProgress>},
                      Row{"consumerFilter.json", &make<Filters>}, Row{"messageRequestMode.json", &make<Modes>},
                      Row{"consumerOrderInfo.json", &make<Orders>}),
    [](const auto& tested) {
      const std::string file = tested.param.file;
      return file.substr(0, file.find('.'));
    });

TEST_P(MetadataTables, AreTheOldOrTheNewOneAfterACrash) {
  test::SimulatedDisk whole;
  const auto versions = save_versions(whole);
  test::CrashOptions crashes;
  crashes.power_cuts = 10;
  std::array<int, kVersions + 1> found{};
  const auto tried = test::crash_at_every_operation(
      // Returns the last version whose save has returned.
      [&](test::SimulatedDisk& config) {
        int saved = 0;
        if (!config.make_directories(kConfig) || !config.sync_directory("/")) return saved;
        auto table = load(config, false);
        for (int version = 1; version <= kVersions; ++version) {
          table->change(version);
          if (!table->save()) break;
          saved = version;
        }
        return saved;
      },
      [&](test::SimulatedDisk& config, const test::CrashPoint&, int saved) {
        auto table = load(config, saved > 0);
        const auto contents = table->contents();
        const auto same = std::find(versions.begin() + saved, versions.end(), contents);
        ASSERT_NE(same, versions.end()) << "saved: " << saved << ", found: " << contents.dump();
        const int version = static_cast<int>(same - versions.begin());
        ASSERT_LE(version, saved + 1);
        ++found[static_cast<std::size_t>(version)];
        const bool is_there = *config.exists(path_);
        // Between the two renames the backup stands alone; otherwise it is what the file has replaced.
        ASSERT_TRUE(is_there || version == 0 || *config.exists(backup_));
        if (is_there && version > 1) expect_backup(config, versions[static_cast<std::size_t>(version) - 1]);
        // And life goes on.
        if (!config.make_directories(kConfig) || !config.sync_directory("/")) return;
        table->change(version + 1);
        ASSERT_TRUE(table->save());
        EXPECT_EQ(load(config, true)->contents(), table->contents());
        if (version > 0) expect_backup(config, contents);
      },
      crashes);
  EXPECT_GE(tried.points, 7 * kVersions);  // create, empty, write, sync, two renames (one at first), sync
  for (const int times : found) EXPECT_GT(times, 0);
}

TEST_P(MetadataTables, AreTheOldOrTheNewOneAfterASaveThatFailed) {
  for (const int errno_value : {EIO, ENOSPC}) {
    for (std::int64_t operation = 1;; ++operation) {
      SCOPED_TRACE(fmt::format("errno {}, operation {}", errno_value, operation));
      test::SimulatedDisk config;
      ASSERT_TRUE(config.make_directories(kConfig) && config.sync_directory("/"));
      auto table = load(config, false);
      std::vector<Json> versions{table->contents()};
      table->change(1);
      versions.push_back(table->contents());
      ASSERT_TRUE(table->save());
      config.fail_at(config.changes() + operation, errno_value);
      table->change(2);
      versions.push_back(table->contents());
      const auto saved = table->save();
      test::Rng random(static_cast<std::uint64_t>(operation));
      for (const auto survival : {test::Survival::kNothing, test::Survival::kEverything, test::Survival::kDrawn}) {
        const auto contents = load(*config.crash(random, survival), true)->contents();
        ASSERT_TRUE(contents == versions[2] || (!saved && contents == versions[1])) << contents.dump();
      }
      if (saved) break;
      table->change(3);
      ASSERT_TRUE(table->save());
      EXPECT_EQ(load(*config.crash(random, test::Survival::kNothing), true)->contents(), table->contents());
    }
  }
}

// Cut short at every byte, or zero-filled from there as file systems do.
TEST_P(MetadataTables, AreThoseOfTheBackupIfTheFileIsCutShort) {
  test::SimulatedDisk config;
  const auto versions = save_versions(config);
  const auto text = test::read_text(config, path_);
  const auto backup = test::read_text(config, backup_);
  for (std::size_t size = 0; size < text.size(); ++size) {
    SCOPED_TRACE(size);
    for (const bool is_zero_filled : {false, true}) {
      auto cut = text.substr(0, size);
      if (is_zero_filled) cut.resize(text.size());
      ASSERT_TRUE(test::write_text(config, path_, cut));
      const auto warnings = log_counts().warnings;
      ASSERT_EQ(load(config, true)->contents(), versions[kVersions - 1]);
      ASSERT_EQ(log_counts().warnings, warnings + 1) << "that the backup is used";
      ASSERT_TRUE(config.remove(backup_));
      const auto problem = make_table(config)->load(true);
      ASSERT_TRUE(problem) << "neither is whole";
      ASSERT_THAT(*problem, HasSubstr(path_ + ": no JSON at byte "));
      ASSERT_TRUE(test::write_text(config, backup_, backup));
    }
  }
}

}  // namespace
}  // namespace tern::broker
