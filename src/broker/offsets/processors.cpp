#include "broker/offsets/processors.hpp"

#include "broker/offsets/requests.hpp"

namespace tern::broker {

std::span<const remoting::ProcessorRow<Services>> offset_processors() {
  using protocol::RequestCode;
  static const remoting::ProcessorRow<Services> kRows[] = {
      {RequestCode::kQueryConsumerOffset, "query_consumer_offset", remoting::processor<&query_consumer_offset>},
      {RequestCode::kUpdateConsumerOffset, "update_consumer_offset", remoting::processor<&update_consumer_offset>},
      {RequestCode::kCloneGroupOffset, "clone_offset", remoting::processor<&clone_offset>},
      {RequestCode::kQueryCorrectionOffset, "query_correction_offset", remoting::processor<&query_correction_offset>},
      {RequestCode::kGetMaxOffset, "get_max_offset", remoting::processor<&get_max_offset>},
      {RequestCode::kGetMinOffset, "get_min_offset", remoting::processor<&get_min_offset>},
      {RequestCode::kSearchOffsetByTimestamp, "search_offset_by_time", remoting::processor<&search_offset_by_time>},
      {RequestCode::kGetEarliestMessageStoreTime, "get_earliest_store_time",
       remoting::processor<&get_earliest_store_time>},
  };
  return kRows;
}

}  // namespace tern::broker
