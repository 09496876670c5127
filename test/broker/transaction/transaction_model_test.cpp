// Whatever the order of sends, decisions, questions, rounds, restarts and crashes: a half message that is still in the
// log is visible in its topic once if its application commits, and never if it rolls back; and in the end nobody is
// asked about anything any more. The applications may answer late, twice, or not until they are asked, but a decision
// is never changed.

#include <map>
#include <set>

#include <gmock/gmock.h>

#include "tern/message/message_id.hpp"

#include "broker/transaction/transaction_case.hpp"
#include "support/crash_everywhere.hpp"

namespace tern::broker {
namespace {

using test::CrashPoint;
using test::kCommit;
using test::kRollback;
using test::kUnknown;
using test::SimulatedDisk;

/// One process of the broker, on a disk that outlives it.
class Node final : public test::TransactionCase {
 public:
  Node(SimulatedDisk& on, std::int64_t wall_ms) : TransactionCase("ASYNC_FLUSH", &on) {
    clock.set_wall_ms(wall_ms);
    store_options.log.segment_size_bytes = 128 << 10;
    store_options.log.prepare_ahead_bytes = 64 << 10;
    transaction_options.checks_max = 1000;
    transaction_options.op_bytes_max = 16;
    SetUp();
  }
  void TestBody() override {}
  using TransactionCase::ask_half;
  using TransactionCase::bodies;
  using TransactionCase::clock;
  using TransactionCase::end;
  using TransactionCase::flush;
  using TransactionCase::Half;
  using TransactionCase::halves;
  using TransactionCase::marks;
  using TransactionCase::Question;
  using TransactionCase::questions;
  using TransactionCase::round;
  using TransactionCase::settle;
  using TransactionCase::step;
  using TransactionCase::stored;
  bool is_open() const { return store != nullptr; }
  bool can_store() { return store->log().read_only_reason().empty(); }
  void save_offsets() { static_cast<void>(offsets.save(clock.wall_ms())); }
  /// The end of a process that is asked to go.
  void close() {
    transaction_check->write_all_marks();
    run();
    static_cast<void>(store->close());
    transaction_check->settle_progress();
    save_offsets();
  }
};

struct Transaction {
  bool commits = false;
  Node::Half half;
};
/// By body.
using Transactions = std::map<std::string, Transaction>;

/// What applications have decided, and what they have told the broker.
class Applications {
 public:
  void send(Node& node, bool commits) {
    const auto body = fmt::format("m{}", next_++);
    const bool is_immune = next_ % 7 == 0;
    const auto answer =
        node.ask_half(body, is_immune ? test::Fields{{"CHECK_IMMUNITY_TIME_IN_SECONDS", "40"}} : test::Fields{});
    if (answer->code() != 0) return;
    const auto id = message::parse_offset_message_id(answer->field("msgId"));
    sent[body] = {commits, {std::stoll(answer->field("queueOffset")), id->physical_offset}};
  }
  static void decide(Node& node, const Transaction& transaction) {
    node.end(transaction.half, transaction.commits ? kCommit : kRollback);
  }
  /// Answers a question with what was decided.
  void answer(Node& node, const Node::Question& question) const {
    const auto known = sent.find(question.message.body);
    // Of a send that was not acknowledged nobody has decided anything: as applications do, they roll it back.
    const bool commits = known != sent.end() && known->second.commits;
    node.end(question.half, commits ? kCommit : kRollback, {{"fromTransactionCheck", "true"}});
  }
  Transactions sent;

 private:
  int next_ = 0;
};

// All that can still be decided is. `lost`: what a power cut may have taken.
void check_outcome(Node& node, const Applications& applications, bool may_be_lost) {
  for (int rounds = 0; rounds < 4; ++rounds) {
    node.round();
    for (const auto& question : node.questions()) applications.answer(node, question);
  }
  node.round();
  EXPECT_TRUE(node.questions().empty()) << "somebody is still asked";
  std::map<std::string, int> visible;
  for (const auto& body : node.bodies(node.stored("T"))) ++visible[body];
  std::set<std::string> kept;
  for (const auto& body : node.bodies(node.halves())) kept.insert(body);
  for (const auto& [body, transaction] : applications.sent) {
    EXPECT_TRUE(may_be_lost || kept.contains(body)) << body << " was acknowledged and is lost";
    const int expected = transaction.commits && kept.contains(body) ? 1 : 0;
    EXPECT_EQ(visible[body], expected) << body << (transaction.commits ? " commits" : " rolls back");
  }
  for (const auto& [body, count] : visible) EXPECT_TRUE(applications.sent.contains(body) || count == 0) << body;
  EXPECT_TRUE(node.stored(message::kTransactionDiscardTopic).empty());
}

void random_life(std::uint64_t seed) {
  SCOPED_TRACE(fmt::format("seed {}", seed));
  test::Rng rng(seed);
  const auto chance = [&](int percent) { return static_cast<int>(rng() % 100) < percent; };
  Applications applications;
  auto disk = std::make_unique<SimulatedDisk>();
  auto node = std::make_unique<Node>(*disk, 1'700'000'000'000);
  bool may_be_lost = false;
  std::vector<Node::Question> unanswered;
  const auto one_of = [&](Transactions& all) {
    return std::next(all.begin(), static_cast<std::ptrdiff_t>(rng() % all.size()))->second;
  };
  for (int i = 0; i < 120 && !::testing::Test::HasFailure(); ++i) {
    switch (rng() % 12) {
      case 0:
      case 1:
      case 2:
        applications.send(*node, chance(60));
        break;
      case 3:
      case 4:
        if (!applications.sent.empty()) Applications::decide(*node, one_of(applications.sent));
        break;
      case 5:
        if (!applications.sent.empty()) node->end(one_of(applications.sent).half, kUnknown);
        break;
      case 6:
        node->clock.advance_ms(static_cast<std::int64_t>(rng() % 40'000));
        chance(50) ? static_cast<void>(node->step()) : node->settle();
        break;
      case 7:
        for (auto& question : node->questions()) unanswered.push_back(std::move(question));
        while (!unanswered.empty() && chance(80)) {
          const auto at = rng() % unanswered.size();
          applications.answer(*node, unanswered[at]);
          unanswered.erase(unanswered.begin() + static_cast<std::ptrdiff_t>(at));
        }
        break;
      case 8:
        node->flush();
        node->step();
        break;
      case 9:
        node->save_offsets();
        break;
      case 10:
        if (chance(50)) static_cast<void>(node->marks());
        break;
      default: {
        if (!chance(40)) break;
        const auto now = node->clock.wall_ms();
        const auto end = rng() % 3;
        if (end == 0) node->close();
        node.reset();
        if (end == 1) disk = disk->kill();
        if (end == 2) {
          disk = disk->crash(rng, test::Survival::kDrawn);
          may_be_lost = true;
        }
        node = std::make_unique<Node>(*disk, now + 1'000);
        ASSERT_TRUE(node->is_open());
        // What the power cut took is nobody's any more: its place may be another's.
        if (end == 2) {
          unanswered.clear();
          std::map<std::string, std::int64_t> kept;
          for (const auto& half : node->halves()) kept.emplace(half.body, half.position);
          std::erase_if(applications.sent, [&](const auto& one) {
            const auto found = kept.find(one.first);
            return found == kept.end() || found->second != one.second.half.position;
          });
        }
      }
    }
  }
  if (::testing::Test::HasFailure()) return;
  check_outcome(*node, applications, may_be_lost);
}

TEST(TransactionModel, EndsEachTransactionOnce) {
  constexpr std::uint64_t kSeeds = 150;
  for (std::uint64_t seed = 1; seed <= kSeeds && !::testing::Test::HasFailure(); ++seed) random_life(seed);
}

// One of each kind: ended at once, by an answer, twice, not yet; with rounds, a flush and saved progress between.
Applications all_kinds(Node& node) {
  Applications applications;
  for (int i = 0; i < 6; ++i) applications.send(node, i % 2 == 0);
  const auto decide = [&](const char* body) {
    if (const auto found = applications.sent.find(body); found != applications.sent.end())
      Applications::decide(node, found->second);
  };
  decide("m0");
  decide("m1");
  node.flush();
  node.clock.advance_ms(test::kRoundMs);
  node.settle();
  const auto questions = node.questions();
  if (!questions.empty()) applications.answer(node, questions.front());
  decide("m4");
  node.clock.advance_ms(test::kRoundMs);
  node.settle();
  node.flush();
  node.step();
  node.step();
  node.save_offsets();
  for (const auto& question : node.questions()) {
    if (question.message.body != "m5") applications.answer(node, question);
  }
  node.clock.advance_ms(3'000);
  node.settle();
  node.flush();
  return applications;
}

TEST(TransactionCrash, NothingIsForgottenAndNothingHappensTwice) {
  constexpr std::int64_t kNoon = 1'700'000'000'000;
  test::CrashOptions options;
  options.power_cuts = 3;
  {
    SimulatedDisk disk;
    Node node(disk, kNoon);
    options.first_operation = disk.changes() + 1;
  }
  const auto tried = test::crash_at_every_operation(
      [&](SimulatedDisk& disk) {
        Node node(disk, kNoon);
        return all_kinds(node);
      },
      [&](SimulatedDisk& disk, const CrashPoint& point, const Applications& applications) {
        Node node(disk, kNoon + 200'000);
        ASSERT_TRUE(node.is_open());
        check_outcome(node, applications, point.kind == CrashPoint::Kind::kPowerCut);
      },
      options);
  EXPECT_GT(tried.points, 10);
}

}  // namespace
}  // namespace tern::broker
