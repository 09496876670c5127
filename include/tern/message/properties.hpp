#pragma once
// The property string: name U+0001 value U+0002, repeated; the last U+0002 may be missing. Pairs with an empty name or
// value and segments shorter than 3 bytes do not count; of duplicates the last one does. Pure; find and for_each do not
// allocate.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tern::message {

inline constexpr char kNameEnd = '\x01';
inline constexpr char kPairEnd = '\x02';

namespace property {  // names that the broker itself reads or writes; meanings in docs/format/remoting.md
inline constexpr std::string_view kKeys = "KEYS", kTags = "TAGS", kWait = "WAIT", kDelay = "DELAY",
                                  kRetryTopic = "RETRY_TOPIC", kRealTopic = "REAL_TOPIC", kRealQueueId = "REAL_QID",
                                  kTransactionPrepared = "TRAN_MSG", kProducerGroup = "PGROUP", kUniqueKey = "UNIQ_KEY",
                                  kOriginMessageId = "ORIGIN_MESSAGE_ID", kReconsumeTime = "RECONSUME_TIME",
                                  kMaxReconsumeTimes = "MAX_RECONSUME_TIMES", kMessageRegion = "MSG_REGION",
                                  kTraceSwitch = "TRACE_ON", kCluster = "CLUSTER", kPopCheckpoint = "POP_CK",
                                  kInnerNum = "INNER_NUM", kInnerBase = "INNER_BASE",
                                  kInnerMultiDispatch = "INNER_MULTI_DISPATCH", kTimerDelaySeconds = "TIMER_DELAY_SEC",
                                  kTimerDelayMs = "TIMER_DELAY_MS", kTimerDeliverMs = "TIMER_DELIVER_MS",
                                  kTimerOutMs = "TIMER_OUT_MS", kRedirect = "REDIRECT", kCrc32 = "__CRC32#",
                                  kTransactionId = "__transactionId__", kTransactionChecks = "TRANSACTION_CHECK_TIMES",
                                  kCheckImmunitySeconds = "CHECK_IMMUNITY_TIME_IN_SECONDS",
                                  kFirstHalfOffset = "TRAN_PREPARED_QUEUE_OFFSET", kFirstPopTime = "1ST_POP_TIME",
                                  kPriority = "_SYS_MSG_PRIORITY_", kShardingKey = "__SHARDINGKEY";
}  // namespace property

/// Calls visit(name, value) for every pair that counts, in order, duplicates included.
template <class Visit>
void for_each_property(std::string_view properties, Visit&& visit) {
  while (!properties.empty()) {
    const std::size_t end = properties.find(kPairEnd);
    const std::string_view pair = properties.substr(0, end);
    properties = end == std::string_view::npos ? std::string_view{} : properties.substr(end + 1);
    const std::size_t split = pair.find(kNameEnd);
    if (pair.size() < 3 || split == std::string_view::npos || split == 0 || split + 1 == pair.size()) continue;
    visit(pair.substr(0, split), pair.substr(split + 1));
  }
}

/// The value that counts for `name`; nullopt if there is none.
[[nodiscard]] std::optional<std::string_view> find_property(std::string_view properties, std::string_view name);

/// Builds a property string at the end of `to`. Pairs with an empty name or value are not written; there is no
/// escaping, so names and values must not hold U+0001 or U+0002.
class PropertyWriter {
 public:
  explicit PropertyWriter(std::string& to) : to_(to) {}
  void add(std::string_view name, std::string_view value);
  void add(std::string_view name, std::int64_t value);
  /// Copies every pair that counts of `properties`, but none whose name is in `without`; of duplicates only the last.
  /// Allocates only from kPairsInline pairs up; its time does not grow with the square of their number.
  template <class... Name>
  void copy(std::string_view properties, const Name&... without) {
    const std::array<std::string_view, sizeof...(Name)> names{std::string_view(without)...};
    copy_except(properties, names);
  }
  static constexpr std::size_t kPairsInline = 32;

 private:
  void copy_except(std::string_view properties, std::span<const std::string_view> without);

  std::string& to_;
};

/// Tag hash of the consume queue: Java's hash of TAGS, sign-extended; 0 without a tag.
[[nodiscard]] std::int64_t tags_code(std::string_view properties);

}  // namespace tern::message
