#pragma once
// A command as it came in (views into the frame) and as it goes out (owned). No I/O, no allocation for hot requests.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <boost/container/small_vector.hpp>
#include <fmt/format.h>

#include "tern/base/result.hpp"
#include "tern/protocol/codes.hpp"
#include "tern/protocol/frame.hpp"

namespace tern::protocol {

/// A JSON null, and an empty string of the ROCKETMQ codec, has a value whose data() is null: find() takes it for
/// absent.
struct ExtField {
  std::string_view key;
  std::string_view value;
};

inline constexpr int kJsonDepthMax = 64;  // of objects and arrays within each other, the outermost included

/// A decoded header. All views point into the frame or into the decoder's scratch space: they die with the next
/// decode() of that decoder or with the frame's bytes, whichever is first.
struct CommandHeader {
  std::int32_t code = 0;
  std::int32_t language = 7;  // LanguageCode number; OTHER if unknown
  std::int32_t version = 0;
  std::int32_t opaque = 0;
  bool has_opaque = false;
  std::int32_t flag = 0;
  std::string_view remark;
  boost::container::small_vector<ExtField, 32> fields;  // in order of arrival; of duplicates the last one counts

  [[nodiscard]] bool is_response() const { return (flag & kFlagResponse) != 0; }
  [[nodiscard]] bool is_one_way() const { return (flag & kFlagOneWay) != 0; }
  /// Value of an ext field; nullopt if absent. (A JSON null counts as absent.)
  [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const;
};

/// Decodes headers of both codecs. Keep one per io thread: its scratch space (for JSON strings with escapes) is reused,
/// so a warm decoder does not allocate. Accepts what docs/format/remoting.md lists under "tolerances"; everything else
/// is kBadHeader. Text is handed on byte for byte: bytes that are no UTF-8 are not an error, and not mended. Bounded:
/// nesting kJsonDepthMax; the number of fields only by the header's own size. After a failure `out` holds an arbitrary
/// part of the header.
class HeaderDecoder {
 public:
  HeaderDecoder();
  ~HeaderDecoder();
  HeaderDecoder(HeaderDecoder&&) noexcept;
  HeaderDecoder& operator=(HeaderDecoder&&) noexcept;

  [[nodiscard]] Status decode(HeaderType type, std::span<const std::byte> header, CommandHeader& out);

 private:
  struct Scratch;
  std::unique_ptr<Scratch> scratch_;
};

/// The bytes of a body as a list of pinned pieces, so that a message can go from the log to the socket without a copy.
class Body {
 public:
  struct Piece {
    std::shared_ptr<const void> owner;  // keeps `bytes` alive
    std::span<const std::byte> bytes;
  };
  Body() = default;
  Body(std::string bytes);                             // NOLINT: a text is a body
  Body(const char* text) : Body(std::string(text)) {}  // NOLINT
  /// Empty pieces are not kept.
  void append(std::string bytes);
  void append(std::shared_ptr<const void> owner, std::span<const std::byte> bytes);
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::span<const Piece> pieces() const { return pieces_; }
  [[nodiscard]] std::string to_string() const;  // for tests and small bodies

 private:
  boost::container::small_vector<Piece, 1> pieces_;
  std::size_t size_ = 0;
};

/// Ext fields of an outgoing command, kept as the JSON text they become: `"queueId":"1","msgId":"..."`. Every value is
/// emitted as a JSON string, as clients require. Inline up to 512 bytes.
class OutgoingFields {
 public:
  void add(std::string_view key, std::string_view value);
  void add(std::string_view key, std::int64_t value);
  /// extFields becomes `{}` even if nothing is added (a response whose header class has no set field).
  void set_present() { present_ = true; }
  [[nodiscard]] bool present() const { return present_; }
  [[nodiscard]] std::string_view json() const { return {text_.data(), text_.size()}; }

 private:
  boost::container::small_vector<char, 512> text_;
  bool present_ = false;
};

/// A response, or a request that this process originates.
struct Outgoing {
  std::int32_t code = 0;
  std::string remark;
  OutgoingFields fields;
  Body body;
  std::int32_t version = kProtocolVersion;  // only a forwarded answer says something else

  Outgoing&& field(std::string_view key, std::string_view value) && {
    fields.add(key, value);
    return std::move(*this);
  }
  Outgoing&& field(std::string_view key, const char* value) && {
    fields.add(key, std::string_view(value));
    return std::move(*this);
  }
  template <class T>
    requires std::is_integral_v<T>
  Outgoing&& field(std::string_view key, T value) && {
    if constexpr (std::is_same_v<T, bool>)
      fields.add(key, value ? std::string_view("true") : std::string_view("false"));
    else
      fields.add(key, static_cast<std::int64_t>(value));
    return std::move(*this);
  }
  Outgoing&& with_body(Body bytes) && {
    body = std::move(bytes);
    return std::move(*this);
  }
};
using Response = Outgoing;

[[nodiscard]] inline Response ok() {
  return {};
}
template <class... Args>
[[nodiscard]] Response refuse(ResponseCode code, fmt::format_string<Args...> remark, Args&&... args) {
  Response response;
  response.code = static_cast<std::int32_t>(code);
  response.remark = fmt::format(remark, std::forward<Args>(args)...);
  return response;
}
[[nodiscard]] inline Outgoing request(RequestCode code) {
  Outgoing request;
  request.code = static_cast<std::int32_t>(code);
  return request;
}

/// Appends length, header word and JSON header of `command` to `to`; the body follows it on the wire and is not copied.
/// `flag` and `opaque` as in the header. Always JSON: every client reads it. Bytes that are no UTF-8 become U+FFFD.
/// What a peer sent may come back to it in here, so nothing may grow without a bound: a remark is cut at kRemarkSizeMax
/// bytes, and fields that would overflow the 24 bits of the header's length are replaced by a SYSTEM_ERROR that says
/// so.
inline constexpr std::size_t kRemarkSizeMax = 65'536;
void encode_header(const Outgoing& command, std::int32_t flag, std::int32_t opaque, std::string& to);

/// For tests, tools and binary peers: the whole frame in the ROCKETMQ codec (which cuts code and version to 16 bits,
/// and writes no fields with an empty key or value), or in JSON.
struct NamedField {
  std::string key;
  std::string value;
};
std::string encode_frame(HeaderType type, std::int32_t code, std::int32_t flag, std::int32_t opaque,
                         std::span<const NamedField> fields, std::span<const std::byte> body,
                         std::int32_t version = kProtocolVersion, std::string_view remark = {});

}  // namespace tern::protocol
