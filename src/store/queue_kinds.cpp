// The table of a store: one table for each kind of queue, and who is asked which of them a topic's queues are in.
#include <algorithm>
#include <array>
#include <utility>

#include "store/batch_queue_table.hpp"
#include "store/entry_table.hpp"

namespace tern::store {
namespace {

constexpr int kBatchShare = 4;  // batch queues have a quarter of the memory and the descriptors that simple ones have

class QueueKinds final : public QueueTable {
 public:
  QueueKinds(std::unique_ptr<QueueTable> simple, std::unique_ptr<QueueTable> batch, QueueKindOf kind_of)
      : tables_{std::move(simple), std::move(batch)}, kind_of_(std::move(kind_of)) {}

  void ask_store_times(StoreTimeOf store_time_of) override { simple().ask_store_times(std::move(store_time_of)); }

  [[nodiscard]] QueuePtr find(std::string_view topic, std::int32_t id) const override {
    for (const auto& table : tables_) {
      if (auto queue = table->find(topic, id)) return queue;
    }
    return nullptr;
  }
  QueuePtr get_or_create(std::string_view topic, std::int32_t id) override {
    if (auto queue = find(topic, id)) return queue;
    return table_of(topic).get_or_create(topic, id);
  }
  [[nodiscard]] std::vector<QueuePtr> all() const override {
    auto queues = tables_[0]->all();
    for (auto& queue : tables_[1]->all()) queues.push_back(std::move(queue));
    return queues;
  }
  [[nodiscard]] std::vector<QueuePtr> of_topic(std::string_view topic) const override {
    auto queues = tables_[0]->of_topic(topic);
    return queues.empty() ? tables_[1]->of_topic(topic) : queues;
  }

  Status load_from_files(std::string* problem, bool is_synced) override {
    return all_of([&](QueueTable& table) { return table.load_from_files(problem, is_synced); });
  }
  Status restore(std::string_view topic, std::int32_t id, QueueBounds bounds, QueuePositions positions,
                 const std::optional<EntryRange>& entries) override {
    return (entries ? batch() : table_of(topic)).restore(topic, id, bounds, positions, entries);
  }
  void trust_ends() override {
    for (const auto& table : tables_) table->trust_ends();
  }
  Status truncate_to(LogPosition end) override {
    return all_of([&](QueueTable& table) { return table.truncate_to(end); });
  }
  Status cut(Queue& queue, QueueOffset end) override { return table_of(queue).cut(queue, end); }
  Status reset(Queue& queue, QueueOffset first) override { return table_of(queue).reset(queue, first); }

  [[nodiscard]] bool is_memory_full() const noexcept override {
    return tables_[0]->is_memory_full() || tables_[1]->is_memory_full();
  }
  Result<StepResult> write_step(std::int64_t budget_bytes) override {
    StepResult both{0, INT64_MAX};
    for (const auto& table : tables_) {
      const auto wrote = table->write_step(budget_bytes);
      if (!wrote) return wrote.error();
      both.done += wrote->done;
      both.next_ms = std::min(both.next_ms, wrote->next_ms);
    }
    return both;
  }
  [[nodiscard]] Status sync_status() const override {
    const auto status = tables_[0]->sync_status();
    return status ? tables_[1]->sync_status() : status;
  }
  Result<bool> sync_step(int files_max) override {
    for (; syncing_ < tables_.size(); ++syncing_) {
      const auto synced = tables_[syncing_]->sync_step(files_max);
      if (!synced || !*synced) return synced;
    }
    syncing_ = 0;
    return true;
  }
  Status forget_before(LogPosition min_position) override {
    return all_of([&](QueueTable& table) { return table.forget_before(min_position); });
  }
  Status remove_topic(std::string_view topic) override {
    return all_of([&](QueueTable& table) { return table.remove_topic(topic); });
  }
  Status flush_all() override {
    return all_of([](QueueTable& table) { return table.flush_all(); });
  }

 private:
  [[nodiscard]] QueueTable& simple() { return *tables_[static_cast<std::size_t>(QueueKind::kSimple)]; }
  [[nodiscard]] QueueTable& batch() { return *tables_[static_cast<std::size_t>(QueueKind::kBatch)]; }
  [[nodiscard]] QueueTable& table_of(const Queue& queue) { return *tables_[static_cast<std::size_t>(queue.kind())]; }
  /// A topic that nobody knows has the kind of the queues that there are of it.
  [[nodiscard]] QueueTable& table_of(std::string_view topic) {
    const auto kind = kind_of_ ? kind_of_(topic) : std::nullopt;
    const bool is_batch = kind ? *kind == QueueKind::kBatch : !batch().of_topic(topic).empty();
    return is_batch ? batch() : simple();
  }
  /// Both, whatever the first says; its failure comes first.
  template <class Work>
  Status all_of(Work&& work) {
    const Status first = work(simple());
    const Status second = work(batch());
    return first ? second : first;
  }

  const std::array<std::unique_ptr<QueueTable>, 2> tables_;  // by kind
  const QueueKindOf kind_of_;
  std::size_t syncing_ = 0;  // upkeep: the table whose round of syncs is not over
};

}  // namespace

Result<std::unique_ptr<QueueTable>> QueueTable::open(file::Disk& disk, const QueueOptions& options,
                                                     std::string& problem, QueueKindOf kind_of) {
  auto simple = open_entry_table(disk, options, kSimpleLayout, problem);
  if (!simple || options.batch_directory.empty()) return simple;
  QueueOptions of_batches;
  of_batches.directory = options.batch_directory;
  of_batches.file_size_bytes = options.batch_file_size_bytes;
  of_batches.memory_bytes_max = options.memory_bytes_max / kBatchShare;
  of_batches.open_files_max = options.open_files_max / kBatchShare;
  auto batch = open_batch_queue_table(disk, of_batches, problem);
  if (!batch) return batch.error();
  return std::unique_ptr<QueueTable>(
      std::make_unique<QueueKinds>(std::move(*simple), std::move(*batch), std::move(kind_of)));
}

}  // namespace tern::store
