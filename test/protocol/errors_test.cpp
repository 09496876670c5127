#include "tern/protocol/errors.hpp"

#include <gtest/gtest.h>

namespace tern::protocol {
namespace {

TEST(ProtocolErrc, HasATextForEachCode) {
  EXPECT_EQ(error(Errc::kFrameTooLarge, 16'777'213).text(), "protocol: frame too large (16777213)");
  for (int code = 1; code <= static_cast<int>(Errc::kBadBody); ++code) {
    EXPECT_NE(make_error_code(static_cast<Errc>(code)).message(), "unknown error") << code;
  }
}

}  // namespace
}  // namespace tern::protocol
