// The tables of config/ and the store's identity, from any file. The first byte chooses the table, so that one corpus
// serves all. What is accepted and written again is read as the same.

#include "tern/base/check.hpp"
#include "tern/base/work_queue.hpp"
#include "tern/store/side_file.hpp"

#include "broker/assignment/request_modes.hpp"
#include "broker/filter/consumer_filters.hpp"
#include "broker/groups/group_table.hpp"
#include "broker/offsets/offset_table.hpp"
#include "broker/pop/pop_orders.hpp"
#include "broker/schedule/delayed_delivery.hpp"
#include "broker/topics/topic_table.hpp"
#include "fuzz/fuzz.hpp"
#include "support/bytes.hpp"
#include "support/manual_clock.hpp"
#include "support/simulated_disk.hpp"

namespace {

using namespace tern;

constexpr const char* kFirst = "table.json";
constexpr const char* kSecond = "again.json";

/// `make(path)` gives a table over that file, `load` reads it.
template <class Make, class Load>
void check_table(test::SimulatedDisk& disk, const Make& make, const Load& load) {
  auto table = make(kFirst);
  if (const auto problem = load(*table)) {
    TERN_CHECK(problem->find(kFirst) != std::string::npos, "{}", *problem);
    return;
  }
  const auto text = table->to_json().dump();
  TERN_CHECK(test::write_text(disk, kSecond, text));
  auto again = make(kSecond);
  const auto problem = load(*again);
  TERN_CHECK(!problem, "{}: {}", *problem, text);
  TERN_CHECK(again->to_json().dump() == text, "{} became {}", text, again->to_json().dump());
}

/// The same for a table that shows its contents in its file alone.
template <class Table>
void check_saved_table(Table& table, Table& again) {
  if (const auto problem = table.load()) {
    TERN_CHECK(problem->find(kFirst) != std::string::npos, "{}", *problem);
    return;
  }
  TERN_CHECK(table.save());
  const auto problem = again.load();
  TERN_CHECK(!problem, "{}", *problem);
}

void check_filters(test::SimulatedDisk& disk, const Clock& clock) {
  const broker::FilterOptions options;
  broker::ConsumerFilters filters(options, disk, kFirst, clock);
  broker::ConsumerFilters again(options, disk, kFirst, clock);
  check_saved_table(filters, again);
}

void check_identity(test::SimulatedDisk& disk, std::string_view text) {
  TERN_CHECK(disk.make_directories("tern") && test::write_text(disk, "tern/identity", std::string(text)));
  std::string problem;
  const auto found = store::load_identity(disk, "tern", problem);
  TERN_CHECK(found.has_value() == problem.empty(), "{}", problem);
  if (!found || !*found) return;
  // Whom it names may use it, and nobody else.
  TERN_CHECK(store::check_identity(disk, "tern", **found, problem), "{}", problem);
  auto other = **found;
  other.broker_name += "x";
  TERN_CHECK(!store::check_identity(disk, "tern", other, problem));
}

void check_delays(test::SimulatedDisk& disk, const Clock& clock, const broker::BrokerIdentity& identity) {
  // Queues that hold nothing: all progress is beyond their end.
  static test::SimulatedDisk store_disk;
  static const store::StoreOptions options = [] {
    store::StoreOptions made;
    made.root = "store";
    made.log.directory = "store/commitlog";
    made.log.segment_size_bytes = made.log.prepare_ahead_bytes = 4096;
    made.queues = {"store/consumequeue", 100 * store::kQueueEntrySize, 64 << 10, 8};
    made.index.is_enabled = false;
    return made;
  }();
  store::OpenReport report;
  TERN_CHECK(store_disk.make_directories("store"));
  static const auto opened = store::Store::open(store_disk, clock, options, {}, report);
  TERN_CHECK(opened.has_value(), "{}", opened.error().text);
  std::string problem;
  static const auto levels = broker::DelayLevels::parse("1s 5s 10s", problem);
  check_table(
      disk,
      [&](const char* path) {
        return std::make_unique<broker::DelayedDelivery>(clock, **opened, *levels, identity, disk, path,
                                                         broker::DelayedDelivery::OnIoThread());
      },
      [](broker::DelayedDelivery& table) { return table.load(); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto text = fuzz::text_of(data + 1, size - 1);
  test::SimulatedDisk disk;
  static const test::ManualClock clock;  // the store outlives an input
  WorkQueue blocking;
  broker::BrokerOptions options;
  options.cluster_name = "c";
  options.broker_name = "a";
  const broker::BrokerIdentity identity;
  TERN_CHECK(test::write_text(disk, kFirst, std::string(text)));
  switch (data[0] % 8) {
    case 0:
      check_table(
          disk,
          [&](const char* path) {
            return std::make_unique<broker::TopicTable>(options, identity, disk, path, clock, blocking);
          },
          [](broker::TopicTable& table) { return table.load(true); });
      break;
    case 1:
      check_table(
          disk,
          [&](const char* path) { return std::make_unique<broker::GroupTable>(options, disk, path, clock, blocking); },
          [](broker::GroupTable& table) { return table.load(); });
      break;
    case 2:
      check_table(
          disk, [&](const char* path) { return std::make_unique<broker::OffsetTable>(disk, path); },
          [](broker::OffsetTable& table) { return table.load(); });
      break;
    case 3:
      check_filters(disk, clock);
      break;
    case 4:
      check_table(
          disk, [&](const char* path) { return std::make_unique<broker::RequestModes>(disk, path, blocking); },
          [](broker::RequestModes& table) { return table.load(); });
      break;
    case 5: {
      broker::PopOrders orders(clock, disk, kFirst);
      broker::PopOrders again(clock, disk, kFirst);
      check_saved_table(orders, again);
      break;
    }
    case 6:
      check_identity(disk, text);
      break;
    default:
      check_delays(disk, clock, identity);
  }
  return 0;
}
