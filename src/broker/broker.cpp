#include "broker/broker.hpp"

#include <array>
#include <unistd.h>

#include "tern/base/check.hpp"
#include "tern/base/log.hpp"
#include "tern/message/topic_name.hpp"

#include "broker/admin/broker_status.hpp"
#include "broker/assignment/nameserver_routes.hpp"
#include "broker/clients/requests.hpp"
#include "broker/processors.hpp"
#include "broker/statistics/readings.hpp"

namespace tern::broker {
namespace {

constexpr std::int64_t kExpiryEveryMs = 10'000;
constexpr std::int64_t kFiltersSaveEveryMs = 10'000;
constexpr std::int64_t kOrdersSaveEveryMs = 10'000;
constexpr std::int64_t kUnregisterPatienceMs = 3000;
constexpr int kDeliveriesPerStep = 512;  // per level
constexpr std::int64_t kHoldTickMs = 20;
constexpr std::int64_t kStageTickMs = 100;

std::string config_path(const std::string& root, std::string_view name) {
  return file::join(file::join(root, "config"), name);
}

}  // namespace

void throw_exception_from_error(const Broker::Problem& problem, const boost::source_location& where) {
  check_failed(where.file_name(), static_cast<int>(where.line()), "broker opened", problem.text);
}

Broker::Broker(Parts parts, BrokerIdentity identity, DelayLevels levels)
    : parts_(parts),
      identity_(std::move(identity)),
      levels_(std::move(levels)),
      blocking_({static_cast<std::size_t>(parts.options.admin_queue_max), "adminBrokerThreadPoolQueueCapacity",
                 &parts.clock, &parts.options.admin_wait_ms_max}),
      cold_reads_({static_cast<std::size_t>(parts.options.pull_queue_max), "pullThreadPoolQueueCapacity", &parts.clock,
                   &parts.options.pull_wait_ms_max}),
      topics_(parts.options, identity_, parts.disk, config_path(parts.store_options.root, "topics.json"), parts.clock,
              blocking_),
      groups_(parts.options, parts.disk, config_path(parts.store_options.root, "subscriptionGroup.json"), parts.clock,
              blocking_),
      clients_(parts.clock),
      filters_(parts.filter_options, parts.disk, config_path(parts.store_options.root, "consumerFilter.json"),
               parts.clock),
      offsets_(parts.disk, config_path(parts.store_options.root, "consumerOffset.json")),
      locks_(parts.clock),
      modes_(parts.disk, config_path(parts.store_options.root, "messageRequestMode.json"), blocking_) {}

Broker::~Broker() = default;

boost::system::result<std::unique_ptr<Broker>, Broker::Problem> Broker::open(Parts parts, BrokerIdentity identity) {
  std::string problem;
  auto levels = DelayLevels::parse(parts.options.delay_levels, problem);
  if (!levels) return Problem{problem};
  std::unique_ptr<Broker> broker(new Broker(parts, std::move(identity), std::move(*levels)));
  if (auto loaded = broker->load(); !loaded) return loaded.error();
  return broker;
}

boost::system::result<void, Broker::Problem> Broker::load() {
  const auto& root = parts_.store_options.root;
  store::Store::Hooks hooks;
  // Recovery asks what it finds in the log against the tables.
  hooks.claimed = [this](bool has_records) -> std::optional<std::string> {
    if (auto problem = topics_.load(has_records)) return problem;
    if (auto problem = groups_.load()) return problem;
    if (auto problem = filters_.load()) return problem;
    if (auto problem = modes_.load()) return problem;
    return offsets_.load();
  };
  hooks.schedule_tags_code = [levels = levels_](std::string_view properties, std::int64_t stored) {
    return levels.tags_code(properties, stored);
  };
  hooks.queue_kind = [this](std::string_view name) -> std::optional<store::QueueKind> {
    const auto topic = topics_.find(name);
    return topic ? std::optional(queue_kind(*topic)) : std::nullopt;
  };
  hooks.queue_found = [this](std::string_view topic, std::int32_t queue_id, store::QueueKind kind) {
    topics_.ensure_queue(topic, queue_id, kind);
  };
  hooks.committed_offsets = [this] {
    std::vector<store::CommittedOffset> committed;
    for (const auto& [queue, offset] : offsets_.largest()) committed.push_back({queue.first, queue.second, offset});
    return committed;
  };
  auto opened = store::Store::open(parts_.disk, parts_.clock, parts_.store_options, std::move(hooks), report_);
  if (!opened) return Problem{opened.error().text};
  store_ = std::move(*opened);
  warnings_ = report_.warnings;
  auto made = parts_.disk.make_directories(file::join(root, "config"));
  if (made)
    made = parts_.disk.sync_directory(root);  // else a power cut could take the directory with all that is in it
  if (!made) return Problem{fmt::format("{}/config: {}", root, made.error().text())};
  // From the first record on, a store without topics.json is a damaged one.
  if (const auto saved = topics_.save_first(); !saved) {
    return Problem{fmt::format("{}: {}", config_path(root, "topics.json"), saved.error().text())};
  }
  offsets_.clamp([this](std::string_view topic, std::int32_t queue_id) -> std::int64_t {
    const auto queue = store_->find_queue(topic, queue_id);
    return queue ? queue->bounds().max.value : 0;
  });

  const auto on_io = [this](std::size_t io_thread, std::function<void(SendStage&)> work) {
    on_io_thread(io_thread, std::move(work));
  };
  delayed_ = std::make_unique<DelayedDelivery>(parts_.clock, *store_, levels_, identity_, parts_.disk,
                                               config_path(root, "delayOffset.json"), on_io);
  if (auto problem = delayed_->load()) return Problem{*problem};
  timers_ = std::make_unique<Timers>(Timers::Parts{parts_.clock, *store_, parts_.timer_options, identity_, parts_.disk,
                                                   root, on_io, delayed_->wakeup()});
  if (auto problem = timers_->load()) return Problem{*problem};
  recall_.reset(new RecallServices{parts_.options, parts_.timer_options, identity_, parts_.clock, topics_, *timers_});
  transactions_.reset(new Transactions{parts_.transaction_options,
                                       parts_.options,
                                       identity_,
                                       parts_.clock,
                                       *store_,
                                       blocking_,
                                       on_io,
                                       store_->log().watermarks().published(),
                                       {}});
  transaction_check_ = std::make_unique<TransactionCheck>(TransactionCheck::Parts{
      *transactions_, clients_, offsets_, topics_, parts_.store_options.file_reserved_hours, delayed_->wakeup()});

  const std::size_t threads = parts_.network.io_threads();
  hold_ = std::make_unique<PullHold>(
      parts_.clock, threads,
      [this](std::size_t io_thread, std::function<void()> work) { parts_.network.post(io_thread, std::move(work)); },
      [this](PendingPull pull) { return resume_pull(std::move(pull), *pull_); });
  send_ = std::make_unique<SendServices>(SendServices{parts_.options, identity_, levels_, topics_, groups_, locks_,
                                                      parts_.transaction_options, parts_.timer_options, parts_.clock,
                                                      *timers_, std::vector<std::uint32_t>(threads)});
  send_back_ = std::make_unique<SendBackServices>(
      SendBackServices{parts_.options, identity_, levels_, *store_, topics_, groups_, blocking_, on_io});
  pull_ = std::make_unique<PullServices>(PullServices{parts_.options, identity_, parts_.clock, *store_, topics_,
                                                      groups_, clients_, offsets_, *hold_, cold_reads_, &filters_});
  pop_orders_ = std::make_unique<PopOrders>(parts_.clock, parts_.disk, config_path(root, "consumerOrderInfo.json"));
  if (auto problem = pop_orders_->load()) return Problem{*problem};
  pop_ = make_pop({parts_.pop_options, parts_.options, identity_, parts_.clock, *store_, topics_, groups_, offsets_,
                   filters_, cold_reads_, *pop_orders_, delayed_->wakeup(), on_io});
  reviver_ = std::make_unique<Reviver>(*pop_);
  reviver_->load();
  arrivals_ =
      std::make_unique<Arrivals>(std::vector<store::ArrivalListener*>{hold_.get(), pop_->hold.get(), reviver_.get()});
  replies_ =
      std::make_unique<Replies>(Replies{parts_.reply_options, parts_.clock, *send_, clients_, client_calls_, on_io});
  offset_reset_ = std::make_unique<OffsetReset>(
      OffsetReset{parts_.reset_options, identity_, clients_, topics_, groups_, offsets_, *store_, *hold_, blocking_});
  statistics_ = std::make_unique<Statistics>(
      parts_.clock, [this] { return read_counters(*store_, offsets_, *pull_->counters, identity_.cluster); });
  status_ = std::make_unique<BrokerStatus>(parts_.clock, parts_.options, identity_, *store_, *pull_, *timers_,
                                           parts_.network);
  registration_ =
      std::make_unique<NameserverRegistration>(parts_.network, parts_.options, identity_, topics_, parts_.clock);
  assignments_ =
      std::make_unique<Assignments>(Assignments{parts_.assignment_options, clients_, topics_, groups_, modes_,
                                                nameserver_routes(*registration_, topics_, identity_)});
  for (std::size_t i = 0; i < threads; ++i) {
    const auto seed = static_cast<std::uint64_t>(parts_.clock.wall_ms()) * 1'000'003 +
                      static_cast<std::uint64_t>(::getpid()) * 257 + i;
    services_.stages.push_back(std::make_unique<SendStage>(*store_, parts_.options, identity_, parts_.clock, seed));
    wake_posted_.push_back(std::make_unique<std::atomic<bool>>(false));
  }
  services_.parts = {&parts_.options,     &identity_,        &parts_.clock,
                     store_.get(),        &topics_,          &groups_,
                     &clients_,           &offsets_,         &locks_,
                     hold_.get(),         &blocking_,        send_.get(),
                     pull_.get(),         send_back_.get(),  delayed_.get(),
                     registration_.get(), status_.get(),     &parts_.settings,
                     &parts_.network,     &filters_,         transactions_.get(),
                     &client_calls_,      replies_.get(),    offset_reset_.get(),
                     statistics_.get(),   timers_.get(),     recall_.get(),
                     pop_.get(),          assignments_.get()};

  // Whoever moves a watermark for others wakes the io threads: they answer, try again and dispatch.
  store_->log().on_durable([this] { wake_io_threads(); });
  store_->log().on_published([this] { wake_io_threads(); });
  store_->log().on_prepared([this] { wake_io_threads(); });
  store_->start(arrivals_.get(), [this] { wake_io_threads(); });
  clients_.tell(filters_);
  topics_.on_change([this](const TopicConfig& topic) {
    registration_->register_topic(topic);
    hold_->wake_topic(topic.name);
    pop_->hold->wake_topic(topic.name);
  });
  return {};
}

void Broker::begin(message::Host store_host, std::string ha_address) {
  identity_.store_host = store_host;
  identity_.address = store_host.text();
  identity_.ha_address = std::move(ha_address);
  for (std::size_t i = 0; i < parts_.network.io_threads(); ++i) {
    parts_.network.every(i, kStageTickMs, [this, i] { services_.stages[i]->expire(); });
  }
  parts_.network.every(0, kHoldTickMs, [this] {
    hold_->expire();
    pop_->hold->expire();
  });
  registration_->register_all([this](int accepted) {
    if (accepted > 0) log_info("registered with {} of {} nameservers", accepted, registration_->addresses().size());
  });
}

void Broker::handle(const remoting::Request& request, remoting::Reply reply) {
  processor_table().dispatch(services_, request, std::move(reply));
}

void Broker::end_of_turn(std::size_t io_thread) {
  if (services_.stages[io_thread]->append()) dispatch_on(io_thread);
}

void Broker::dispatch_on(std::size_t io_thread) {
  if (store_->dispatch()) parts_.network.post(io_thread, [this, io_thread] { dispatch_on(io_thread); });
}

void Broker::wake_io_threads() {
  for (std::size_t i = 0; i < wake_posted_.size(); ++i) {
    // Pairs with the handler's exchange below: what was done before the wake-up is seen by the handler, or it is posted
    // again.
    if (wake_posted_[i]->exchange(true, std::memory_order_seq_cst)) continue;
    parts_.network.post(i, [this, i] {
      wake_posted_[i]->exchange(false, std::memory_order_seq_cst);
      services_.stages[i]->answer_published();
      services_.stages[i]->answer_durable();
      services_.stages[i]->append();
      dispatch_on(i);
    });
  }
}

void Broker::on_io_thread(std::size_t io_thread, std::function<void(SendStage&)> work) {
  parts_.network.post(io_thread, [this, io_thread, work = std::move(work)] { work(*services_.stages[io_thread]); });
}

void Broker::peer_closed(const remoting::PeerPtr& peer) {
  hold_->peer_closed(*peer);
  pop_->hold->peer_closed(*peer);
  notify_members(clients_.peer_closed(*peer));
}

void Broker::notify_members(const std::vector<std::string>& groups) {
  if (!parts_.options.notify_consumer_ids_changed) return;
  for (const auto& name : groups) {
    const auto group = groups_.find(name);
    if ((group && !group->notify_consumer_ids_changed_enable) || clients_.model_of(name) == MessageModel::kBroadcasting)
      continue;
    broker::notify_members(clients_, name);
  }
}

Wakeup& Broker::timed_wakeup() {
  return delayed_->wakeup();
}

StepResult Broker::timed_step() {
  const std::int64_t now = parts_.clock.steady_ms();
  StepResult result = delayed_->step(kDeliveriesPerStep);
  const auto registered = registration_->step();
  result.next_ms = std::min(result.next_ms, std::max<std::int64_t>(registered.next_ms, 1));
  result.next_ms = std::min(result.next_ms, transaction_check_->step().next_ms);
  result.next_ms = std::min(result.next_ms, timers_->step().next_ms);
  result.next_ms = std::min(result.next_ms, reviver_->step().next_ms);
  status_->sample();
  if (now >= next_expiry_ms_) {
    next_expiry_ms_ = now + kExpiryEveryMs;
    notify_members(clients_.expire());
  }
  const auto save = [this](auto work) {
    if (!blocking_.post(work)) log_warning("the blocking thread is behind: a periodic save is left out");
  };
  if (now >= next_statistics_ms_) {
    next_statistics_ms_ = now + Statistics::kSampleEveryMs;
    if (!blocking_.post([this] { statistics_->sample(); })) log_warning("the blocking thread is behind: no statistics");
  }
  if (now >= next_offsets_save_ms_) {
    next_offsets_save_ms_ = now + parts_.options.offsets_save_period_ms.get();
    save([this] {
      reviver_->mark_offsets();
      if (const auto saved = offsets_.save(parts_.clock.wall_ms()); !saved)
        log_error("consumer offsets cannot be saved: {}", saved.error().text());
    });
  }
  if (now >= next_delay_save_ms_) {
    next_delay_save_ms_ = now + parts_.options.delay_save_period_ms.get();
    save([this] {
      if (const auto saved = delayed_->save(); !saved)
        log_error("delay progress cannot be saved: {}", saved.error().text());
    });
  }
  if (timers_->begin_save()) {
    const bool is_posted = blocking_.post([this] {
      if (const auto saved = timers_->save(); !saved)
        log_error("the timer's progress cannot be saved: {}", saved.error().text());
    });
    if (!is_posted) timers_->abandon_save();
  }
  if (now >= next_orders_save_ms_) {
    next_orders_save_ms_ = now + kOrdersSaveEveryMs;
    save([this] {
      if (const auto saved = pop_orders_->save(); !saved)
        log_error("the order of pops cannot be saved: {}", saved.error().text());
    });
  }
  if (now >= next_filters_save_ms_) {
    next_filters_save_ms_ = now + kFiltersSaveEveryMs;
    save([this] {
      if (const auto saved = filters_.save(); !saved)
        log_error("consumers' filters cannot be saved: {}", saved.error().text());
    });
  }
  return result;
}

void Broker::drain() {
  registration_->unregister_all(kUnregisterPatienceMs);
  hold_->wake_all();
  pop_->hold->wake_all();
  transaction_check_->write_all_marks();
}

Status Broker::close() {
  // The io threads have ended. What was posted to the blocking thread is done here, then the store, then progress.
  while (blocking_.step().done > 0) {
  }
  Status status = store_->close();
  const auto keep_first = [&](Status next) {
    if (!next && status) status = next;
  };
  transaction_check_->settle_progress();
  reviver_->settle_progress();
  keep_first(topics_.save());
  keep_first(groups_.save());
  keep_first(offsets_.save(parts_.clock.wall_ms()));
  keep_first(filters_.save());
  keep_first(pop_orders_->save());
  // Twice: progress counts one save later than it is taken, when what it stands for is known to be durable.
  keep_first(delayed_->save());
  keep_first(delayed_->save());
  keep_first(timers_->save_all());
  return status;
}

}  // namespace tern::broker
