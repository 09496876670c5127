#pragma once
// What every kind of send begins with: its fields, under long names or short ones, and where it goes, checked in
// Apache's order.

#include <optional>
#include <string_view>

#include "tern/remoting/request.hpp"

#include "broker/send/send_message.hpp"

namespace tern::broker {

/// Views into the request.
struct SendFields {
  std::string_view group;
  std::string_view topic;
  std::string_view default_topic;
  std::int32_t default_topic_queues = 0;
  std::int32_t queue_id = 0;
  std::int32_t sys_flag = 0;
  std::int64_t born_timestamp = 0;
  std::int32_t flag = 0;
  std::string_view properties;
  std::int32_t reconsume_times = 0;
  bool unit_mode = false;
  std::optional<std::int32_t> max_reconsume_times;
  bool batch = false;
};
enum class SendNames : std::uint8_t { kLong, kShort };
[[nodiscard]] boost::system::result<SendFields, protocol::FieldProblem> decode_send(
    const protocol::CommandHeader& header, SendNames names);

struct SendTarget {
  TopicPtr topic;
  std::int32_t queue_id = 0;  // the one that was asked for, or the next
};
/// nullopt: `to` says where it goes; the topic was created if it was missing and may be. Otherwise the refusal.
[[nodiscard]] std::optional<protocol::Response> find_target(const remoting::Request& request, const SendFields& fields,
                                                            SendServices& services, SendTarget& to);

/// Clients read these two of every answer to a send, refusals included.
[[nodiscard]] protocol::Response with_region(protocol::Response response, const BrokerOptions& options);

}  // namespace tern::broker
