#pragma once
// Text as bytes and back, for tests of files.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "tern/file/disk.hpp"

namespace tern::test {

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

inline std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// [position, position + size) of the file, or the text of the error.
inline std::string read_text(file::File& file, std::int64_t position, std::size_t size) {
  std::string text(size, '?');
  const auto read = file.read(position, std::as_writable_bytes(std::span(text)));
  return read ? text : read.error().text();
}

/// The whole file, or the text of the error.
inline std::string read_text(file::Disk& disk, const std::string& path) {
  const auto file = disk.open(path, file::OpenMode::kRead);
  if (!file) return file.error().text();
  const auto size = (*file)->size();
  if (!size) return size.error().text();
  return read_text(**file, 0, static_cast<std::size_t>(*size));
}

/// Creates or replaces the file's content, without sync.
inline Status write_text(file::Disk& disk, const std::string& path, std::string_view text) {
  const auto file = disk.open(path, file::OpenMode::kCreate);
  if (!file) return file.error();
  if (auto emptied = (*file)->resize(0); !emptied) return emptied;
  return (*file)->write(0, bytes_of(text));
}

}  // namespace tern::test
