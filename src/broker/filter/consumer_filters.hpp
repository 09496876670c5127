#pragma once
// Which consumer group wants which messages of a topic, by an SQL92 expression. consumerFilter.json is the file.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

#include <boost/system/result.hpp>

#include "tern/base/clock.hpp"
#include "tern/base/log.hpp"
#include "tern/file/metadata_file.hpp"
#include "tern/protocol/json.hpp"

#include "broker/clients/client_registry.hpp"
#include "broker/filter/bit_positions.hpp"
#include "broker/filter/filter_options.hpp"
#include "broker/filter/sql_parser.hpp"
#include "broker/pull/property_filter.hpp"

namespace tern::broker {

/// Filters come with heartbeats, and stay for some time after their group has gone. All calls from any thread; save()
/// by one at a time.
///
/// Bounded by kFilterBytesMax: at it, those of groups that have gone are dropped; if that is not enough, new ones are
/// not taken, and pulls of their groups are answered FILTER_DATA_NOT_EXIST.
class ConsumerFilters final : public PropertyFilters, public SubscriptionListener {
 public:
  ConsumerFilters(const FilterOptions& options, file::Disk& disk, std::string path, const Clock& clock);
  ~ConsumerFilters() override;
  /// Before serving. All groups in the file count as gone until they are heard of. As Apache's brokers do, a file for
  /// bit maps of another size is left aside, with a warning. The text says what is wrong with the file.
  [[nodiscard]] std::optional<std::string> load();

  void subscribed(std::string_view group, const std::vector<Subscription>& subscriptions) override;
  void group_gone(std::string_view group) override;

  /// An expression that does not compile is no failure, but lets everything pass, as with Apache's brokers; one beyond
  /// our own limits is refused.
  PropertyFilterChoice of_pull(std::string_view group, std::string_view topic, std::string_view expression,
                               std::string_view type) override;
  PropertyFilterChoice of_group(std::string_view group, std::string_view topic, std::int64_t version,
                                std::string_view type) override;
  /// May a consumer filter by this expression (whose type is not TAG) here?
  PropertyFilterChoice check(std::string_view expression, std::string_view type);

  /// What lets messages of the topic pass for the group; null: everything, or nobody has said.
  [[nodiscard]] PropertyFilterPtr find(std::string_view group, std::string_view topic) const;
  /// Nothing if nothing has changed. Drops what has been gone for long. On the blocking thread, or at the stop.
  Status save();

  static constexpr std::int64_t kFilterBytesMax = 256 << 20;

 private:
  struct Filter;
  class RetryFilter;
  using Topics = std::map<std::string, Filter, std::less<>>;

  /// SQL92 only. Programs are kept for pulls that bring the same expression again and again.
  boost::system::result<SqlProgramPtr, SqlProblem> compiled(std::string_view expression, std::string_view type);
  [[nodiscard]] bool is_new(std::string_view group, const Subscription& wanted) const;
  // mutex_ held:
  [[nodiscard]] const Filter* find_locked(std::string_view group, std::string_view topic) const;
  void subscribed_locked(std::string_view group, const Subscription& wanted, SqlProgramPtr program);
  void add(Topics& topics, Filter filter);
  void remove_gone(std::int64_t gone_ms_min);
  void read(const protocol::Json& topics);
  [[nodiscard]] protocol::Json to_json_locked() const;

  const FilterOptions& options_;
  const Clock& clock_;
  file::MetadataFile file_;
  const BitMapSize bit_maps_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, Topics, std::less<>> groups_;  // guarded by mutex_, as all below
  std::int64_t bytes_ = 0;                             // of groups_
  bool is_changed_ = false;                            // since the last save
  protocol::Json others_ = protocol::Json::object();   // of the file: what we keep and do not read
  LogRateLimit full_lines_;

  std::mutex programs_mutex_;
  std::map<std::string, SqlProgramPtr, std::less<>> programs_;  // by expression; guarded by programs_mutex_
  std::int64_t programs_bytes_ = 0;                             // guarded by programs_mutex_
  LogRateLimit refused_lines_;
};

}  // namespace tern::broker
