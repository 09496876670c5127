#include "broker/admin/rates.hpp"

#include <fmt/format.h>

namespace tern::broker {
namespace {

constexpr std::int64_t kSampleEveryMs = 10'000;
constexpr std::size_t kSamplesMax = 61;
constexpr std::size_t kWindows[] = {1, 6, 60};  // in samples

}  // namespace

void Rates::note(std::int64_t steady_ms, std::int64_t count, int day) {
  const std::lock_guard lock(mutex_);
  if (day_ != day) {
    if (day_ >= 0) {
      yesterday_morning_ = this_morning_;
      this_morning_ = count;
    }
    day_ = day;
  }
  if (!samples_.empty() && steady_ms - samples_.back().at_ms < kSampleEveryMs) return;
  samples_.push_back({steady_ms, count});
  if (samples_.size() > kSamplesMax) samples_.pop_front();
}

std::string Rates::text() const {
  const std::lock_guard lock(mutex_);
  if (samples_.size() < 2) return "  ";
  std::string text;
  const auto& newest = samples_.back();
  for (const std::size_t window : kWindows) {
    const auto& oldest = samples_[samples_.size() - 1 - std::min(window, samples_.size() - 1)];
    const double seconds = static_cast<double>(newest.at_ms - oldest.at_ms) / 1000;
    text +=
        fmt::format("{}{:.4f}", text.empty() ? "" : " ", static_cast<double>(newest.count - oldest.count) / seconds);
  }
  return text;
}

std::string Rates::newest() const {
  const auto all = text();
  return all == "  " ? "0.0" : all.substr(0, all.find(' '));
}

std::int64_t Rates::this_morning() const {
  const std::lock_guard lock(mutex_);
  return this_morning_;
}

std::int64_t Rates::yesterday_morning() const {
  const std::lock_guard lock(mutex_);
  return yesterday_morning_;
}

}  // namespace tern::broker
