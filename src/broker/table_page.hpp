#pragma once
// A part of a table: whoever asks for all topics or all groups may ask for them page by page.

#include <cstdint>
#include <optional>
#include <string_view>

#include "tern/protocol/json.hpp"

#include "broker/data_version.hpp"

namespace tern::broker {

/// What a request says of it; nothing at all means the whole table.
struct TablePage {
  static constexpr std::int64_t kEntriesMax = 2000;

  std::string_view version;  // of the table that the pages before were of, as JSON
  std::string_view first;    // how many entries stand before this page
  std::string_view count;    // of entries, at most
};

/// Leaves in `table` the entries of the page, in the order of their names. Pages of another version begin anew. Numbers
/// that are none count as absent.
void keep_page(const TablePage& page, const DataVersion& version, protocol::Json& table);

}  // namespace tern::broker
