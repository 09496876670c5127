#pragma once
// TERN_CHECK: our own invariants. A failed check ends the process, in release builds too: a crash is better than a
// corrupt log. Never for bytes that came from the wire or the disk: those are a Result.

#include <string>

#include <fmt/format.h>

namespace tern {

/// Prints `what` with its place to standard error and aborts. Safe from any thread.
[[noreturn]] void check_failed(const char* file, int line, const char* condition, const std::string& what);

}  // namespace tern

/// TERN_CHECK(condition, "format {}", values...): the values tell the reader of the crash what was wrong.
#define TERN_CHECK(condition, ...)                                                         \
  do {                                                                                     \
    if (!(condition)) [[unlikely]]                                                         \
      ::tern::check_failed(__FILE__, __LINE__, #condition, ::fmt::format("" __VA_ARGS__)); \
  } while (false)
