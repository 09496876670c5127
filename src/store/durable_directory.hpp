#pragma once
#include <string>
#include <string_view>

#include "tern/file/disk.hpp"

namespace tern::store {

/// The directory that `path` is named in; empty if that is the process's own or the root.
[[nodiscard]] inline std::string parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return std::string(path.substr(0, slash == std::string_view::npos ? 0 : slash));
}

/// Creates the directory if it is not there and makes its name durable: what is synced in it is then there after a
/// power cut. Its parent's name is the caller's affair.
[[nodiscard]] inline Status make_durable_directory(file::Disk& disk, const std::string& path) {
  if (const auto status = disk.make_directories(path); !status) return status;
  const auto parent = parent_of(path);
  return parent.empty() ? Status() : disk.sync_directory(parent);
}

}  // namespace tern::store
