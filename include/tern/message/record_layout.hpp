#pragma once
// The stored record, byte for byte: docs/format/commit_log_record.md is the table, this the only place of its offsets.
// All integers big-endian. Addresses are 4 or 16 bytes, so the fields behind bornHost move: offset_of has them as
// functions of the address kinds.

#include <cstdint>

namespace tern::message {

inline constexpr std::int32_t kMagicV1 = static_cast<std::int32_t>(0xDAA320A7);     // topic length in one byte
inline constexpr std::int32_t kMagicV2 = static_cast<std::int32_t>(0xDAA320AB);     // topic length in two bytes
inline constexpr std::int32_t kMagicBlank = static_cast<std::int32_t>(0xCBD43194);  // the rest of the segment is empty

/// Bytes of a host: address, then port as i32.
constexpr int host_size(bool v6) {
  return (v6 ? 16 : 4) + 4;
}

namespace offset_of {  // from the record's first byte
inline constexpr int kTotalSize = 0;
inline constexpr int kMagic = 4;
inline constexpr int kBodyCrc = 8;
inline constexpr int kQueueId = 12;
inline constexpr int kFlag = 16;
inline constexpr int kQueueOffset = 20;
inline constexpr int kPhysicalOffset = 28;
inline constexpr int kSysFlag = 36;
inline constexpr int kBornTimestamp = 40;
inline constexpr int kBornHost = 48;
constexpr int store_timestamp(bool born_v6) {
  return kBornHost + host_size(born_v6);
}
constexpr int store_host(bool born_v6) {
  return store_timestamp(born_v6) + 8;
}
constexpr int reconsume_times(bool born_v6, bool store_v6) {
  return store_host(born_v6) + host_size(store_v6);
}
constexpr int prepared_transaction_offset(bool born_v6, bool store_v6) {
  return reconsume_times(born_v6, store_v6) + 4;
}
constexpr int body_length(bool born_v6, bool store_v6) {
  return prepared_transaction_offset(born_v6, store_v6) + 8;
}
constexpr int body(bool born_v6, bool store_v6) {
  return body_length(born_v6, store_v6) + 4;
}
}  // namespace offset_of

namespace batch_offset_of {  // from the first byte of one item of a batch body
inline constexpr int kTotalSize = 0;
inline constexpr int kMagic = 4;    // ignored
inline constexpr int kBodyCrc = 8;  // ignored
inline constexpr int kFlag = 12;
inline constexpr int kBodyLength = 16;
inline constexpr int kBody = 20;
}  // namespace batch_offset_of

inline constexpr int kBlankSizeMin = 8;                               // i32 size, i32 kMagicBlank
inline constexpr int kRecordSizeMinV1 = 91;                           // IPv4 hosts, empty body, topic, properties
inline constexpr int kBatchItemSizeMin = batch_offset_of::kBody + 2;  // empty body, empty properties
inline constexpr int kPropertiesSizeMax = 32'767;                     // its length is an i16
inline constexpr int kAppendedCrcSize = 20;                           // "__CRC32#", U+0001, 10 digits, U+0002
inline constexpr int kTopicSizeMaxV1 = 127;                           // its length is an i8
inline constexpr int kTopicSizeMaxV2 = 32'767;

// Bits of sysFlag.
inline constexpr std::int32_t kSysCompressed = 0x1;
inline constexpr std::int32_t kSysMultiTags = 0x2;
inline constexpr std::int32_t kSysTransactionMask = 0xC;
inline constexpr std::int32_t kSysTransactionPrepared = 0x4;
inline constexpr std::int32_t kSysTransactionCommit = 0x8;
inline constexpr std::int32_t kSysTransactionRollback = 0xC;
inline constexpr std::int32_t kSysBornHostV6 = 0x10;
inline constexpr std::int32_t kSysStoreHostV6 = 0x20;
inline constexpr std::int32_t kSysNeedUnwrap = 0x40;  // the client makes messages of an inner batch
inline constexpr std::int32_t kSysInnerBatch = 0x80;  // the body is that of a batch

// What clients and tools rely on.
static_assert(offset_of::kPhysicalOffset == 28 && offset_of::kSysFlag == 36);
static_assert(offset_of::store_timestamp(false) == 56 && offset_of::store_timestamp(true) == 68);
static_assert(offset_of::store_host(false) == 64 && offset_of::store_host(true) == 76);
static_assert(offset_of::body(false, false) + 1 + 2 == kRecordSizeMinV1);  // i8 topic length, i16 properties length
static_assert(kBatchItemSizeMin == 22);

}  // namespace tern::message
