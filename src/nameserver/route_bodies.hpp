#pragma once
// Routes as ready text. Every client asks for every topic it uses every 30 seconds, and the answer hardly ever changes.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

#include "tern/base/thread_annotations.hpp"

#include "nameserver/bodies.hpp"

namespace tern::nameserver {

/// Holds the last text given for a topic and a style, until the table changes; then they are made anew as they are
/// asked for. Bounded by the table: topics without a route are not remembered. All calls from any thread.
class RouteBodies {
 public:
  explicit RouteBodies(const RouteTable& table) : table_(table) {}
  /// nullptr: the topic has no route.
  [[nodiscard]] std::shared_ptr<const std::string> body(std::string_view topic, RouteStyle style);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  using Texts = std::array<std::shared_ptr<const std::string>, 2>;  // by style
  struct Shard {
    Mutex lock;
    std::uint64_t version TERN_GUARDED_BY(lock) = 0;  // of the table, when the texts were made
    boost::unordered_flat_map<std::string, Texts, Hash, std::equal_to<>> texts TERN_GUARDED_BY(lock);
  };
  static constexpr std::size_t kShards = 16;

  const RouteTable& table_;
  std::array<Shard, kShards> shards_;
};

}  // namespace tern::nameserver
