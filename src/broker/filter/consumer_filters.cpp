#include "broker/filter/consumer_filters.hpp"

#include <algorithm>
#include <utility>

#include "tern/message/properties.hpp"
#include "tern/message/topic_name.hpp"

#include "broker/metadata_table.hpp"

namespace tern::broker {
namespace {

using protocol::Json;
using protocol::ResponseCode;

constexpr std::string_view kSql = "SQL92";
constexpr std::int64_t kProgramsBytesMax = 8 << 20;
// How long ago the groups of a file that is read are taken to have gone.
constexpr std::int64_t kGoneBeforeLoadMs = 30'000;

bool is_by_tags(const Subscription& subscription) {
  return subscription.expression_type == "TAG";
}

}  // namespace

/// What one group wants of one topic. Constant but for the times and the version.
struct ConsumerFilters::Filter {
  std::string topic;
  std::string expression;
  std::string type;
  std::int64_t version = 0;  // the client's, of its subscription
  std::int64_t born_ms = 0;  // wall time, as the next
  std::int64_t gone_ms = 0;  // before born_ms: it is alive
  SqlProgramPtr program;     // null: the file has an expression that does not compile; everything passes
  Json others = Json::object();

  [[nodiscard]] bool is_gone() const { return gone_ms >= born_ms; }
  [[nodiscard]] std::int64_t bytes() const {
    constexpr std::size_t kBookkeeping = 256;
    return static_cast<std::int64_t>(kBookkeeping + 2 * topic.size() + expression.size()) +
           (program ? program->bytes() : 0);
  }
};

/// Of a retry topic: each message has the filter of the topic it was first sent to.
class ConsumerFilters::RetryFilter final : public PropertyFilter {
 public:
  RetryFilter(const ConsumerFilters& filters, std::string_view retry_topic)
      : filters_(filters), group_(message::group_of_retry_topic(retry_topic)) {}
  [[nodiscard]] bool matches(std::string_view properties) const noexcept override {
    const auto filter = of(properties);
    return !filter || filter->matches(properties);
  }
  [[nodiscard]] std::int64_t cost(std::size_t properties_bytes) const noexcept override {
    constexpr std::int64_t kUsualInstructions = 64;  // which filter it will be is not known
    return kUsualInstructions * static_cast<std::int64_t>(properties_bytes);
  }
  [[nodiscard]] std::int64_t bytes() const noexcept override {
    return static_cast<std::int64_t>(sizeof(RetryFilter) + group_.size());
  }

 private:
  [[nodiscard]] PropertyFilterPtr of(std::string_view properties) const {
    const auto topic = message::find_property(properties, message::property::kRetryTopic);
    return topic ? filters_.find(group_, *topic) : nullptr;
  }

  const ConsumerFilters& filters_;
  const std::string group_;
};

ConsumerFilters::ConsumerFilters(const FilterOptions& options, file::Disk& disk, std::string path, const Clock& clock)
    : options_(options),
      clock_(clock),
      file_(disk, std::move(path)),
      bit_maps_(bit_map_size(options.expected_consumers, options.error_rate_percent)) {}
ConsumerFilters::~ConsumerFilters() = default;

// ---- what groups want

const ConsumerFilters::Filter* ConsumerFilters::find_locked(std::string_view group, std::string_view topic) const {
  const auto topics = groups_.find(group);
  if (topics == groups_.end()) return nullptr;
  const auto filter = topics->second.find(topic);
  return filter == topics->second.end() ? nullptr : &filter->second;
}

PropertyFilterPtr ConsumerFilters::find(std::string_view group, std::string_view topic) const {
  const std::shared_lock lock(mutex_);
  const auto* filter = find_locked(group, topic);
  return filter != nullptr ? filter->program : nullptr;
}

/// Whether it is to be compiled.
bool ConsumerFilters::is_new(std::string_view group, const Subscription& wanted) const {
  const std::shared_lock lock(mutex_);
  const auto* known = find_locked(group, wanted.topic);
  return known == nullptr || (wanted.version > known->version &&
                              (wanted.expression != known->expression || wanted.expression_type != known->type));
}

void ConsumerFilters::subscribed(std::string_view group, const std::vector<Subscription>& subscriptions) {
  for (const auto& wanted : subscriptions) {
    if (is_by_tags(wanted) || wanted.expression.empty()) continue;
    SqlProgramPtr program;
    if (is_new(group, wanted)) {
      if (auto made = compiled(wanted.expression, wanted.expression_type)) {
        program = std::move(*made);
      } else if (const auto times = refused_lines_.admit(clock_)) {
        log_warning("group {} cannot filter topic {}: {} ({} times)", group, wanted.topic, made.error().text, times);
      }
    }
    const std::unique_lock lock(mutex_);
    subscribed_locked(group, wanted, std::move(program));
  }

  const std::unique_lock lock(mutex_);
  const auto known = groups_.find(group);
  if (known == groups_.end()) return;
  for (auto& [topic, filter] : known->second) {
    const bool is_wanted = std::any_of(subscriptions.begin(), subscriptions.end(),
                                       [&topic](const Subscription& wanted) { return wanted.topic == topic; });
    if (is_wanted || filter.is_gone()) continue;
    filter.gone_ms = clock_.wall_ms();
    is_changed_ = true;
  }
}

// As Apache's: the higher version counts, an equal one only brings a filter back, and an expression that does not
// compile takes away the one before.
void ConsumerFilters::subscribed_locked(std::string_view group, const Subscription& wanted, SqlProgramPtr program) {
  Filter fresh{wanted.topic,      wanted.expression, wanted.expression_type, wanted.version, clock_.wall_ms(), 0,
               std::move(program)};
  if (fresh.program && bytes_ + fresh.bytes() > kFilterBytesMax) remove_gone(0);
  const auto* known = find_locked(group, wanted.topic);
  if (known == nullptr && !fresh.program) return;
  auto slot = groups_.find(group);
  if (slot == groups_.end()) slot = groups_.emplace(group, Topics{}).first;
  auto& topics = slot->second;
  if (known != nullptr) {
    auto& filter = topics.find(wanted.topic)->second;
    if (wanted.version < filter.version) return;
    const bool is_same = wanted.expression == filter.expression && wanted.expression_type == filter.type;
    if (wanted.version == filter.version || is_same) {
      is_changed_ |= filter.is_gone() || filter.version != wanted.version;
      filter.version = wanted.version;
      if (filter.is_gone()) filter.gone_ms = 0;
      return;
    }
    bytes_ -= filter.bytes();
    topics.erase(topics.find(wanted.topic));
    is_changed_ = true;
  }
  if (fresh.program) add(topics, std::move(fresh));
  if (topics.empty()) groups_.erase(slot);
}

void ConsumerFilters::add(Topics& topics, Filter filter) {
  const std::int64_t bytes = filter.bytes();
  if (bytes_ + bytes > kFilterBytesMax) {
    if (const auto times = full_lines_.admit(clock_))
      log_warning("filters of consumers take more than {} bytes: one for topic {} is not taken ({} times)",
                  kFilterBytesMax, filter.topic, times);
    return;
  }
  bytes_ += bytes;
  is_changed_ = true;
  auto topic = filter.topic;
  topics.insert_or_assign(std::move(topic), std::move(filter));
}

void ConsumerFilters::group_gone(std::string_view group) {
  const std::unique_lock lock(mutex_);
  const auto known = groups_.find(group);
  if (known == groups_.end()) return;
  for (auto& [topic, filter] : known->second) {
    if (filter.is_gone()) continue;
    filter.gone_ms = clock_.wall_ms();
    is_changed_ = true;
  }
}

void ConsumerFilters::remove_gone(std::int64_t gone_ms_min) {
  const std::int64_t now = clock_.wall_ms();
  for (auto group = groups_.begin(); group != groups_.end();) {
    std::erase_if(group->second, [&](const auto& entry) {
      const Filter& filter = entry.second;
      if (!filter.is_gone() || now - filter.gone_ms < gone_ms_min) return false;
      bytes_ -= filter.bytes();
      is_changed_ = true;
      return true;
    });
    group = group->second.empty() ? groups_.erase(group) : std::next(group);
  }
}

// ---- what pulls ask

boost::system::result<SqlProgramPtr, SqlProblem> ConsumerFilters::compiled(std::string_view expression,
                                                                           std::string_view type) {
  if (type != kSql) return SqlProblem{1, fmt::format("expected the expression type TAG or SQL92, found {}", type)};
  {
    const std::lock_guard lock(programs_mutex_);
    if (const auto known = programs_.find(expression); known != programs_.end()) return known->second;
  }
  auto program = compile_sql(expression);
  if (!program) return program;
  const auto bytes = (*program)->bytes() + static_cast<std::int64_t>(expression.size());
  const std::lock_guard lock(programs_mutex_);
  if (programs_bytes_ + bytes > kProgramsBytesMax) {
    programs_.clear();  // those that are in use come back
    programs_bytes_ = 0;
  }
  if (programs_.try_emplace(std::string(expression), *program).second) programs_bytes_ += bytes;
  return program;
}

PropertyFilterChoice ConsumerFilters::of_pull(std::string_view group, std::string_view topic,
                                              std::string_view expression, std::string_view type) {
  if (expression.empty()) {
    return {ResponseCode::kSubscriptionParseFailed,
            fmt::format("parse the consumer's subscription failed: an expression of type {} is empty", type)};
  }
  if (!options_.is_enabled) return not_filtered_by(type);
  if (options_.supports_retry && message::is_retry_topic(topic))
    return {.filter = std::make_shared<const RetryFilter>(*this, topic)};
  auto program = compiled(expression, type);
  if (program) return {.filter = std::move(*program)};
  if (program.error().is_beyond_limit) {
    return {ResponseCode::kSubscriptionParseFailed,
            fmt::format("parse the consumer's subscription failed: {}", program.error().text)};
  }
  if (const auto times = refused_lines_.admit(clock_)) {
    log_warning("a pull of group {} is given all messages of topic {}, because its expression is wrong: {} ({} times)",
                group, topic, program.error().text, times);
  }
  return {};
}

PropertyFilterChoice ConsumerFilters::of_group(std::string_view group, std::string_view topic, std::int64_t version,
                                               std::string_view type) {
  PropertyFilterChoice choice;
  {
    const std::shared_lock lock(mutex_);
    const auto* filter = find_locked(group, topic);
    if (filter == nullptr) {
      return {ResponseCode::kFilterDataNotExist,
              "The broker's consumer filter data is not exist!Your expression may be wrong!"};
    }
    if (filter->version < version)
      return {ResponseCode::kFilterDataNotLatest, "the consumer's consumer filter data not latest"};
    choice.filter = filter->program;
  }
  if (!options_.is_enabled) return not_filtered_by(type);
  if (options_.supports_retry && message::is_retry_topic(topic))
    choice.filter = std::make_shared<const RetryFilter>(*this, topic);
  return choice;
}

PropertyFilterChoice ConsumerFilters::check(std::string_view expression, std::string_view type) {
  if (!options_.is_enabled) return not_filtered_by(type);
  auto program = compiled(expression, type);
  if (program) return {};
  return {ResponseCode::kSubscriptionParseFailed, fmt::format("Invalid MessageSelector. {}", program.error().text)};
}

// ---- the file

std::optional<std::string> ConsumerFilters::load() {
  const std::unique_lock lock(mutex_);
  return load_table(file_, "filterDataByTopic", false, [&](const Json* json) {
    if (json == nullptr) return;
    others_ = members_besides(*json, {"filterDataByTopic"});
    read(*protocol::object_member(*json, "filterDataByTopic"));
    is_changed_ = false;
  });
}

void ConsumerFilters::read(const Json& topics) {
  for (const auto& [topic, data] : topics.items()) {
    const auto* groups = protocol::object_member(data, "groupFilterData");
    if (groups == nullptr) continue;
    for (const auto& [group, entry] : groups->items()) {
      const auto* bits = protocol::object_member(entry, "bloomFilterData");
      const auto* positions = bits != nullptr ? protocol::array_member(*bits, "bitPos") : nullptr;
      const auto bit_count = bits != nullptr ? protocol::int_member(*bits, "bitNum") : 0;
      if (positions == nullptr || bit_count != bit_maps_.bits ||
          positions->size() != static_cast<std::size_t>(bit_maps_.bits_of_consumer)) {
        log_warning(
            "{}: the filter of group {} for topic {} is for bit maps of {} bits, not of {} with {} of each "
            "group: all filters of the file are left aside",
            file_.path(), group, topic, bit_count, bit_maps_.bits, bit_maps_.bits_of_consumer);
        groups_.clear();
        bytes_ = 0;
        return;
      }
      Filter filter;
      filter.topic = topic;
      filter.expression = protocol::string_member(entry, "expression");
      filter.type = protocol::string_member(entry, "expressionType");
      filter.version = protocol::int_member(entry, "clientVersion");
      filter.born_ms = protocol::int_member(entry, "bornTime");
      filter.gone_ms = protocol::int_member(entry, "deadTime");
      if (filter.gone_ms == 0) filter.gone_ms = std::max(filter.born_ms, clock_.wall_ms() - kGoneBeforeLoadMs);
      filter.others = members_besides(entry, {"expression", "expressionType", "clientVersion", "bornTime", "deadTime",
                                              "dead", "consumerGroup", "topic", "bloomFilterData"});
      if (auto program = compiled(filter.expression, filter.type)) {
        filter.program = std::move(*program);
      } else {
        log_warning("{}: the filter of group {} for topic {} lets everything pass: {}", file_.path(), group, topic,
                    program.error().text);
      }
      add(groups_[group], std::move(filter));
    }
  }
}

Json ConsumerFilters::to_json_locked() const {
  auto topics = Json::object();
  for (const auto& [group, filters] : groups_) {
    for (const auto& [topic, filter] : filters) {
      auto entry = filter.others;
      entry["bloomFilterData"] = {{"bitNum", bit_maps_.bits}, {"bitPos", bit_positions(group, topic, bit_maps_)}};
      entry["bornTime"] = filter.born_ms;
      entry["clientVersion"] = filter.version;
      entry["consumerGroup"] = group;
      entry["dead"] = filter.is_gone();
      entry["deadTime"] = filter.gone_ms;
      entry["expression"] = filter.expression;
      entry["expressionType"] = filter.type;
      entry["topic"] = topic;
      auto& data = topics[topic];
      data["topic"] = topic;
      data["groupFilterData"][group] = std::move(entry);
    }
  }
  Json json = others_;
  json["filterDataByTopic"] = std::move(topics);
  return json;
}

Status ConsumerFilters::save() {
  Json json;
  {
    const std::unique_lock lock(mutex_);
    remove_gone(options_.keep_dead_ms);
    if (!std::exchange(is_changed_, false)) return {};
    json = to_json_locked();
  }
  const auto saved = file_.save(protocol::write_pretty_json(json));
  if (saved) return {};
  const std::unique_lock lock(mutex_);
  is_changed_ = true;
  return saved;
}

}  // namespace tern::broker
