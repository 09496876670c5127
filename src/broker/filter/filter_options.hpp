#pragma once
// The settings of filters by property.

#include <cstdint>
#include <span>

#include "tern/base/options.hpp"

namespace tern::broker {

struct FilterOptions {
  Live<bool> is_enabled = false;                 // enablePropertyFilter
  Live<bool> supports_retry = false;             // filterSupportRetry
  Live<std::int64_t> keep_dead_ms = 86'400'000;  // filterDataCleanTimeSpan
  int expected_consumers = 32;                   // expectConsumerNumUseFilter
  int error_rate_percent = 20;                   // maxErrorRateOfBloomFilter
};
std::span<const OptionRow<FilterOptions>> filter_option_rows();

}  // namespace tern::broker
