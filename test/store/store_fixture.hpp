#pragma once
// A store on a simulated disk with its steps in the test's hands, messages that can be told apart, and everything that
// a reader could ask it, as text that can be compared.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tern/message/properties.hpp"
#include "tern/store/store.hpp"

#include "store/log/log_fixture.hpp"
#include "support/bytes.hpp"
#include "support/manual_clock.hpp"
#include "support/simulated_disk.hpp"

namespace tern::store {

inline constexpr std::int64_t kSegmentSize = 4096;
inline constexpr std::int64_t kUpkeepEveryMs = 1000;  // rounds of saving and looks at the space
inline constexpr std::int64_t kRetentionEveryMs = 10'000;

/// Small files everywhere; nothing is refused or removed for want of space.
inline StoreOptions small_store(const char* policy = "ASYNC_FLUSH") {
  StoreOptions options;
  options.root = "/store";
  options.log = small_log("/store/commitlog", kSegmentSize);
  options.log.flush_policy = policy;
  options.log.flush_interval_ms = 1;
  options.log.flush_least_pages = 0;
  options.queues = {"/store/consumequeue", 200 * kQueueEntrySize, 64 << 10, 64};
  options.queues.batch_directory = "/store/batchconsumequeue";
  options.queues.batch_file_size_bytes = 50 * kBatchEntrySize;
  options.index.directory = "/store/index";
  options.index.hash_slots = 64;
  options.index.entries_max = 256;
  options.identity = {"cluster", "broker-a", 0};
  options.free_bytes_min = 0;
  options.disk_warning_percent = 100;
  options.file_reserved_hours = 72;
  options.disk_max_used_percent = 100;
  options.disk_clean_forcibly_percent = 100;
  return options;
}

/// Base is ::testing::Test or TestWithParam.
template <class Base = ::testing::Test>
class OnSimulatedDisk : public Base {
 protected:
  test::ManualClock clock_;
  test::SimulatedDisk disk_{{.clock = &clock_}};
  StoreOptions options_ = small_store();
};

struct Message {
  std::string body;
  std::string topic = "TA";
  std::int32_t queue_id = 0;
  std::string key = {};
  std::int32_t sys_flag = 0;
  std::int16_t inner_count = 0;  // above 0: one record that stands for so many messages
};

inline std::string properties_of(const Message& message) {
  std::string properties;
  message::PropertyWriter writer(properties);
  writer.add(message::property::kKeys, message.key);
  if (message.inner_count > 0) message::append_inner_batch(properties, message.inner_count);
  return properties;
}

/// One process's life with the store. Going out of scope without close() is a kill.
struct StoreLife {
  StoreLife(test::SimulatedDisk& on, test::ManualClock& ticking, const StoreOptions& with, Store::Hooks hooks = {})
      : disk(on), clock(ticking), options(with) {
    if (!disk.make_directories(options.root) || !disk.sync_directory("/")) return;
    auto opened = Store::open(disk, clock, options, std::move(hooks), report);
    if (!opened) {
      problem = opened.error();
      return;
    }
    store = std::move(*opened);
    store->start(nullptr, [this] { ++dispatch_wanted; });
  }

  [[nodiscard]] explicit operator bool() const { return store != nullptr; }
  Store* operator->() const { return store.get(); }

  /// One record; its placement, or its error.
  boost::system::result<Placement, Errc> send(const Message& message) {
    const auto properties = properties_of(message);
    auto parts = parts_of(message.body, message.topic, properties);
    parts.queue_id = message.queue_id;
    parts.sys_flag = message.sys_flag;
    if (message.inner_count > 0) {
      parts.sys_flag |= message::kSysInnerBatch | message::kSysNeedUnwrap;
      parts.offset_count = message.inner_count;
      parts.ends_with_inner_base = true;
    }
    const auto kind = message.sys_flag & message::kSysTransactionMask;
    batch.clear();
    batch.begin_group();
    EXPECT_TRUE(batch.stage(parts, store->queue(message.topic, message.queue_id)));
    batch.records().front().takes_offset = kind == 0 || kind == message::kSysTransactionCommit;
    for (int attempt = 0; attempt < 20 && !batch.is_settled(); ++attempt) {
      store->append(batch);
      if (!batch.is_settled()) store->segments_step();
    }
    const auto& record = batch.records().front();
    if (record.error) return *record.error;
    return record.placement;
  }
  /// Twice at most: ASYNC_FLUSH counts its interval from its first look.
  void flush() {
    const auto& marks = store->log().watermarks();
    for (int looks = 0; looks < 2; ++looks) {
      clock.advance_ms(1);
      store->flush_step();
      if (marks.durable() == marks.published() || !store->log().read_only_reason().empty()) return;
    }
  }
  void dispatch() {
    while (store->dispatch()) {
    }
  }
  /// A second passes and the state is saved, unless nothing has changed.
  void upkeep(std::int64_t passing_ms = kUpkeepEveryMs) {
    clock.advance_ms(passing_ms);
    for (int steps = 0; steps < 100 && store->upkeep_step().done > 0; ++steps) {
    }
  }
  /// All that has been sent is on the disk and in its queues, and the side file says so.
  void save() {
    flush();
    dispatch();
    upkeep();
  }
  Status close() {
    const auto status = store->close();
    store.reset();
    return status;
  }
  void kill() { store.reset(); }

  test::SimulatedDisk& disk;
  test::ManualClock& clock;
  const StoreOptions& options;
  OpenReport report;
  OpenProblem problem;
  int dispatch_wanted = 0;
  std::unique_ptr<Store> store;
  AppendBatch batch;
};

/// The body of the queue's message at `offset`, or why there is none.
inline std::string body_at(const Store& store, const Queue& queue, std::int64_t offset) {
  std::array<QueueEntry, 1> entry;
  const auto count = queue.read({offset}, entry, false);
  if (!count) return count.error().text();
  if (*count == 0) return "no entry";
  const auto record = store.record_at(entry[0].position);
  if (!record) return record.error().text();
  const auto view = message::parse_record(test::bytes_of(*record), message::BodyCheck::kVerifyCrc);
  if (!view) return view.error().text();
  if (view->total_size != entry[0].size || view->queue_offset != offset || view->topic != queue.topic() ||
      view->queue_id != queue.id()) {
    return "another record";
  }
  return test::text_of(view->body);
}

inline std::string body_at(const Store& store, std::string_view topic, std::int32_t queue_id, std::int64_t offset) {
  const auto queue = store.find_queue(topic, queue_id);
  return queue ? body_at(store, *queue, offset) : "no queue";
}

inline std::string bounds_of(const Store& store, std::string_view topic, std::int32_t queue_id) {
  const auto queue = store.find_queue(topic, queue_id);
  return queue ? fmt::format("{}-{}", queue->bounds().min, queue->bounds().max) : "no queue";
}

/// The bodies of all whole records in log order, by walking positions as a client could.
inline std::vector<std::string> bodies_of(const Store& store) {
  std::vector<std::string> bodies;
  for (auto at = store.min_position(); at < store.max_position();) {
    const auto record = store.record_at(at);
    if (!record) {
      at = store.log().next_segment(at);
      continue;
    }
    const auto view = message::parse_record(test::bytes_of(*record), message::BodyCheck::kVerifyCrc);
    EXPECT_TRUE(view) << "position " << at.value << ": " << view.error().text();
    if (!view) break;
    bodies.push_back(test::text_of(view->body));
    at += view->total_size;
  }
  return bodies;
}

/// What readers get: each queue's bounds, entries, bodies and times, and what each of the keys finds.
inline std::vector<std::string> answers_of(Store& store, const std::vector<std::string>& keys = {}) {
  std::map<std::pair<std::string, std::int32_t>, QueuePtr> queues;
  for (const auto& queue : store.queues().all()) queues[{queue->topic(), queue->id()}] = queue;
  std::vector<std::string> answers;
  for (const auto& [name, queue] : queues) {
    const auto [min, max] = queue->bounds();
    answers.push_back(fmt::format("{}#{} {}-{}", name.first, name.second, min, max));
    for (auto at = min; at < max; at += 1) {
      std::array<QueueEntry, 1> entry;
      const auto count = queue->read(at, entry, false);
      const auto time = store.store_time(*queue, at);
      if (!count || *count == 0 || !time) {
        answers.push_back(fmt::format("{}: {}", at, count ? "nothing" : count.error().text()));
        continue;
      }
      const auto lower = store.offset_by_time(*queue, *time, TimeBoundary::kLower);
      const auto upper = store.offset_by_time(*queue, *time, TimeBoundary::kUpper);
      answers.push_back(fmt::format("{}: {} +{} tags {} time {} [{}, {}] {}", at, entry[0].position, entry[0].size,
                                    entry[0].tags_code, *time, lower ? lower->value : -1, upper ? upper->value : -1,
                                    body_at(store, *queue, at.value)));
    }
  }
  for (const auto& key : keys) {
    const auto found = store.query("TA", key, 64, 0, INT64_MAX);
    std::string line = key + ":";
    if (found) {
      for (const auto position : found->positions) line += fmt::format(" {}", position);
    } else {
      line += found.error().text();
    }
    answers.push_back(line);
  }
  return answers;
}

/// Every file below `directory` with all its bytes.
inline std::map<std::string, std::string> files_in(file::Disk& disk, const std::string& directory) {
  std::map<std::string, std::string> files;
  const auto entries = disk.list(directory);
  if (!entries) return files;
  for (const auto& entry : *entries) {
    const auto path = file::join(directory, entry.name);
    if (entry.is_directory) {
      files.merge(files_in(disk, path));
    } else {
      files[path] = test::read_text(disk, path);
    }
  }
  return files;
}

inline void remove_tree(file::Disk& disk, const std::string& directory) {
  const auto entries = disk.list(directory);
  if (!entries) return;
  for (const auto& entry : *entries) {
    const auto path = file::join(directory, entry.name);
    if (entry.is_directory) {
      remove_tree(disk, path);
    } else {
      ASSERT_TRUE(disk.remove(path)) << path;
    }
  }
  ASSERT_TRUE(disk.remove_directory(directory)) << directory;
}

inline void flip_byte(file::Disk& disk, LogPosition position) {
  const auto start = position.value / kSegmentSize * kSegmentSize;
  const auto file = disk.open("/store/commitlog/" + segment_name({start}), file::OpenMode::kReadWrite);
  ASSERT_TRUE(file);
  auto byte = test::read_text(**file, position.value - start, 1);
  byte[0] = static_cast<char>(byte[0] ^ 0x20);
  ASSERT_TRUE((*file)->write(position.value - start, test::bytes_of(byte)));
}

}  // namespace tern::store
