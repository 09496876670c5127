#include "broker/transaction/transactions.hpp"

#include <memory>
#include <span>
#include <string>

#include "tern/message/properties.hpp"
#include "tern/message/topic_name.hpp"

namespace tern::broker {
namespace {

struct OpMessage {
  TransactionMarks::Batch halves;
  std::string text;
};

bool write_some(Transactions& transactions, SendStage& stage) {
  auto op = std::make_shared<OpMessage>();
  auto& marks = transactions.marks;
  op->halves = marks.take(static_cast<std::size_t>(transactions.options.op_bytes_max.get()));
  if (op->halves.empty()) return false;
  for (const auto half : op->halves) {
    op->text += std::to_string(half);
    op->text += ',';
  }
  message::RecordParts parts;
  parts.topic = message::kTransactionOpTopic;
  parts.queue_id = 0;
  parts.born_timestamp = transactions.clock.wall_ms();
  parts.born_host = parts.store_host = transactions.identity.store_host;
  parts.body = std::as_bytes(std::span(op->text));
  auto& properties = stage.scratch();
  properties.clear();
  message::PropertyWriter writer(properties);
  writer.add(message::property::kWait, "true");
  writer.add(message::property::kTags, "d");
  parts.properties = properties;
  const auto done = [op, &transactions](const PutOutcome& outcome) {
    if (!outcome.is_stored()) transactions.marks.give_back(op->halves, transactions.clock.steady_ms());
  };
  if (stage.send(parts, false, done)) return true;
  marks.give_back(op->halves, transactions.clock.steady_ms());
  return false;
}

}  // namespace

void write_marks(Transactions& transactions, SendStage& stage, std::size_t bytes_min) {
  // What is refused at once waits again: so no more rounds than what waits now can need.
  const auto bytes_max = static_cast<std::size_t>(transactions.options.op_bytes_max.get());
  for (std::size_t rounds = transactions.marks.waiting().bytes / bytes_max + 1; rounds > 0; --rounds) {
    const auto waiting = transactions.marks.waiting().bytes;
    if (waiting == 0 || waiting < bytes_min || !write_some(transactions, stage)) return;
  }
}

void mark_ended(Transactions& transactions, SendStage& stage, std::int64_t half) {
  transactions.marks.end(half, transactions.clock.steady_ms());
  write_marks(transactions, stage, static_cast<std::size_t>(transactions.options.op_bytes_max.get()) + 1);
}

}  // namespace tern::broker
