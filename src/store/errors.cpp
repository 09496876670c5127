#include <cerrno>

#include "tern/store/types.hpp"

namespace tern::store {
namespace {

class Category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "store"; }
  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<Errc>(code)) {
      case Errc::kNotReady:
        return "the tail of the log is not prepared yet";
      case Errc::kReadOnly:
        return "the store is read-only";
      case Errc::kDiskFull:
        return "the disk is full";
      case Errc::kRecordTooLarge:
        return "larger than a segment of the log";
      case Errc::kClockBehind:
        return "the clock is behind the last record";
      case Errc::kDamaged:
        return "damaged";
      case Errc::kWrongSegmentSize:
        return "the file has another size than the settings say";
      case Errc::kForeign:
        return "not a store of this broker";
      case Errc::kInUse:
        return "in use by another process";
      case Errc::kNotFound:
        return "not found";
      case Errc::kWouldBlock:
        return "not in memory";
    }
    return "unknown";
  }
};

}  // namespace

std::error_code make_error_code(Errc code) {
  static const Category category;
  return {static_cast<int>(code), category};
}

bool is_no_space(const Error& error) noexcept {
  return error.code == std::errc::no_space_on_device || error.code == std::error_code(EDQUOT, std::generic_category());
}

}  // namespace tern::store
