// Everything that asks the disk is the entry table's affair: what stands here makes offsets of its entries' numbers.
// Few topics have such queues, so one map and one lock do.
#include "store/batch_queue_table.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "tern/base/check.hpp"
#include "tern/base/log.hpp"

#include "store/batch_queue.hpp"
#include "store/entry_table.hpp"

namespace tern::store {
namespace {

class BatchQueueTable final : public QueueTable {
 public:
  explicit BatchQueueTable(std::unique_ptr<QueueTable> entries) : entries_(std::move(entries)) {}

  void ask_store_times(StoreTimeOf store_time_of) override { entries_->ask_store_times(std::move(store_time_of)); }

  [[nodiscard]] QueuePtr find(std::string_view topic, std::int32_t id) const override TERN_EXCLUDES(lock_) {
    const MutexLock hold(lock_);
    const auto found = queues_.find(NameView(topic, id));
    return found == queues_.end() || found->second->is_deleted() ? nullptr : found->second;
  }
  QueuePtr get_or_create(std::string_view topic, std::int32_t id) override { return get_or_create_batch(topic, id); }
  [[nodiscard]] std::vector<QueuePtr> all() const override TERN_EXCLUDES(lock_) {
    const auto queues = batch_queues();
    return {queues.begin(), queues.end()};
  }
  [[nodiscard]] std::vector<QueuePtr> of_topic(std::string_view topic) const override TERN_EXCLUDES(lock_) {
    std::vector<QueuePtr> queues;
    const MutexLock hold(lock_);
    for (auto found = queues_.lower_bound(NameView(topic, 0)); found != queues_.end() && found->first.first == topic;
         ++found) {
      queues.push_back(found->second);
    }
    return queues;
  }

  Status load_from_files(std::string* problem, bool is_synced) override {
    if (const auto status = entries_->load_from_files(problem, is_synced); !status) return status;
    for (const auto& entries : entries_->all()) {
      const auto queue = get_or_create_batch(entries->topic(), entries->id());
      const auto status = queue->place_by_entries();
      if (status) continue;
      if (status.error().code != Errc::kDamaged) return status;
      // Their offsets are none: what the log still holds is entered again.
      log_warning("queue {}#{}: its entries contradict each other", queue->topic(), queue->id());
      if (const auto done = reset(*queue, {0}); !done) return done;
    }
    return {};
  }

  Status restore(std::string_view topic, std::int32_t id, QueueBounds bounds, QueuePositions positions,
                 const std::optional<EntryRange>& entries) override {
    const bool is_empty = bounds.min == bounds.max;
    auto range = entries.value_or(EntryRange{});
    if (const auto known = entries_->find(topic, id); known && is_empty) {
      range.begin = range.end = std::max(range.end, known->bounds().max.value);
    }
    if (bounds.min.value < 0 || bounds.max < bounds.min || is_empty != (range.begin == range.end)) {
      return error(Errc::kDamaged, bounds.max.value);
    }
    if (const auto status = entries_->restore(topic, id, {{range.begin}, {range.end}}, positions); !status) {
      return status;
    }
    get_or_create_batch(topic, id)->place(bounds, range);
    return {};
  }
  void trust_ends() override { entries_->trust_ends(); }

  Status truncate_to(LogPosition end) override {
    if (const auto status = entries_->truncate_to(end); !status) return status;
    return for_each(&BatchQueue::follow_cut);
  }
  Status cut(Queue& wanted, QueueOffset end) override {
    auto& queue = static_cast<BatchQueue&>(wanted);
    const auto [min, max] = queue.bounds();
    TERN_CHECK(end <= max, "cut at {} of {}", end, max);
    if (end == max) return {};
    const auto begin = queue.entries().bounds().min;
    if (end <= min) {
      if (const auto status = entries_->cut(queue.entries(), begin); !status) return status;
      queue.place({end, end}, {begin.value, begin.value});
      return {};
    }
    const auto found = queue.find(end, false);
    if (!found) return found.error();
    if (const auto status = entries_->cut(queue.entries(), {found->number}); !status) return status;
    queue.place({min, {found->entry.base}}, {begin.value, found->number});
    return {};
  }
  Status reset(Queue& wanted, QueueOffset first) override {
    auto& queue = static_cast<BatchQueue&>(wanted);
    if (const auto status = entries_->reset(queue.entries(), {0}); !status) return status;
    queue.place({first, first}, {});
    return {};
  }

  [[nodiscard]] bool is_memory_full() const noexcept override { return entries_->is_memory_full(); }
  Result<StepResult> write_step(std::int64_t budget_bytes) override { return entries_->write_step(budget_bytes); }
  Result<bool> sync_step(int files_max) override { return entries_->sync_step(files_max); }
  [[nodiscard]] Status sync_status() const override { return entries_->sync_status(); }
  Status forget_before(LogPosition min_position) override {
    const auto status = entries_->forget_before(min_position);
    const auto followed = for_each(&BatchQueue::follow_retention);
    return status ? followed : status;
  }
  Status remove_topic(std::string_view topic) override TERN_EXCLUDES(lock_) {
    // The entries first: a queue that is created meanwhile must not stand on those that go.
    const auto status = entries_->remove_topic(topic);
    const MutexLock hold(lock_);
    std::erase_if(queues_, [&](const auto& item) { return item.first.first == topic && item.second->is_deleted(); });
    return status;
  }
  Status flush_all() override { return entries_->flush_all(); }

 private:
  using BatchPtr = std::shared_ptr<BatchQueue>;
  using NameView = std::pair<std::string_view, std::int32_t>;
  struct NameLess {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return NameView(a.first, a.second) < NameView(b.first, b.second);
    }
  };

  BatchPtr get_or_create_batch(std::string_view topic, std::int32_t id) TERN_EXCLUDES(lock_) {
    const MutexLock hold(lock_);
    if (const auto found = queues_.find(NameView(topic, id)); found != queues_.end() && !found->second->is_deleted()) {
      return found->second;
    }
    auto queue = std::make_shared<BatchQueue>(entries_->get_or_create(topic, id));
    queues_.insert_or_assign(std::pair(std::string(topic), id), queue);
    return queue;
  }
  [[nodiscard]] std::vector<BatchPtr> batch_queues() const TERN_EXCLUDES(lock_) {
    std::vector<BatchPtr> queues;
    const MutexLock hold(lock_);
    for (const auto& [name, queue] : queues_) queues.push_back(queue);
    return queues;
  }
  /// All of them, whatever one says; the first failure.
  Status for_each(Status (BatchQueue::*follow)()) {
    Status first_failure;
    for (const auto& queue : batch_queues()) {
      const auto status = ((*queue).*follow)();
      if (!status && first_failure) first_failure = status;
    }
    return first_failure;
  }

  const std::unique_ptr<QueueTable> entries_;
  mutable Mutex lock_;  // outside of the entry table's
  std::map<std::pair<std::string, std::int32_t>, BatchPtr, NameLess> queues_ TERN_GUARDED_BY(lock_);
};

}  // namespace

Result<std::unique_ptr<QueueTable>> open_batch_queue_table(file::Disk& disk, const QueueOptions& options,
                                                           std::string& problem) {
  auto entries = open_entry_table(disk, options, kBatchLayout, problem);
  if (!entries) return entries.error();
  return std::unique_ptr<QueueTable>(std::make_unique<BatchQueueTable>(std::move(*entries)));
}

}  // namespace tern::store
