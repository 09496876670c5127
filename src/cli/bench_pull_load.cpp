#include "cli/bench_pull_load.hpp"

#include <charconv>

#include <fmt/format.h>

namespace tern::cli {
namespace {

constexpr std::int64_t kConnectTimeoutMs = 10'000;
constexpr auto kFound = static_cast<std::int32_t>(protocol::ResponseCode::kSuccess);
constexpr auto kNotFound = static_cast<std::int32_t>(protocol::ResponseCode::kPullNotFound);
constexpr auto kRetry = static_cast<std::int32_t>(protocol::ResponseCode::kPullRetryImmediately);
constexpr auto kMoved = static_cast<std::int32_t>(protocol::ResponseCode::kPullOffsetMoved);

}  // namespace

std::optional<std::int64_t> number_field(const protocol::CommandHeader& header, std::string_view key) {
  const auto text = header.find(key);
  if (!text) return {};
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text->data() + text->size()) return {};
  return number;
}

Outcome<void> connect_all(remoting::BulkClient& client, const std::string& address, int count) {
  for (int i = 0; i < count; ++i) {
    const auto connected = client.connect(address, kConnectTimeoutMs);
    if (!connected) return Failure{fmt::format("connection {} to {}: {}", i + 1, address, connected.error().text())};
  }
  return {};
}

PullLoad::PullLoad(const Clock& clock, AtEnd at_end, OnFound on_found)
    : clock_(clock), at_end_(at_end), on_found_(std::move(on_found)), client_(clock, *this) {}

std::size_t PullLoad::add_shape(FrameTemplate shape) {
  shapes_.push_back(std::move(shape));
  return shapes_.size() - 1;
}

void PullLoad::add(PullCursor cursor) {
  cursor.offset = cursor.begin;
  cursors_.push_back(cursor);
}

void PullLoad::start() {
  const auto now_ns = clock_.steady_ns();
  for (std::size_t i = 0; i < cursors_.size(); ++i) {
    if (cursors_[i].end >= 0 && cursors_[i].begin >= cursors_[i].end) {
      cursors_[i].done = true;
    } else {
      pull(i, now_ns);
    }
  }
}

void PullLoad::pull(std::size_t index, std::int64_t now_ns) {
  auto& cursor = cursors_[index];
  cursor.under_way = true;
  cursor.sent_ns = now_ns;
  ++under_way_;
  FrameTemplate::Values values;
  values.opaque = kOpaqueFirst + static_cast<std::int32_t>(index);
  values.queue_offset = cursor.offset;
  shapes_[cursor.shape].append(client_.out(cursor.connection), values);
}

void PullLoad::fail(std::string problem) {
  if (problem_.empty()) problem_ = std::move(problem);
  stopping_ = true;
}

void PullLoad::received(std::size_t connection, const protocol::CommandHeader& header, std::span<const std::byte> body,
                        std::int64_t now_ns) {
  if (shared_.other != nullptr && connection == shared_.connection)
    return shared_.other->received(connection, header, body, now_ns);
  if (!header.is_response()) return;  // notices that servers send to every client
  const auto index = static_cast<std::size_t>(header.opaque - kOpaqueFirst);
  if (header.opaque < kOpaqueFirst || index >= cursors_.size() || !cursors_[index].under_way ||
      cursors_[index].connection != connection) {
    return fail(fmt::format("an answer to a pull that is not under way (opaque {})", header.opaque));
  }
  auto& cursor = cursors_[index];
  cursor.under_way = false;
  --under_way_;
  const bool is_end = header.code == kNotFound || header.code == kMoved;
  if (header.code != kFound && header.code != kRetry && !is_end) {
    return fail(fmt::format("queue {}: code {}, {}", cursor.queue_id, header.code, header.remark));
  }
  const auto next = number_field(header, "nextBeginOffset");
  if (!next) return fail(fmt::format("queue {}: an answer without nextBeginOffset", cursor.queue_id));
  if (header.code == kFound) {
    ++found_;
    on_found_(cursor, body, now_ns);
  } else {
    ++missed_;
  }
  cursor.offset = *next;
  const bool is_at_end = (cursor.end >= 0 && cursor.offset >= cursor.end) || (is_end && at_end_ != AtEnd::kWait);
  if (is_at_end && at_end_ == AtEnd::kAgain) cursor.offset = cursor.begin;
  if (is_at_end && at_end_ == AtEnd::kStop) cursor.done = true;
  if (!cursor.done && !stopping_) pull(index, now_ns);
}

void PullLoad::ended(std::size_t connection, const Error& why) {
  if (shared_.other != nullptr && connection == shared_.connection) return shared_.other->ended(connection, why);
  fail(fmt::format("connection {} ended: {}", connection, why.text()));
  for (auto& cursor : cursors_) {
    if (cursor.connection != connection || !cursor.under_way) continue;
    cursor.under_way = false;
    --under_way_;
  }
}

}  // namespace tern::cli
