#pragma once
// Attributes of topics and groups: which there are, what they may be, and how a request changes them.

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tern::broker {

struct AttributeRow {
  enum class Kind : std::uint8_t { kWords, kNumber, kText };
  std::string_view key;
  Kind kind = Kind::kText;
  bool is_mutable = true;
  std::string_view words = {};  // of kWords: '|' between
  std::int64_t number_min = -1;
  std::int64_t number_max = std::numeric_limits<std::int64_t>::max();
};

/// Names begin with '+', which sets, or '-', which takes away.
using AttributeChanges = std::vector<std::pair<std::string, std::string>>;

/// Applies them to `attributes`, or none of them: then the text names the one that is wrong, in Apache's words.
/// `is_new`: only '+', and what is not mutable may be set.
std::optional<std::string> alter_attributes(std::span<const AttributeRow> rows, const AttributeChanges& changes,
                                            bool is_new, std::map<std::string, std::string>& attributes);

}  // namespace tern::broker
