#pragma once
// What a connection has to send: headers and small bodies as one text, large bodies as pieces that stay where they are.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <sys/uio.h>
#include <vector>

#include "tern/protocol/command.hpp"

namespace tern::remoting {

/// A queue of bytes in two forms. Belongs to a connection while something is unsent, else to its io thread's pool: a
/// connection without unsent bytes owns no buffer.
class OutQueue {
 public:
  /// A body piece below this is copied behind its header; above, an iovec and a reference are cheaper.
  static constexpr std::size_t kCopyMaxBytes = 1024;

  /// Encodes `command` and its body. Returns the bytes added.
  std::size_t push(const protocol::Outgoing& command, std::int32_t flag, std::int32_t opaque);
  /// The same for a header that another thread has encoded.
  std::size_t push(std::string_view head, const protocol::Body& body);

  [[nodiscard]] std::size_t size() const { return size_; }
  /// Fills `to` from the front of the queue. Returns how many; `*total` becomes their bytes.
  std::size_t gather(iovec* to, std::size_t count_max, std::size_t* total) const;
  /// Forgets `size` bytes at the front: they are sent.
  void consume(std::size_t size);
  void clear();
  [[nodiscard]] std::size_t capacity() const { return text_.capacity() + segments_.capacity() * sizeof(Segment); }

 private:
  struct Segment {
    std::shared_ptr<const void> owner;  // null: `offset` is a place in text_
    const std::byte* bytes = nullptr;
    std::size_t offset = 0;
    std::size_t size = 0;
  };
  void add_text(std::size_t from);
  void add_body(const protocol::Body& body);

  std::string text_;
  std::vector<Segment> segments_;
  std::size_t first_ = 0;       // of segments_: not yet sent
  std::size_t first_sent_ = 0;  // bytes of it that are
  std::size_t size_ = 0;
};

}  // namespace tern::remoting
