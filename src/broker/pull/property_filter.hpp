#pragma once
// Filters by a message's properties: what a pull asks of whoever knows other expressions than tags (filter/).

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tern/protocol/codes.hpp"

namespace tern::broker {

/// Lets messages through by their property string (as records hold it). Constant; any thread; nothing allocates.
class PropertyFilter {
 public:
  virtual ~PropertyFilter() = default;
  [[nodiscard]] virtual bool matches(std::string_view properties) const noexcept = 0;
  /// What matches() costs at most, about, in bytes looked at: what bounds the work of one pull and of one arrival.
  [[nodiscard]] virtual std::int64_t cost(std::size_t properties_bytes) const noexcept = 0;
  /// Memory that it takes, about.
  [[nodiscard]] virtual std::int64_t bytes() const noexcept = 0;
};
using PropertyFilterPtr = std::shared_ptr<const PropertyFilter>;

/// A pull's filter, or why it gets none.
struct PropertyFilterChoice {
  protocol::ResponseCode code = protocol::ResponseCode::kSuccess;
  std::string remark = {};        // unless kSuccess
  PropertyFilterPtr filter = {};  // null: everything passes
};

/// Of a type that is not known here, or is switched off.
inline PropertyFilterChoice not_filtered_by(std::string_view type) {
  return {protocol::ResponseCode::kSystemError,
          "The broker does not support consumer to filter message by " + std::string(type), nullptr};
}

/// Any thread.
class PropertyFilters {
 public:
  virtual ~PropertyFilters() = default;
  /// Of a pull that brings its own expression, whose type is not TAG.
  virtual PropertyFilterChoice of_pull(std::string_view group, std::string_view topic, std::string_view expression,
                                       std::string_view type) = 0;
  /// Of a group that has said in its heartbeats what it wants of the topic, again not by tags. `version` is the pull's.
  virtual PropertyFilterChoice of_group(std::string_view group, std::string_view topic, std::int64_t version,
                                        std::string_view type) = 0;
};

}  // namespace tern::broker
