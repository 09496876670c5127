#include "tern/store/store.hpp"

#include "store/flush/flush_table.hpp"
#include "store/log/log_fixture.hpp"
#include "store/put/put_table.hpp"

namespace tern::store {
namespace {

struct Loaded {
  LogOptions options;
  OptionSet set;
  Loaded() { set.add("log", log_option_rows(), options); }
  std::vector<OptionSet::Problem> apply(std::string_view key, std::string_view value) {
    PropertiesFile file{"broker.properties", {{std::string(key), std::string(value), 1}}};
    return set.apply(file, false).problems;
  }
};

TEST(LogOptions, HaveTheDefaultsOfTheirRows) {
  const Loaded loaded;
  const LogOptions bare;
  EXPECT_EQ(loaded.options.directory, bare.directory);
  EXPECT_EQ(loaded.options.segment_size_bytes, bare.segment_size_bytes);
  EXPECT_EQ(loaded.options.prepare_ahead_bytes, bare.prepare_ahead_bytes);
  EXPECT_EQ(loaded.options.hot_bytes, bare.hot_bytes);
  EXPECT_EQ(loaded.options.put_strategy.get(), bare.put_strategy.get());
  EXPECT_EQ(loaded.options.spin_limit, bare.spin_limit);
  EXPECT_EQ(loaded.options.flush_policy, bare.flush_policy);
  EXPECT_EQ(loaded.options.flush_timed, bare.flush_timed);
  EXPECT_EQ(loaded.options.flush_interval_ms.get(), bare.flush_interval_ms.get());
  EXPECT_EQ(loaded.options.flush_least_pages.get(), bare.flush_least_pages.get());
  EXPECT_EQ(loaded.options.flush_thorough_interval_ms.get(), bare.flush_thorough_interval_ms.get());
  EXPECT_EQ(loaded.options.page_cache_busy_ms.get(), bare.page_cache_busy_ms.get());
}

TEST(LogOptions, RefuseAListOfDirectories) {
  Loaded loaded;
  EXPECT_TRUE(loaded.apply("storePathCommitLog", "/a/commitlog").empty());
  EXPECT_FALSE(loaded.apply("storePathCommitLog", "/a/commitlog,/b/commitlog").empty());
}

TEST(LogOptions, TakeEveryNameOfTheTablesAndNoOther) {
  for (const auto& row : kPutStrategies) EXPECT_TRUE(Loaded().apply("putMessageLock", row.name).empty()) << row.name;
  for (const auto& row : kFlushPolicies) EXPECT_TRUE(Loaded().apply("flushDiskType", row.name).empty()) << row.name;
  EXPECT_FALSE(Loaded().apply("putMessageLock", "none").empty());
  EXPECT_FALSE(Loaded().apply("flushDiskType", "sync_flush").empty());
}

}  // namespace
}  // namespace tern::store
