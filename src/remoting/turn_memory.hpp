#pragma once
// Memory of an io thread's turn: where reads land, where texts outlive the decoder, and what a connection keeps of a
// frame that has not arrived whole. Used by one io thread each.

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace tern::remoting {

/// Reads of one turn land here one after the other, and stay until the turn ends. Pages that no turn reached are never
/// touched, so a quiet thread's buffer is small.
class TurnBuffer {
 public:
  static constexpr std::size_t kSizeBytes = 1024 * 1024;
  static constexpr std::size_t kReadMaxBytes = 256 * 1024;  // by one connection in one turn: one sender is not the turn
  static constexpr std::size_t kReadMinBytes = 64 * 1024;   // less room than this ends the turn

  [[nodiscard]] bool has_room() const { return kSizeBytes - used_ >= kReadMinBytes; }
  [[nodiscard]] std::span<std::byte> room() {
    return {bytes_.get() + used_, std::min(kReadMaxBytes, kSizeBytes - used_)};
  }
  void take(std::size_t size) { used_ += size; }
  void reset() { used_ = 0; }

 private:
  std::unique_ptr<std::byte[]> bytes_ = std::make_unique_for_overwrite<std::byte[]>(kSizeBytes);
  std::size_t used_ = 0;
};

/// Copies of texts that must live until the turn ends.
class TurnTexts {
 public:
  std::string_view keep(std::string_view text) {
    std::byte* to = nullptr;
    if (text.size() > kChunkBytes) {
      to = large_.emplace_back(std::make_unique_for_overwrite<std::byte[]>(text.size())).get();
    } else {
      if (chunk_ == chunks_.size() || kChunkBytes - used_ < text.size()) next_chunk();
      to = chunks_[chunk_].get() + used_;
      used_ += text.size();
    }
    std::memcpy(to, text.data(), text.size());
    return {reinterpret_cast<const char*>(to), text.size()};
  }
  void reset() {
    chunk_ = 0;
    used_ = 0;
    if (chunks_.size() > kChunksKept) chunks_.resize(kChunksKept);
    large_.clear();
  }

 private:
  static constexpr std::size_t kChunkBytes = 64 * 1024;
  static constexpr std::size_t kChunksKept = 8;

  void next_chunk() {
    if (chunk_ < chunks_.size()) ++chunk_;
    if (chunk_ == chunks_.size()) chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(kChunkBytes));
    used_ = 0;
  }

  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::vector<std::unique_ptr<std::byte[]>> large_;
  std::size_t chunk_ = 0;
  std::size_t used_ = 0;
};

/// The part of a frame that has arrived. Its capacity follows the bytes that came, never the length that was announced.
class PartialFrame {
 public:
  PartialFrame() = default;
  PartialFrame(PartialFrame&& other) noexcept { swap(other); }
  PartialFrame& operator=(PartialFrame&& other) noexcept {
    PartialFrame(std::move(other)).swap(*this);
    return *this;
  }
  ~PartialFrame() { std::free(bytes_); }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return {bytes_, size_}; }
  [[nodiscard]] std::span<std::byte> room() { return {bytes_ + size_, capacity_ - size_}; }
  void took(std::size_t size) { size_ += size; }
  /// Sets the capacity. realloc, because for large frames it moves pages and not bytes. Out of memory ends the process.
  void reserve(std::size_t capacity) {
    auto* bytes = static_cast<std::byte*>(std::realloc(bytes_, capacity));
    if (bytes == nullptr) throw std::bad_alloc();
    bytes_ = bytes;
    capacity_ = capacity;
  }
  void swap(PartialFrame& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  std::byte* bytes_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace tern::remoting
