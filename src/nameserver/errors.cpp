#include "nameserver/errors.hpp"

namespace tern::nameserver {
namespace {

class Category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "registration"; }
  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<Errc>(code)) {
      case Errc::kBodyNotJson:
        return "the body is no JSON, from this position on";
      case Errc::kBodyIncomplete:
        return "the body lacks its topic table, or a topic is no object";
      case Errc::kBodyEndsEarly:
        return "the body ends before the field at this position does";
      case Errc::kBadTopicLine:
        return "a topic line is not \"name readQueues writeQueues perm ...\"; its index";
      case Errc::kBadCompression:
        return "the body is said to be compressed, but is no whole zlib stream";
      case Errc::kInflatedTooLarge:
        return "the body inflates beyond the limit in bytes";
    }
    return "unknown";
  }
};

}  // namespace

std::error_code make_error_code(Errc code) {
  static const Category category;
  return {static_cast<int>(code), category};
}

}  // namespace tern::nameserver
