#pragma once
// Request frames that are made once and sent a million times: what differs between two of them is written into fixed
// places of a copy.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/protocol/command.hpp"

namespace tern::cli {

/// Texts that stand for what varies, in field values and in the body. Each is as wide as what replaces it, so that no
/// length in the frame changes. Numbers are padded with zeros, which every parser of the protocol reads.
inline constexpr std::string_view kBornTimeHole = "@born-time-ms";      // 13 decimal digits: now
inline constexpr std::string_view kNumberHole = "@message-number";      // 15 hex digits: which message of the run
inline constexpr std::string_view kOffsetHole = "@queue-offset@@@@@@";  // 19 decimal digits: where to pull from
inline constexpr int kNumberDigits = 15;
static_assert(kBornTimeHole.size() == 13 && kNumberHole.size() == kNumberDigits && kOffsetHole.size() == 19);

/// Opaques that JSON shows with ten digits. They are the only ones a template can carry.
inline constexpr std::int32_t kOpaqueFirst = 1'000'000'000;

/// The wall clock as text, made anew when the millisecond has changed.
class BornTime {
 public:
  void set(std::int64_t wall_ms);
  [[nodiscard]] std::string_view text() const { return {text_, sizeof(text_)}; }

 private:
  std::int64_t now_ms_ = -1;
  char text_[13] = {};
};

class FrameTemplate {
 public:
  struct Command {
    protocol::HeaderType codec = protocol::HeaderType::kJson;
    protocol::RequestCode code = protocol::RequestCode::kSendMessageV2;
    std::int32_t flag = 0;
    std::vector<protocol::NamedField> fields;
    std::string body;
  };
  explicit FrameTemplate(const Command& command);

  struct Values {
    std::int32_t opaque = kOpaqueFirst;  // kOpaqueFirst or more
    std::string_view born_time;          // of BornTime
    std::uint64_t number = 0;            // of the first message; those behind it in a batch count on
    std::int64_t queue_offset = 0;
  };
  /// The frame with these values, at the end of `to`.
  void append(std::string& to, const Values& values) const;
  [[nodiscard]] std::size_t size() const { return frame_.size(); }
  /// How many places hold a message's number.
  [[nodiscard]] std::size_t numbers() const { return number_at_.size(); }

 private:
  std::string frame_;
  bool is_json_;
  std::size_t opaque_at_ = 0;
  std::vector<std::size_t> born_at_;
  std::vector<std::size_t> number_at_;
  std::vector<std::size_t> offset_at_;
};

/// Whose messages these are: 17 hex digits, the first part of every unique key of a run. With the number behind them
/// they are 32, as long as the keys of all clients.
[[nodiscard]] std::string run_id(std::uint64_t seed);
/// The number in a unique key of this run; nullopt if it is of another.
[[nodiscard]] std::optional<std::uint64_t> number_of(std::string_view unique_key, std::string_view run);

/// What to send.
struct MessageShape {
  std::string topic;
  std::string group = "ternctl_bench";
  std::int64_t body_size = 1024;
  std::int64_t properties_size = 0;  // bytes of a property besides the usual ones
  std::string tag;
  int batch = 1;
  bool is_one_way = false;
  protocol::HeaderType codec = protocol::HeaderType::kJson;
};
/// A send (310) or, with a batch of more than one, a batch send (320) to one queue; with numbers and born time as
/// holes.
[[nodiscard]] FrameTemplate send_template(const MessageShape& shape, std::string_view run, int queue_id);

/// A pull (11) from one queue, with the offset as a hole. `suspend_ms` > 0: the server may wait so long for a message.
struct PullShape {
  std::string topic;
  std::string group = "ternctl_bench";
  int count_max = 32;
  std::string expression = "*";
  std::int64_t suspend_ms = 0;
  protocol::HeaderType codec = protocol::HeaderType::kJson;
};
[[nodiscard]] FrameTemplate pull_template(const PullShape& shape, int queue_id);

}  // namespace tern::cli
