#include <system_error>

#include "tern/remoting/peer.hpp"

namespace tern::remoting {
namespace {

class RemotingCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "remoting"; }
  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<Errc>(code)) {
      case Errc::kClosed:
        return "the connection was closed before the answer came";
      case Errc::kTimeout:
        return "no answer in time";
      case Errc::kOverBudget:
        return "too many calls wait for the connection";
      case Errc::kBadAddress:
        return "not an address of the form host:port";
      case Errc::kUnresolved:
        return "the host name cannot be resolved";
    }
    return "unknown error";
  }
};

}  // namespace

std::error_code make_error_code(Errc code) {
  static const RemotingCategory category;
  return {static_cast<int>(code), category};
}

std::optional<std::string_view> Answer::find(std::string_view key) const {
  // From the back: of duplicates the last one counts.
  for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
    if (field->key == key) return field->value;
  }
  return std::nullopt;
}

}  // namespace tern::remoting
