#include "remoting/out_queue.hpp"

#include <algorithm>

#include "tern/base/check.hpp"

namespace tern::remoting {

std::size_t OutQueue::push(const protocol::Outgoing& command, std::int32_t flag, std::int32_t opaque) {
  const std::size_t before = size_;
  const std::size_t from = text_.size();
  protocol::encode_header(command, flag, opaque, text_);
  add_text(from);
  add_body(command.body);
  return size_ - before;
}

std::size_t OutQueue::push(std::string_view head, const protocol::Body& body) {
  const std::size_t before = size_;
  const std::size_t from = text_.size();
  text_.append(head);
  add_text(from);
  add_body(body);
  return size_ - before;
}

void OutQueue::add_body(const protocol::Body& body) {
  for (const auto& piece : body.pieces()) {
    if (piece.bytes.empty()) continue;
    if (piece.bytes.size() < kCopyMaxBytes) {
      const std::size_t from = text_.size();
      text_.append(reinterpret_cast<const char*>(piece.bytes.data()), piece.bytes.size());
      add_text(from);
    } else {
      segments_.push_back({piece.owner, piece.bytes.data(), 0, piece.bytes.size()});
      size_ += piece.bytes.size();
    }
  }
}

// The text added since `from` joins the segment before it, so that a turn of small answers is one segment.
void OutQueue::add_text(std::size_t from) {
  const std::size_t size = text_.size() - from;
  size_ += size;
  if (first_ < segments_.size() && segments_.back().bytes == nullptr) {
    segments_.back().size += size;
  } else {
    segments_.push_back({nullptr, nullptr, from, size});
  }
}

std::size_t OutQueue::gather(iovec* to, std::size_t count_max, std::size_t* total) const {
  std::size_t count = 0;
  std::size_t bytes = 0;
  std::size_t skip = first_sent_;
  for (std::size_t i = first_; i < segments_.size() && count < count_max; ++i, skip = 0) {
    const Segment& segment = segments_[i];
    const auto* begin =
        segment.bytes != nullptr ? segment.bytes : reinterpret_cast<const std::byte*>(text_.data()) + segment.offset;
    // sendmsg reads only; iovec has no const form.
    to[count++] = {const_cast<std::byte*>(begin) + skip, segment.size - skip};
    bytes += segment.size - skip;
  }
  *total = bytes;
  return count;
}

void OutQueue::consume(std::size_t size) {
  TERN_CHECK(size <= size_, "{} bytes sent of {} queued", size, size_);
  size_ -= size;
  if (size_ == 0) {
    clear();
    return;
  }
  while (size >= segments_[first_].size - first_sent_) {
    size -= segments_[first_].size - first_sent_;
    segments_[first_].owner.reset();
    first_sent_ = 0;
    ++first_;
  }
  first_sent_ += size;
  // A peer that always lags a little must not make the sent front grow: it is cut once it is the larger half.
  if (first_ > 64 && first_ > segments_.size() / 2) {
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  const auto text = std::find_if(segments_.begin() + static_cast<std::ptrdiff_t>(first_), segments_.end(),
                                 [](const Segment& segment) { return segment.bytes == nullptr; });
  std::size_t sent_text = text == segments_.end() ? text_.size() : text->offset;
  if (text == segments_.begin() + static_cast<std::ptrdiff_t>(first_)) {
    sent_text += first_sent_;
    if (sent_text > 64 * 1024 && sent_text > text_.size() / 2) {
      text->offset += first_sent_;
      text->size -= first_sent_;
      first_sent_ = 0;
    }
  }
  if (sent_text > 64 * 1024 && sent_text > text_.size() / 2) {
    text_.erase(0, sent_text);
    for (std::size_t i = first_; i < segments_.size(); ++i) {
      if (segments_[i].bytes == nullptr) segments_[i].offset -= sent_text;
    }
  }
}

void OutQueue::clear() {
  text_.clear();
  segments_.clear();
  first_ = 0;
  first_sent_ = 0;
  size_ = 0;
}

}  // namespace tern::remoting
