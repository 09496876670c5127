#pragma once
// JSON as Apache's servers and clients write it: maps with unquoted numeric keys (`{0:"a"}`) or whole objects as keys
// (`{{"queueId":1}:5}`), single quotes. The text is normalised to plain JSON first, then parsed with exceptions off.
// The only place of nlohmann_json. Object keys arrive as their own compact JSON text.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "tern/base/result.hpp"

namespace tern::protocol {

using Json = nlohmann::json;  // objects sorted by key, as Apache's beans are

/// Parses a body or a file. kBadJson with the position of the first wrong byte; kHeaderTooDeep beyond kJsonDepthMax.
/// Never throws, never recurses without a bound, allocates in proportion to `text`. Of duplicate members the last one
/// counts. Bytes that are no UTF-8 become U+FFFD. An object key keeps the order of its members and may not hold object
/// keys itself. A number beyond what a double holds is kBadJson with the position behind the text.
[[nodiscard]] Result<Json> parse_json(std::string_view text);

enum class KeyStyle : std::uint8_t {
  kQuoted,    // standard JSON: {"0":"a"}
  kUnquoted,  // fastjson: keys that are whole numbers, and keys that are themselves a JSON object, stand without quotes
};
/// Compact text. Numbers as fastjson writes them (doubles as 0.0); members that are null are left out, as fastjson
/// does; bytes that are no UTF-8 become U+FFFD. Which objects have number keys is not marked in a Json, so kUnquoted
/// unquotes exactly the objects whose member name the caller lists in `maps` ("offsetTable", "brokerAddrs"); one level
/// below such a name, if its keys are names (as in consumerOffset.json), is followed too.
[[nodiscard]] std::string write_json(const Json& value, KeyStyle style = KeyStyle::kQuoted,
                                     std::initializer_list<std::string_view> maps = {});
/// The form of Apache's configuration files (5.5.0's layout): newline and TAB indentation, no blank after the colon,
/// one member per line, arrays of numbers on one line and other arrays one element per line, empty ones `{}` and `[]`,
/// no newline at the end. Keys of `maps` stand unquoted as above.
[[nodiscard]] std::string write_pretty_json(const Json& value, std::initializer_list<std::string_view> maps = {});

/// Members by name, tolerant as fastjson is: numbers given as strings or as 34.0, booleans as "true", numbers and
/// booleans as strings. Absent, null, of another kind, out of range, or `object` is no object: the fallback.
[[nodiscard]] std::int64_t int_member(const Json& object, std::string_view name, std::int64_t fallback = 0);
[[nodiscard]] bool bool_member(const Json& object, std::string_view name, bool fallback = false);
[[nodiscard]] std::string string_member(const Json& object, std::string_view name, std::string_view fallback = {});
/// The member if it is an object (or array), else nullptr.
[[nodiscard]] const Json* object_member(const Json& object, std::string_view name);
[[nodiscard]] const Json* array_member(const Json& object, std::string_view name);

}  // namespace tern::protocol
