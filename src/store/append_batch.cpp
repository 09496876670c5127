#include "tern/store/append_batch.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "tern/base/check.hpp"
#include "tern/base/crc32.hpp"

namespace tern::store {
namespace {

bool takes_queue_offset(std::int32_t sys_flag) {
  const auto transaction = sys_flag & message::kSysTransactionMask;
  return transaction != message::kSysTransactionPrepared && transaction != message::kSysTransactionRollback;
}

}  // namespace

void AppendBatch::begin_group() {
  groups_.push_back({static_cast<std::uint32_t>(records_.size()), 0, 0});
}

bool AppendBatch::stage(const message::RecordParts& given, std::shared_ptr<Queue> queue) {
  TERN_CHECK(!groups_.empty() && !is_settled(), "{} groups, {} of them settled", groups_.size(), settled_);
  auto parts = given;
  parts.properties = message::without_appended_crc(given.properties);
  parts.appends_crc = appends_crcs_;
  const auto total_size = message::record_size(parts);
  if (total_size == 0) return false;

  StagedRecord record;
  record.takes_offset = takes_queue_offset(parts.sys_flag);
  TERN_CHECK(queue != nullptr || !record.takes_offset, "no queue for topic {}", parts.topic);
  record.queue = std::move(queue);
  record.head_at = arena_.size();
  record.head_size =
      static_cast<std::uint32_t>(message::offset_of::body(parts.born_host.is_v6, parts.store_host.is_v6));
  record.tail_size = static_cast<std::uint32_t>(message::tail_size(parts));
  record.body = parts.body;
  record.total_size = static_cast<std::int32_t>(total_size);
  record.born_v6 = parts.born_host.is_v6;

  arena_.resize(record.head_at + record.head_size + record.tail_size);
  auto* const to = head(record);
  const auto body_crc = crc32(parts.body);
  const auto head_size =
      message::encode_head(parts, total_size, static_cast<std::int32_t>(body_crc & 0x7FFF'FFFFU), to);
  TERN_CHECK(head_size == record.head_size &&
                 head_size + record.body.size() + record.tail_size == static_cast<std::size_t>(total_size),
             "head {} + body {} + tail {} of {}", head_size, record.body.size(), record.tail_size, total_size);
  message::encode_tail(parts, to + head_size);
  record.offset_count = parts.offset_count;
  const std::size_t properties_end = record.tail_size - (parts.appends_crc ? message::kAppendedCrcSize : 0);
  if (parts.ends_with_inner_base) record.inner_base_end = static_cast<std::uint32_t>(properties_end);
  if (parts.appends_crc) {
    const auto summed =
        std::span(to + head_size, properties_end - (parts.ends_with_inner_base ? message::kInnerBaseSize : 0));
    record.crc_behind_head.emplace(crc32(summed, body_crc), record.body.size() + summed.size());
  }

  auto& group = groups_.back();
  ++group.count;
  group.total_size += total_size;
  bytes_ += static_cast<std::size_t>(total_size);
  records_.push_back(std::move(record));
  return true;
}

void AppendBatch::drop_group() {
  TERN_CHECK(!is_settled(), "the last of {} groups is settled", groups_.size());
  const auto group = groups_.back();
  groups_.pop_back();
  if (group.count == 0) return;
  arena_.resize(records_[group.first].head_at);
  bytes_ -= static_cast<std::size_t>(group.total_size);
  records_.resize(group.first);
  owned_records_ = std::min(owned_records_, records_.size());
}

void AppendBatch::place(const StagedRecord& record) noexcept {
  const auto& [position, queue_offset, timestamp] = record.placement;
  auto* const head_begin = head(record);
  auto* const tail_begin = head_begin + record.head_size;
  auto* const inner_base_end = tail_begin + record.inner_base_end;
  message::place_head(head_begin, record.born_v6, queue_offset.value, position.value, timestamp);
  if (record.inner_base_end > 0) message::place_inner_base(inner_base_end, queue_offset.value);
  if (!record.crc_behind_head) return;
  auto crc = record.crc_behind_head->joined_to(crc32({head_begin, record.head_size}));
  if (record.inner_base_end > 0) {
    crc = crc32({inner_base_end - message::kInnerBaseSize, message::kInnerBaseSize}, crc);
  }
  message::store_appended_crc(tail_begin + record.tail_size, crc);
}

void AppendBatch::own_bodies() {
  const auto viewed = std::span(records_).subspan(owned_records_);
  std::size_t size = 0;
  for (const auto& record : viewed) size += record.body.size();
  owned_records_ = records_.size();
  if (size == 0) return;
  auto* to = owned_.emplace_back(std::make_unique_for_overwrite<std::byte[]>(size)).get();
  for (auto& record : viewed) {
    if (record.body.empty()) continue;
    std::memcpy(to, record.body.data(), record.body.size());
    record.body = {to, record.body.size()};
    to += record.body.size();
  }
}

void AppendBatch::clear() {
  records_.clear();
  groups_.clear();
  arena_.clear();
  owned_.clear();
  owned_records_ = 0;
  settled_ = 0;
  bytes_ = 0;
}

}  // namespace tern::store
