#pragma once
// A queue for who measures the log alone.

#include <string>

#include "tern/store/queue.hpp"

namespace tern::store {

/// Holds nothing but the next offset, which is all that an append needs.
class OffsetsOnly final : public Queue {
 public:
  [[nodiscard]] const std::string& topic() const noexcept override { return topic_; }
  [[nodiscard]] std::int32_t id() const noexcept override { return 0; }
  [[nodiscard]] bool is_deleted() const noexcept override { return false; }
  Status append(QueueOffset, const QueueEntry&) override { return {}; }
  [[nodiscard]] QueueBounds bounds() const noexcept override { return {}; }
  Result<std::size_t> read(QueueOffset, std::span<QueueEntry>, bool) const override { return std::size_t{0}; }

 private:
  const std::string topic_ = "benchmark";
};

}  // namespace tern::store
