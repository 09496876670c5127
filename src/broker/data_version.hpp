#pragma once
#include <cstdint>

#include "tern/protocol/json.hpp"

namespace tern::broker {

/// Tells two states of a table apart. Equal only if all three are.
struct DataVersion {
  std::int64_t state_version = 0;
  std::int64_t timestamp = 0;
  std::int64_t counter = 0;
  friend bool operator==(const DataVersion&, const DataVersion&) = default;
  void bump(std::int64_t now_ms) { timestamp = now_ms, ++counter; }
};

inline protocol::Json to_json(const DataVersion& version) {
  return {{"counter", version.counter}, {"stateVersion", version.state_version}, {"timestamp", version.timestamp}};
}
inline DataVersion data_version_from_json(const protocol::Json& json) {
  return {protocol::int_member(json, "stateVersion"), protocol::int_member(json, "timestamp"),
          protocol::int_member(json, "counter")};
}

}  // namespace tern::broker
