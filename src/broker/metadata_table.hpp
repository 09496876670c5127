#pragma once
// What the files of config/ have in common: read once, whole or not at all.

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>

#include "tern/base/log.hpp"
#include "tern/file/metadata_file.hpp"
#include "tern/protocol/json.hpp"

namespace tern::broker {

/// Reads the file, or its backup with a warning. `take` gets the JSON, or null if neither exists. The text, if any,
/// says why start-up must stop: both damaged, or (with `must_exist`) both missing although the store has a log.
std::optional<std::string> load_table(file::MetadataFile& file, std::string_view table_member, bool must_exist,
                                      const std::function<void(const protocol::Json* json)>& take);

/// What a file holds besides what we know of it: written by others, it is kept and written back. {} if `json` is no
/// object.
protocol::Json members_besides(const protocol::Json& json, std::initializer_list<std::string_view> known);

}  // namespace tern::broker
