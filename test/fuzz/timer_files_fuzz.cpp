// The timer's four files, from any bytes. The first byte chooses the file, so that one corpus serves all. What is
// accepted and written again is read as the same.

#include "tern/base/check.hpp"

#include "broker/timer/timer_checkpoint.hpp"
#include "broker/timer/timer_log.hpp"
#include "broker/timer/timer_metrics.hpp"
#include "broker/timer/timer_wheel.hpp"
#include "fuzz/fuzz.hpp"
#include "support/bytes.hpp"
#include "support/simulated_disk.hpp"

namespace {

using namespace tern;

void check_checkpoint(std::string content) {
  std::string why;
  if (!broker::TimerCheckpoint::decode(content, why)) TERN_CHECK(!why.empty());
  content.resize(broker::TimerCheckpoint::kFileSize, '\0');
  const auto point = broker::TimerCheckpoint::decode(content, why);
  if (!point) return;
  const auto again = broker::TimerCheckpoint::decode(point->encode(), why);
  TERN_CHECK(again && *again == *point);
}

// What the input leaves of a file of units ends the walk over it, and the next unit goes where the walk ended.
void check_log(const std::string& content) {
  constexpr std::int64_t kFileSize = 400;  // seven units and a blank
  test::SimulatedDisk disk({.file_reservation_bytes = 4096});
  TERN_CHECK(disk.make_directories("timerlog"));
  for (std::int64_t begin = 0; begin < 2 * kFileSize; begin += kFileSize) {
    auto part = content.substr(std::min(content.size(), static_cast<std::size_t>(begin)), kFileSize);
    part.resize(kFileSize, '\0');
    TERN_CHECK(test::write_text(disk, fmt::format("timerlog/{:020}", begin), part));
  }
  broker::TimerLog log(disk, "", kFileSize);
  TERN_CHECK(!log.open());
  std::int64_t end = 0;
  for (auto at = log.next_unit(0); at >= 0; at = log.next_unit(end)) {
    const auto unit = log.read(at);
    TERN_CHECK(unit && at >= end && at + broker::TimerUnit::kSize <= log.files_end());
    TERN_CHECK(unit->previous < at && unit->size > 0 && unit->position >= 0);
    end = at + broker::TimerUnit::kSize;
  }
  TERN_CHECK(log.cut(end));
  broker::TimerUnit unit;
  unit.position = 4096;
  unit.size = 100;
  const auto at = log.append(unit);
  TERN_CHECK(at >= end && log.write(log.end()));
  broker::TimerLog again(disk, "", kFileSize);
  TERN_CHECK(!again.open());
  const auto found = again.read(at);
  TERN_CHECK(found && found->position == unit.position && found->size == unit.size);
  TERN_CHECK(again.next_unit(at + broker::TimerUnit::kSize) < 0);
}

void check_wheel(std::string content) {
  constexpr std::int64_t kSlots = 16, kPrecisionMs = 100;
  const auto read = [](const std::string& bytes, broker::TimerWheel& wheel) {
    test::SimulatedDisk disk({.file_reservation_bytes = 4096});
    TERN_CHECK(test::write_text(disk, "timerwheel", bytes));
    std::int64_t damaged = 0;
    const auto stored = wheel.read(**disk.open("timerwheel", file::OpenMode::kRead), damaged);
    TERN_CHECK(stored && static_cast<std::int64_t>(stored->size()) + damaged <= kSlots);
    for (const auto& [slot_ms, slot] : *stored) {
      TERN_CHECK(slot_ms > 0 && slot_ms % kPrecisionMs == 0 && slot.last >= 0 && wheel.can_hold(slot_ms));
      wheel.set(slot_ms, slot);
    }
    return stored->size();
  };
  broker::TimerWheel wheel(kSlots, kPrecisionMs);
  content.resize(static_cast<std::size_t>(wheel.file_size()), '\0');
  const auto slots = read(content, wheel);
  wheel.change_all();
  std::string written;
  for (const auto& page : wheel.take_changed()) written += page.bytes;
  broker::TimerWheel again(kSlots, kPrecisionMs);
  TERN_CHECK(read(written, again) == slots && again.count() == wheel.count() && again.earliest() == wheel.earliest());
}

void check_metrics(std::string_view content) {
  const auto json = protocol::parse_json(content);
  if (!json) return;
  broker::TimerMetrics metrics;
  metrics.from_json(*json);
  broker::TimerMetrics again;
  again.from_json(metrics.to_json());
  TERN_CHECK(again.to_json() == metrics.to_json());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string content(fuzz::text_of(data + 1, size - 1));
  switch (data[0] % 4) {
    case 0:
      check_checkpoint(content);
      break;
    case 1:
      check_log(content);
      break;
    case 2:
      check_wheel(content);
      break;
    default:
      check_metrics(content);
  }
  return 0;
}
