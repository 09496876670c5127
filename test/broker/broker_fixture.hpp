#pragma once
// A broker without a network: its tables, a real store on a disk in memory, one io thread that is stepped by hand, and
// requests built in one line.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tern/message/properties.hpp"
#include "tern/message/topic_name.hpp"

#include "broker/arrivals.hpp"
#include "broker/pop/reviver.hpp"
#include "broker/processors.hpp"
#include "broker/services.hpp"
#include "broker/statistics/readings.hpp"
#include "broker/timer/timers.hpp"
#include "broker/transaction/transaction_check.hpp"
#include "support/bytes.hpp"
#include "support/manual_clock.hpp"
#include "support/simulated_disk.hpp"

namespace tern::test {

using protocol::RequestCode;
using Fields = std::vector<std::pair<std::string, std::string>>;

/// `fields` with those of `changes` in the place of their namesakes; "-name" takes one away.
inline Fields with(Fields fields, const Fields& changes) {
  for (const auto& [key, value] : changes) {
    const auto name = key.starts_with('-') ? key.substr(1) : key;
    std::erase_if(fields, [&](const auto& field) { return field.first == name; });
    if (!key.starts_with('-')) fields.emplace_back(key, value);
  }
  return fields;
}

/// Names and values as a property string.
inline std::string properties(const Fields& pairs) {
  std::string text;
  message::PropertyWriter writer(text);
  for (const auto& [name, value] : pairs) writer.add(name, std::string_view(value));
  return text;
}

/// Where the answer of one request goes.
class CapturedAnswer final : public remoting::Reply::Sink {
 public:
  void answer(std::int32_t /*opaque*/, protocol::Response response) override {
    EXPECT_FALSE(response_.has_value()) << "answered twice";
    response_ = std::move(response);
  }
  void forgotten() override { is_forgotten_ = true; }

  [[nodiscard]] bool has_answer() const { return response_.has_value(); }
  [[nodiscard]] bool is_forgotten() const { return is_forgotten_; }
  /// -1 while there is no answer.
  [[nodiscard]] int code() const { return response_ ? response_->code : -1; }
  [[nodiscard]] std::string remark() const { return response_ ? response_->remark : "no answer"; }
  [[nodiscard]] std::string body() const { return response_ ? response_->body.to_string() : ""; }
  /// "" if the field is absent.
  [[nodiscard]] std::string field(std::string_view name) const {
    if (!response_) return {};
    const auto json = protocol::parse_json("{" + std::string(response_->fields.json()) + "}");
    return json ? protocol::string_member(*json, name) : "";
  }
  [[nodiscard]] std::size_t field_count() const {
    const auto json = protocol::parse_json("{" + std::string(response_ ? response_->fields.json() : "") + "}");
    return json ? json->size() : 0;
  }

 private:
  std::optional<protocol::Response> response_;
  bool is_forgotten_ = false;
};
using AnswerPtr = std::shared_ptr<CapturedAnswer>;

/// A connection that goes nowhere and remembers what was sent over it.
class FakePeer final : public remoting::Peer {
 public:
  explicit FakePeer(std::uint64_t id) : id_(id) {
    host_.address = {10, 0, 0, 9};
    host_.port = static_cast<std::int32_t>(5000 + id);
  }
  [[nodiscard]] std::uint64_t id() const noexcept override { return id_; }
  [[nodiscard]] const message::Host& remote() const noexcept override { return host_; }
  [[nodiscard]] std::string remote_text() const override { return host_.text(); }
  [[nodiscard]] std::size_t io_thread() const noexcept override { return 0; }
  [[nodiscard]] bool is_open() const noexcept override { return is_open_; }
  void notify(protocol::Outgoing request) override { notices_.push_back(std::move(request)); }
  /// Waits until the test answers.
  void call(protocol::Outgoing request, std::int64_t timeout_ms, remoting::AnswerHandler done) override {
    calls_.push_back({std::move(request), timeout_ms, std::move(done)});
  }
  void close() override { is_open_ = false; }
  [[nodiscard]] bool takes_answers() const noexcept override { return takes_answers_; }

  void take_answers(bool takes) { takes_answers_ = takes; }
  [[nodiscard]] const std::vector<protocol::Outgoing>& notices() const { return notices_; }
  struct Call {
    protocol::Outgoing request;
    std::int64_t timeout_ms = 0;
    remoting::AnswerHandler answer;
  };
  /// What is asked of it and not yet answered, oldest first; the test takes the calls over.
  std::vector<Call> take_calls() { return std::exchange(calls_, {}); }
  [[nodiscard]] std::size_t calls() const { return calls_.size(); }
  /// How many notices have come since the last call.
  std::size_t take_notices() { return std::exchange(notices_, {}).size(); }

 private:
  const std::uint64_t id_;
  message::Host host_;
  bool is_open_ = true;
  bool takes_answers_ = true;
  std::vector<protocol::Outgoing> notices_;
  std::vector<Call> calls_;
};
using FakePeerPtr = std::shared_ptr<FakePeer>;

/// A message as it stands in the store.
struct StoredMessage {
  std::string topic;
  std::int32_t queue_id = 0;
  std::int64_t queue_offset = 0;
  std::int64_t position = 0;
  std::int32_t flag = 0;
  std::int32_t sys_flag = 0;
  std::int64_t born_timestamp = 0;
  std::string born_host;
  std::int64_t store_timestamp = 0;
  std::string store_host;
  std::int32_t reconsume_times = 0;
  std::int64_t prepared_offset = 0;
  std::int64_t tags_code = 0;  // of its queue entry
  std::string body;
  std::map<std::string, std::string> properties;
};

struct AskOptions {
  bool is_one_way = false;
  std::int32_t version = 513;
  FakePeerPtr over = nullptr;  // the fixture's peer if null
};

class BrokerFixture : public ::testing::Test {
 protected:
  /// On `another` disk, a broker that is there already; on its own, a new one.
  explicit BrokerFixture(std::string_view flush_policy = "ASYNC_FLUSH", SimulatedDisk* another = nullptr)
      : own_disk(another == nullptr ? std::make_unique<SimulatedDisk>(SimulatedDiskOptions{.clock = &clock}) : nullptr),
        disk(another == nullptr ? *own_disk : *another) {
    settings.add("Broker", broker::broker_option_rows(), options);
    settings.add("Filters", broker::filter_option_rows(), filter_options);
    settings.add("Transactions", broker::transaction_option_rows(), transaction_options);
    settings.add("Replies", broker::reply_option_rows(), reply_options);
    settings.add("Offset resets", broker::reset_option_rows(), reset_options);
    settings.add("Timers", broker::timer_option_rows(), timer_options);
    timer_options.slots_total = 5'000;
    timer_options.log_file_size_bytes = 16 << 10;
    settings.add("POP", broker::pop_option_rows(), pop_options);
    settings.add("Assignment", broker::assignment_option_rows(), assignment_options);
    settings.add("Store", store::store_option_rows(), store_options);
    settings.add("Log", store::log_option_rows(), store_options.log);
    settings.add("Queues", store::queue_option_rows(), store_options.queues);
    settings.add("Index", store::index_option_rows(), store_options.index);
    options.cluster_name = identity.cluster;
    options.broker_name = identity.name;
    identity.store_host.address = {10, 0, 0, 1};
    identity.store_host.port = 10911;
    identity.address = identity.store_host.text();
    store_options.root = "store";
    store_options.identity = {identity.cluster, identity.name, 0};
    store_options.log.directory = "store/commitlog";
    store_options.log.flush_policy = flush_policy;
    store_options.log.segment_size_bytes = 1 << 20;
    store_options.log.prepare_ahead_bytes = 256 << 10;
    // Every flush_step() with ASYNC_FLUSH syncs.
    store_options.log.flush_interval_ms = std::int64_t{0};
    store_options.log.flush_least_pages = 0;
    store_options.queues.directory = "store/consumequeue";
    store_options.queues.batch_directory = "store/batchconsumequeue";
    store_options.index.directory = "store/index";
    store_options.index.hash_slots = 100;
    store_options.index.entries_max = 1000;
  }

  void SetUp() override {
    EXPECT_TRUE(disk.make_directories("store/config"));
    std::string problem;
    levels = broker::DelayLevels::parse(options.delay_levels, problem);
    ASSERT_TRUE(levels) << problem;
    clients.tell(filters);
    store::Store::Hooks hooks;
    hooks.claimed = [this](bool has_records) -> std::optional<std::string> {
      if (auto text = topics.load(has_records)) return text;
      if (auto text = groups.load()) return text;
      if (auto text = filters.load()) return text;
      if (auto text = modes.load()) return text;
      return offsets.load();
    };
    hooks.schedule_tags_code = [this](std::string_view text, std::int64_t stored) {
      return levels->tags_code(text, stored);
    };
    hooks.queue_kind = [this](std::string_view name) -> std::optional<store::QueueKind> {
      const auto topic = topics.find(name);
      return topic ? std::optional(queue_kind(*topic)) : std::nullopt;
    };
    hooks.queue_found = [this](std::string_view topic, std::int32_t queue_id, store::QueueKind kind) {
      topics.ensure_queue(topic, queue_id, kind);
    };
    store::OpenReport report;
    auto opened = store::Store::open(disk, clock, store_options, std::move(hooks), report);
    ASSERT_TRUE(opened) << opened.error().text;
    store = std::move(*opened);
    EXPECT_TRUE(topics.save_first());
    offsets.clamp([this](std::string_view topic, std::int32_t queue_id) -> std::int64_t {
      const auto queue = store->find_queue(topic, queue_id);
      return queue ? queue->bounds().max.value : 0;
    });
    hold = std::make_unique<broker::PullHold>(
        clock, 1, [this](std::size_t, std::function<void()> work) { posted.push_back(std::move(work)); },
        [this](broker::PendingPull pull) { return broker::resume_pull(std::move(pull), *pull_services); });
    services.stages.push_back(std::make_unique<broker::SendStage>(*store, options, identity, clock, 1));
    const auto on_io = [this](std::size_t, std::function<void(broker::SendStage&)> work) {
      posted.push_back([this, work = std::move(work)] { work(stage()); });
    };
    timers = make_timers();
    recall.reset(new broker::RecallServices{options, timer_options, identity, clock, topics, *timers});
    send_services = std::make_unique<broker::SendServices>(
        broker::SendServices{options, identity, *levels, topics, groups, locks, transaction_options, timer_options,
                             clock, *timers, std::vector<std::uint32_t>(1)});
    send_back_services = std::make_unique<broker::SendBackServices>(
        broker::SendBackServices{options, identity, *levels, *store, topics, groups, blocking, on_io});
    make_pull_services();
    transactions.reset(new broker::Transactions{transaction_options,
                                                options,
                                                identity,
                                                clock,
                                                *store,
                                                blocking,
                                                on_io,
                                                store->log().watermarks().published(),
                                                {}});
    transaction_check = std::make_unique<broker::TransactionCheck>(broker::TransactionCheck::Parts{
        *transactions, clients, offsets, topics, store_options.file_reserved_hours, timed_wakeup});
    delayed = make_delayed_delivery();
    replies = std::make_unique<broker::Replies>(
        broker::Replies{reply_options, clock, *send_services, clients, client_calls, on_io});
    offset_reset = std::make_unique<broker::OffsetReset>(
        broker::OffsetReset{reset_options, identity, clients, topics, groups, offsets, *store, *hold, blocking});
    EXPECT_EQ(pop_orders.load(), std::nullopt);
    pop = broker::make_pop({pop_options, options, identity, clock, *store, topics, groups, offsets, filters, cold_reads,
                            pop_orders, timed_wakeup, on_io});
    assignments = std::make_unique<broker::Assignments>(broker::Assignments{
        assignment_options, clients, topics, groups, modes,
        [this](const std::string& topic, const std::function<void(std::optional<broker::AssignedQueues>)>& done) {
          const auto own = topics.find(topic);
          if (!own) return done(std::nullopt);
          broker::AssignedQueues queues;
          for (int id = 0; id < own->read_queues; ++id) queues.push_back({topic, identity.name, id});
          done(std::move(queues));
        }});
    reviver = std::make_unique<broker::Reviver>(*pop);
    reviver->load();
    services.parts = {&options,
                      &identity,
                      &clock,
                      store.get(),
                      &topics,
                      &groups,
                      &clients,
                      &offsets,
                      &locks,
                      hold.get(),
                      &blocking,
                      send_services.get(),
                      pull_services.get(),
                      send_back_services.get(),
                      delayed.get(),
                      /*registration=*/nullptr,
                      /*status=*/nullptr,
                      &runtime_config,
                      /*network=*/nullptr,
                      &filters,
                      transactions.get(),
                      &client_calls,
                      replies.get(),
                      offset_reset.get(),
                      &statistics,
                      timers.get(),
                      recall.get(),
                      pop.get(),
                      assignments.get()};
    store->log().on_durable([this] { posted.push_back([this] { stage().answer_durable(); }); });
    arrivals = std::make_unique<broker::Arrivals>(
        std::vector<store::ArrivalListener*>{hold.get(), pop->hold.get(), reviver.get()});
    store->start(arrivals.get(), [] {});
    prepare_log();
  }

  [[nodiscard]] broker::SendStage& stage() { return *services.stages.front(); }

  std::unique_ptr<broker::DelayedDelivery> make_delayed_delivery() {
    auto made = std::make_unique<broker::DelayedDelivery>(
        clock, *store, *levels, identity, disk, "store/config/delayOffset.json",
        [this](std::size_t, std::function<void(broker::SendStage&)> work) {
          posted.push_back([this, work = std::move(work)] { work(stage()); });
        });
    EXPECT_EQ(made->load(), std::nullopt);
    return made;
  }

  std::unique_ptr<broker::Timers> make_timers() {
    auto made = std::make_unique<broker::Timers>(
        broker::Timers::Parts{clock, *store, timer_options, identity, disk, "store",
                              [this](std::size_t, std::function<void(broker::SendStage&)> work) {
                                posted.push_back([this, work = std::move(work)] { work(stage()); });
                              },
                              timed_wakeup});
    EXPECT_EQ(made->load(), std::nullopt);
    return made;
  }

  /// What the segments thread would do by now.
  void prepare_log() {
    while (store->segments_step().done > 0) {
    }
  }
  /// The end of an io thread's turn and everything that follows from it: appended, dispatched, posted work done, until
  /// nothing moves. Nothing is synced.
  void run() {
    for (bool more = true; more;) {
      more = stage().append();
      prepare_log();
      while (store->dispatch()) {
      }
      while (!posted.empty()) {
        const auto work = std::move(posted.front());
        posted.pop_front();
        work();
        more = true;
      }
      more |= blocking.step().done > 0;
      more |= cold_reads.step().done > 0;
    }
  }
  /// The flush thread syncs the log, and the io thread hears of it.
  void flush() {
    store->flush_step();
    run();
  }

  /// One request in a turn of its own.
  AnswerPtr ask(RequestCode code, const Fields& fields, std::string_view body = {}, const AskOptions& how = {}) {
    auto captured = begin(code, fields, body, how);
    run();
    return captured;
  }
  /// One request, in a turn that goes on.
  AnswerPtr begin(RequestCode code, const Fields& fields, std::string_view body = {}, const AskOptions& how = {}) {
    protocol::CommandHeader header;
    header.code = static_cast<std::int32_t>(code);
    header.version = how.version;
    for (const auto& [key, value] : fields) header.fields.push_back({key, value});
    const remoting::PeerPtr over = how.over ? how.over : peer;
    const remoting::Request request{header, std::as_bytes(std::span(body)), over};
    auto captured = std::make_shared<CapturedAnswer>();
    broker::processor_table().dispatch(services, request, remoting::Reply(captured, 1, how.is_one_way));
    return captured;
  }

  FakePeerPtr new_peer() { return std::make_shared<FakePeer>(next_peer_id++); }

  void make_topic(const std::string& name, int queues = 4,
                  const std::function<void(broker::TopicConfig&)>& change = {}) {
    broker::TopicConfig topic;
    topic.name = name;
    topic.read_queues = topic.write_queues = queues;
    if (change) change(topic);
    topics.put(topic);
  }
  void make_group(const std::string& name, const std::function<void(broker::GroupConfig&)>& change = {}) {
    broker::GroupConfig group;
    group.name = name;
    if (change) change(group);
    groups.put(group);
  }

  static Fields send_fields(const std::string& topic, int queue_id = 0, const Fields& message_properties = {}) {
    return {{"producerGroup", "p"},
            {"topic", topic},
            {"defaultTopic", "TBW102"},
            {"defaultTopicQueueNums", "4"},
            {"queueId", std::to_string(queue_id)},
            {"sysFlag", "0"},
            {"bornTimestamp", "1600000000000"},
            {"flag", "0"},
            {"properties", properties(message_properties)}};
  }
  AnswerPtr send(const std::string& topic, std::string_view body = "hello", const Fields& message_properties = {},
                 const Fields& changes = {}, const AskOptions& how = {}) {
    return ask(RequestCode::kSendMessage, with(send_fields(topic, 0, message_properties), changes), body, how);
  }

  static Fields pull_fields(const std::string& topic, std::int64_t offset, const std::string& subscription = "*") {
    return {{"consumerGroup", "g"}, {"topic", topic},
            {"queueId", "0"},       {"queueOffset", std::to_string(offset)},
            {"maxMsgNums", "32"},   {"sysFlag", "4"},
            {"commitOffset", "0"},  {"suspendTimeoutMillis", "15000"},
            {"subVersion", "0"},    {"subscription", subscription}};
  }
  AnswerPtr pull(const std::string& topic, std::int64_t offset, const Fields& changes = {},
                 const AskOptions& how = {}) {
    return ask(RequestCode::kPullMessage, with(pull_fields(topic, offset), changes), {}, how);
  }

  /// Everything in a queue, in its order.
  std::vector<StoredMessage> stored(std::string_view topic, std::int32_t queue_id = 0) {
    std::vector<StoredMessage> all;
    const auto queue = store->find_queue(topic, queue_id);
    if (!queue) return all;
    for (auto at = queue->bounds().min; at < queue->bounds().max; at += 1) {
      std::array<store::QueueEntry, 1> entry;
      const auto got = queue->read(at, entry, false);
      if (!got || *got != 1) {
        ADD_FAILURE() << topic << "#" << queue_id << " entry " << at.value;
        break;
      }
      const auto bytes = store->record_at(entry[0].position);
      if (!bytes) {
        ADD_FAILURE() << bytes.error().text();
        break;
      }
      all.push_back(stored_message(*bytes));
      all.back().tags_code = entry[0].tags_code;
    }
    return all;
  }
  /// The messages of an answered pull.
  static std::vector<StoredMessage> messages_of(std::string_view body) {
    std::vector<StoredMessage> all;
    while (!body.empty()) {
      const auto front = message::peek_record(std::as_bytes(std::span(body)));
      if (!front || static_cast<std::size_t>(front->total_size) > body.size()) {
        ADD_FAILURE() << "no whole record";
        break;
      }
      all.push_back(stored_message(body));
      body.remove_prefix(static_cast<std::size_t>(front->total_size));
    }
    return all;
  }
  static std::vector<std::string> bodies(const std::vector<StoredMessage>& messages) {
    std::vector<std::string> all;
    for (const auto& one : messages) all.push_back(one.body);
    return all;
  }
  static StoredMessage stored_message(std::string_view bytes) {
    StoredMessage made;
    const auto record = message::parse_record(std::as_bytes(std::span(bytes)), message::BodyCheck::kVerifyCrc);
    if (!record) {
      ADD_FAILURE() << record.error().text();
      return made;
    }
    made.topic = record->topic;
    made.queue_id = record->queue_id;
    made.queue_offset = record->queue_offset;
    made.position = record->physical_offset;
    made.flag = record->flag;
    made.sys_flag = record->sys_flag;
    made.born_timestamp = record->born_timestamp;
    made.born_host = record->born_host.text();
    made.store_timestamp = record->store_timestamp;
    made.store_host = record->store_host.text();
    made.reconsume_times = record->reconsume_times;
    made.prepared_offset = record->prepared_transaction_offset;
    made.body = text_of(record->body);
    message::for_each_property(record->properties, [&](std::string_view name, std::string_view value) {
      EXPECT_TRUE(made.properties.emplace(name, value).second) << "twice: " << name;
    });
    return made;
  }

  ManualClock clock;
  std::unique_ptr<SimulatedDisk> own_disk;
  SimulatedDisk& disk;
  broker::BrokerOptions options;
  broker::FilterOptions filter_options;
  broker::TransactionOptions transaction_options;
  broker::ReplyOptions reply_options;
  broker::ResetOptions reset_options;
  broker::TimerOptions timer_options;
  broker::PopOptions pop_options;
  broker::AssignmentOptions assignment_options;
  store::StoreOptions store_options;
  OptionSet settings{"broker"};
  std::vector<PropertyLine> kept_settings;  // changes that would stand in the file
  RuntimeConfig runtime_config{settings, "configBlackList;brokerConfigPath",
                               [this](std::span<const PropertyLine> changed) {
                                 kept_settings.assign(changed.begin(), changed.end());
                                 return cannot_keep;
                               }};
  std::optional<std::string> cannot_keep;
  broker::BrokerIdentity identity{"c", "b", 0, {}, {}, {}};
  WorkQueue blocking;
  WorkQueue cold_reads;
  std::deque<std::function<void()>> posted;  // to the io thread
  broker::TopicTable topics{options, identity, disk, "store/config/topics.json", clock, blocking};
  broker::GroupTable groups{options, disk, "store/config/subscriptionGroup.json", clock, blocking};
  broker::ClientRegistry clients{clock};
  broker::ClientCalls client_calls;
  broker::ConsumerFilters filters{filter_options, disk, "store/config/consumerFilter.json", clock};
  broker::OffsetTable offsets{disk, "store/config/consumerOffset.json"};
  broker::QueueLocks locks{clock};
  broker::PopOrders pop_orders{clock, disk, "store/config/consumerOrderInfo.json"};
  broker::RequestModes modes{disk, "store/config/messageRequestMode.json", blocking};
  std::optional<broker::DelayLevels> levels;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<broker::PullServices> pull_services;
  std::unique_ptr<broker::PullHold> hold;
  std::unique_ptr<broker::SendServices> send_services;
  std::unique_ptr<broker::SendBackServices> send_back_services;
  broker::Services services;
  std::unique_ptr<broker::DelayedDelivery> delayed;
  Wakeup timed_wakeup;
  std::unique_ptr<broker::Timers> timers;
  std::unique_ptr<broker::RecallServices> recall;
  std::unique_ptr<broker::Transactions> transactions;
  std::unique_ptr<broker::Replies> replies;
  std::unique_ptr<broker::OffsetReset> offset_reset;
  broker::Statistics statistics{
      clock, [this] { return read_counters(*store, offsets, *pull_services->counters, identity.cluster); }};
  std::unique_ptr<broker::TransactionCheck> transaction_check;
  std::unique_ptr<broker::Pop> pop;
  std::unique_ptr<broker::Reviver> reviver;
  std::unique_ptr<broker::Assignments> assignments;
  std::unique_ptr<broker::Arrivals> arrivals;
  std::uint64_t next_peer_id = 1;
  FakePeerPtr peer = new_peer();

 private:
  void make_pull_services() {
    pull_services = std::make_unique<broker::PullServices>(broker::PullServices{
        options, identity, clock, *store, topics, groups, clients, offsets, *hold, cold_reads, &filters});
  }
};

}  // namespace tern::test
