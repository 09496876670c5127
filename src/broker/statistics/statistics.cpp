#include "broker/statistics/statistics.hpp"

namespace tern::broker {
namespace {

constexpr std::int64_t kMinuteMs = 60'000, kHourMs = 3'600'000;

}  // namespace

void Statistics::Window::note(const Sample& sample) {
  if (!samples.empty() && sample.at_ms - samples.back().at_ms < every_ms) return;
  samples.push_back(sample);
  if (samples.size() > samples_max) samples.pop_front();
}

StatisticsSpan Statistics::Window::until(const Sample& now) const {
  const auto& oldest = samples.front();
  const std::int64_t took_ms = now.at_ms - oldest.at_ms;
  if (took_ms <= 0) return {};
  const std::int64_t sum = now.value - oldest.value;
  return {sum, static_cast<double>(sum) * 1000 / static_cast<double>(took_ms)};
}

Statistics::Item::Item() : minute{kSampleEveryMs, 7, {}}, hour{10 * kMinuteMs, 7, {}}, day{kHourMs, 25, {}} {}

void Statistics::Item::note(const Sample& sample) {
  minute.note(sample);
  hour.note(sample);
  day.note(sample);
}

Statistics::Statistics(const Clock& clock, Read read)
    : clock_(clock), read_(std::move(read)), sampled_at_ms_(clock.steady_ms()) {}

void Statistics::sample() {
  const auto readings = read_();
  const std::lock_guard lock(mutex_);
  const std::int64_t now = clock_.steady_ms();
  const bool is_first = ++round_ == 1;
  for (const auto& reading : readings) {
    const auto found = items_.find({reading.name, reading.key});
    const bool is_new = found == items_.end();
    if (is_new && items_.size() >= kItemsMax) continue;
    auto& item = is_new ? items_[{reading.name, reading.key}] : found->second;
    if (!is_new && reading.value < item.minute.samples.back().value) item = Item();
    // What appears while we look has begun at zero since the last time.
    const bool began_at_zero = reading.began_at_zero || !is_first;
    if (item.minute.samples.empty() && began_at_zero && sampled_at_ms_ < now) item.note({sampled_at_ms_, 0});
    item.note({now, reading.value});
    item.round = round_;
  }
  std::erase_if(items_, [this](const auto& entry) { return entry.second.round != round_; });
  sampled_at_ms_ = now;
}

std::optional<StatisticsView> Statistics::find(std::string_view name, std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const auto found = items_.find({std::string(name), std::string(key)});
  if (found == items_.end()) return std::nullopt;
  const auto& item = found->second;
  const auto& now = item.minute.samples.back();
  return StatisticsView{item.minute.until(now), item.hour.until(now), item.day.until(now)};
}

double Statistics::rate(std::string_view name, std::string_view key) const {
  const auto view = find(name, key);
  return view ? view->minute.per_second : 0;
}

}  // namespace tern::broker
