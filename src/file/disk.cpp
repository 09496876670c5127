#include "tern/file/disk.hpp"

namespace tern::file {
namespace {

class Category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "file"; }
  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<Errc>(code)) {
      case Errc::kShortRead:
        return "the file ends inside the range";
      case Errc::kWouldBlock:
        return "not in memory";
      case Errc::kLocked:
        return "another process holds the lock";
    }
    return "unknown";
  }
};

}  // namespace

std::error_code make_error_code(Errc code) {
  static const Category category;
  return {static_cast<int>(code), category};
}

std::string join(std::string_view directory, std::string_view name) {
  std::string path;
  path.reserve(directory.size() + 1 + name.size());
  path.append(directory);
  if (!directory.empty() && directory.back() != '/') path.push_back('/');
  path.append(name);
  return path;
}

}  // namespace tern::file
