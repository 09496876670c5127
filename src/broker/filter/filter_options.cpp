#include "broker/filter/filter_options.hpp"

#include <cstdint>

namespace tern::broker {

std::span<const OptionRow<FilterOptions>> filter_option_rows() {
  using O = FilterOptions;
  static const OptionRow<O> kRows[] = {
      {"enablePropertyFilter", &O::is_enabled, "false", anything(),
       "Whether consumers may choose messages by their properties, with SQL92 expressions."},
      {"filterSupportRetry", &O::supports_retry, "false", anything(),
       "Whether a retry topic that is subscribed to by an SQL92 expression gives out what the group's filter of each "
       "message's first topic lets through."},
      {"filterDataCleanTimeSpan", &O::keep_dead_ms, "86400000", range(0, INT64_MAX),
       "Milliseconds for which the filter of a group that has gone is kept."},
      {"expectConsumerNumUseFilter", &O::expected_consumers, "32", range(1, 100'000),
       "Groups with filters that a topic is expected to have: with the next one, the size of the bit maps for which "
       "consumerFilter.json has each group's bits."},
      {"maxErrorRateOfBloomFilter", &O::error_rate_percent, "20", range(1, 99),
       "Per cent of messages that may pass a bit map though the filter does not let them through."},
  };
  return kRows;
}

}  // namespace tern::broker
