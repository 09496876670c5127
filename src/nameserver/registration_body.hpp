#pragma once
// The body of REGISTER_BROKER (103) and its neighbours, in all the forms that brokers send.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tern/base/result.hpp"

#include "nameserver/route_table.hpp"

namespace tern::nameserver {

/// What a compressed body may inflate to: room for some 300,000 topics.
inline constexpr std::size_t kInflatedBytesMax = 32U * 1024 * 1024;

enum class BodyForm : std::uint8_t {
  kBare,        // brokers before 3.0.11: a TopicConfigSerializeWrapper
  kJson,        // RegisterBrokerBody
  kCompressed,  // a zlib stream over a binary form
};
/// `has_mappings`: brokers from 5.0.0 on append the static topics to the compressed form. An empty body is an empty
/// table.
[[nodiscard]] Result<RegisteredTopics> decode_registration(std::span<const std::byte> body, BodyForm form,
                                                           bool has_mappings);

[[nodiscard]] DataVersion data_version_from_json(const protocol::Json& json);
/// {brokerName, perm, readQueueNums, topicSysFlag, writeQueueNums}; the name is the caller's.
[[nodiscard]] QueueData queue_data_from_json(const protocol::Json& json);

}  // namespace tern::nameserver
