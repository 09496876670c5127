#include "tern/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace tern {

void check_failed(const char* file, int line, const char* condition, const std::string& what) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s: %s\n", file, line, condition, what.c_str());
  std::fflush(stderr);
  std::abort();
}

}  // namespace tern
