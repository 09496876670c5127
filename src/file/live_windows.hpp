#pragma once
// Which addresses belong to which file: a fixed table without locks, so that a signal handler can read it.

#include <cstddef>
#include <cstdint>

namespace tern::file {

/// Windows beyond this number are not named when they fault; nothing else changes for them.
inline constexpr std::size_t kLiveWindowsMax = 4096;

/// Registers [begin, begin + size) for as long as the object lives; `path` must live as long. Any thread.
class LiveWindow {
 public:
  LiveWindow(const std::byte* begin, std::size_t size, std::int64_t file_position, const char* path) noexcept;
  ~LiveWindow();
  LiveWindow(const LiveWindow&) = delete;
  LiveWindow& operator=(const LiveWindow&) = delete;

 private:
  std::size_t slot_;  // kLiveWindowsMax: the table was full
};

}  // namespace tern::file
