#pragma once
// The strings of JSON: writing text as one, and reading the escapes of one. Shared by the header codec and the body
// dialect.

#include <cstddef>
#include <string>
#include <string_view>

#include <boost/container/small_vector.hpp>

namespace tern::protocol {

/// True if `text` may stand in a JSON string as it is: printable ASCII without quotation mark and backslash.
[[nodiscard]] bool is_plain(std::string_view text) noexcept;

/// Appends `text` as a JSON string, quotation marks included. Control characters are escaped, other characters stay
/// UTF-8; every byte that is part of no UTF-8 character becomes U+FFFD.
void append_json_string(std::string& to, std::string_view text);
void append_json_string(boost::container::small_vector_base<char>& to, std::string_view text);

/// Resolves the escapes of `raw`, the inside of a JSON string. Writes at most raw.size() bytes to `to` and returns how
/// many. Half a surrogate pair becomes U+FFFD. If an escape is malformed, returns npos, with its position in `bad_at`.
inline constexpr std::size_t npos = std::string_view::npos;
[[nodiscard]] std::size_t unescape_json(std::string_view raw, char* to, std::size_t& bad_at) noexcept;

}  // namespace tern::protocol
