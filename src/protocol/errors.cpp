#include "tern/protocol/errors.hpp"

#include <string>

namespace tern::protocol {
namespace {

class Category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "protocol"; }
  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<Errc>(code)) {
      case Errc::kBadFrame:
        return "impossible frame or header length";
      case Errc::kFrameTooLarge:
        return "frame too large";
      case Errc::kUnknownHeaderType:
        return "unknown header type";
      case Errc::kBadHeader:
        return "undecodable header";
      case Errc::kHeaderTooDeep:
        return "nested too deep";
      case Errc::kMissingField:
        return "missing field";
      case Errc::kBadField:
        return "field is no value of its type";
      case Errc::kBadJson:
        return "no JSON";
      case Errc::kBadBody:
        return "undecodable body";
    }
    return "unknown error";
  }
};

}  // namespace

std::error_code make_error_code(Errc code) {
  static const Category category;
  return {static_cast<int>(code), category};
}

}  // namespace tern::protocol
