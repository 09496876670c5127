#pragma once
// A server's own settings, as remote administration reads and changes them.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tern/base/options.hpp"
#include "tern/base/thread_annotations.hpp"

namespace tern {

/// Owned by main, beside the settings. Any thread; with a `keep` that blocks, update() from a thread that may.
class RuntimeConfig {
 public:
  /// Puts changes where the next start finds them; the text says why that was not possible.
  using Keep = std::function<std::optional<std::string>(std::span<const PropertyLine> changed)>;
  /// `black_list`: keys that may not be changed, ';' between. Without `keep`, changes hold until the process ends.
  explicit RuntimeConfig(OptionSet& options, std::string black_list, Keep keep = {})
      : options_(options), black_list_(std::move(black_list)), keep_(std::move(keep)) {}

  /// All settings, as a properties text.
  [[nodiscard]] std::string text() const;

  struct Refused {
    bool is_black_listed = false;
    std::string why;
  };
  /// All of a properties text, or nothing of it. One that is made but cannot be kept is refused too, and the text says
  /// that it holds until the process ends.
  [[nodiscard]] std::optional<Refused> update(std::string_view properties);

 private:
  [[nodiscard]] bool is_black_listed(std::string_view key) const;
  /// The new values as settings read them, or why there are none.
  [[nodiscard]] std::variant<std::vector<PropertyLine>, Refused> change(const std::vector<PropertyLine>& lines);

  mutable Mutex lock_;
  OptionSet& options_ TERN_GUARDED_BY(lock_);
  const std::string black_list_;
  const Keep keep_;
};

}  // namespace tern
