#pragma once
// The nameserver's own settings, as remote administration reads and changes them.

#include <optional>
#include <string>
#include <string_view>

#include "tern/base/options.hpp"
#include "tern/base/thread_annotations.hpp"

namespace tern::nameserver {

/// Changes hold until the process ends: the file belongs to whoever wrote it, comments included. Any thread.
class RuntimeConfig {
 public:
  /// `black_list`: keys that may not be changed, ';' between.
  RuntimeConfig(OptionSet& options, std::string black_list) : options_(options), black_list_(std::move(black_list)) {}

  /// All settings, as a properties text.
  [[nodiscard]] std::string text() const;

  struct Refused {
    bool is_black_listed = false;
    std::string why;
  };
  /// All of a properties text, or nothing of it.
  [[nodiscard]] std::optional<Refused> update(std::string_view properties);

 private:
  [[nodiscard]] bool is_black_listed(std::string_view key) const;

  mutable Mutex lock_;
  OptionSet& options_ TERN_GUARDED_BY(lock_);
  const std::string black_list_;
};

}  // namespace tern::nameserver
