#include "tern/protocol/command.hpp"

namespace tern::protocol {

Body::Body(std::string bytes) {
  append(std::move(bytes));
}

void Body::append(std::string bytes) {
  if (bytes.empty()) return;
  auto owner = std::make_shared<const std::string>(std::move(bytes));
  const std::span<const char> text(*owner);
  append(std::move(owner), std::as_bytes(text));
}

void Body::append(std::shared_ptr<const void> owner, std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  size_ += bytes.size();
  pieces_.push_back({std::move(owner), bytes});
}

std::string Body::to_string() const {
  std::string all;
  all.reserve(size_);
  for (const Piece& piece : pieces_) all.append(reinterpret_cast<const char*>(piece.bytes.data()), piece.bytes.size());
  return all;
}

}  // namespace tern::protocol
