#pragma once
// Settings as rows. A setting is declared once, beside the code that uses it; the row gives parsing, checking, the
// start-up table, --check-config, docs/config.md and the list of what may change at run time.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "tern/base/thread_annotations.hpp"

namespace tern {

/// A setting that may change while the process runs: readers on any thread see the old or the new value, nothing
/// between. Relaxed: a setting tells of nothing but itself. The member's type is what makes a row "at run time".
template <class T>
class Live {
 public:
  Live() = default;
  Live(T value) : value_(value) {}  // NOLINT: a Live<T> is written like a T
  Live(const Live& other) : value_(other.get()) {}
  Live& operator=(const Live& other) {
    set(other.get());
    return *this;
  }
  [[nodiscard]] T get() const noexcept { return value_.load(std::memory_order_relaxed); }
  operator T() const noexcept { return get(); }  // NOLINT: a Live<T> is read like a T
  void set(T value) noexcept { value_.store(value, std::memory_order_relaxed); }

 private:
  std::atomic<T> value_{};
};

/// The same for a text. Not for hot paths: readers take a lock.
template <>
class Live<std::string> {
 public:
  Live() = default;
  Live(std::string value) : value_(std::move(value)) {}  // NOLINT: see Live
  Live(const Live& other) : value_(other.get()) {}
  Live& operator=(const Live& other) {
    set(other.get());
    return *this;
  }
  Live& operator=(std::string_view value) {
    set(std::string(value));
    return *this;
  }
  [[nodiscard]] std::string get() const {
    const MutexLock lock(mutex_);
    return value_;
  }
  void set(std::string value) {
    const MutexLock lock(mutex_);
    value_ = std::move(value);
  }

 private:
  mutable Mutex mutex_;
  std::string value_ TERN_GUARDED_BY(mutex_);
};

/// When a new value takes effect. Derived from the member: Live<T> is kAtRuntime.
enum class OptionTime : std::uint8_t { kAtStart, kAtRuntime };

/// What values a row accepts, in words and as a function. `check` gets the trimmed text of a value of the member's
/// type.
struct OptionRule {
  std::string allowed;  // "1 to 60000", "ASYNC_FLUSH, SYNC_FLUSH"; empty: what the type holds
  std::function<bool(std::string_view text)> check;  // empty: anything the type can hold
};
/// A number between the two, both included.
[[nodiscard]] OptionRule range(std::int64_t lowest, std::int64_t highest);
/// One of these names, exactly as written.
[[nodiscard]] OptionRule one_of(std::initializer_list<std::string_view> names);
/// Anything the member's type can hold.
[[nodiscard]] OptionRule anything();
/// An IPv4 or IPv6 address in figures, or nothing.
[[nodiscard]] OptionRule ip_address();
/// "host:port", ';' between several, blanks around them; or nothing. An IPv6 address may stand in brackets.
[[nodiscard]] OptionRule host_ports();

/// One setting of the struct `Struct`. Values as Java reads them: a bool is true or false ignoring case, a number is
/// decimal with an optional sign. Unlike Java, a value that is neither is refused and not taken for false or for the
/// default.
template <class Struct>
struct OptionRow {
  using Member = std::variant<bool Struct::*, int Struct::*, std::int64_t Struct::*, double Struct::*,
                              std::string Struct::*, Live<bool> Struct::*, Live<int> Struct::*,
                              Live<std::int64_t> Struct::*, Live<std::string> Struct::*>;
  std::string_view key;
  Member member;
  std::string_view default_text;  // as it would stand in the file
  OptionRule rule;
  std::string_view meaning;  // one sentence for operators, units included
};

/// A row bound to the struct instance it fills.
struct BoundOption {
  std::string key;
  std::string default_text;
  std::string allowed;
  std::string meaning;
  std::string section;  // heading in docs/config.md
  OptionTime time = OptionTime::kAtStart;
  std::function<bool(std::string_view text)> set;  // false: not a value of this type, or refused by the rule
  std::function<std::string()> get;                // current value as text
};

/// A key that Apache's servers know and ours do not use. Accepted with a notice, unless its value promises something we
/// lack: then start-up stops. `promises(value)` says so. The texts live as long as the process.
struct ForeignKey {
  std::string_view key;
  std::string_view default_text;                       // Apache's; empty if it has none or computes it
  bool (*promises)(std::string_view value) = nullptr;  // nullptr: never
  std::string_view lacking = {};                       // "authentication", "replication as a slave"
};
/// What most keys' `promises` ask, as Apache's servers read the value: anything but "true" is false.
[[nodiscard]] bool value_is_true(std::string_view value);
[[nodiscard]] bool value_is_not_true(std::string_view value);
[[nodiscard]] bool value_is_set(std::string_view value);

/// One setting of a properties file, and the line it begins on (from 1).
struct PropertyLine {
  std::string key;
  std::string value;
  int line = 0;

  friend bool operator==(const PropertyLine&, const PropertyLine&) = default;
};

/// Java's .properties syntax: `=`, `:` or blank separates, `#` and `!` comment, `\` escapes (\uXXXX too) and continues
/// lines. A text that is no UTF-8 is read as Latin-1, as Java does; keys and values are UTF-8 in either case. Values
/// are trimmed. Keys may repeat and may be empty. A malformed escape is an error that names its line; so is half a
/// surrogate pair.
struct PropertiesFile {
  std::string name;  // as the user gave it
  std::vector<PropertyLine> lines;
};
struct PropertiesError {
  int line = 0;
  std::string text;
};
[[nodiscard]] std::variant<PropertiesFile, PropertiesError> parse_properties(std::string_view name,
                                                                             std::string_view text);
/// `key=value` lines in ASCII, escaped so that parse_properties and Java read them back.
[[nodiscard]] std::string write_properties(std::span<const PropertyLine> lines);

/// A properties text with other values for some keys: their lines are replaced (of several, the last, which counts),
/// keys that have none come at the end, and everything else, comments too, stays as it is.
[[nodiscard]] std::variant<std::string, PropertiesError> with_settings(std::string_view text,
                                                                       std::span<const PropertyLine> changed);

/// All settings of one program. main fills it before threads start; after that it is read, and changed by change()
/// alone.
class OptionSet {
 public:
  /// `program` is how messages call it: "broker", "nameserver".
  explicit OptionSet(std::string_view program = "server") : program_(program) {}

  /// Sets every member of `instance` to its default at once; a default that its own rule refuses is a broken invariant,
  /// and so are two rows of one key. `instance` must outlive the set.
  template <class Struct>
  void add(std::string_view section, std::type_identity_t<std::span<const OptionRow<Struct>>> rows, Struct& instance);
  /// Keys that have a row of their own, added before or after, are left out.
  void add_foreign(std::span<const ForeignKey> keys);

  struct Problem {
    std::string text;  // "broker.properties:12: flushDiskTyp: unknown key; did you mean flushDiskType?"
  };
  struct Outcome {
    std::vector<Problem> problems;     // start-up must stop
    std::vector<std::string> notices;  // said once at start-up
  };
  /// Applies a file. Every problem is found, not only the first; what has none is set all the same. Of a key that is
  /// set several times only the last line counts. With `allow_unknown_keys` unknown keys are notices.
  [[nodiscard]] Outcome apply(const PropertiesFile& file, bool allow_unknown_keys);
  /// Run-time change of one key, as remote administration asks: refused with the reason for a key that is unknown, only
  /// read at start, or given a bad value. Any thread; not concurrently with itself.
  struct Refusal {
    std::string text;
  };
  [[nodiscard]] std::variant<std::monostate, Refusal> change(std::string_view key, std::string_view value);

  [[nodiscard]] bool was_set(std::string_view key) const;  // by a file
  [[nodiscard]] const std::vector<BoundOption>& options() const { return options_; }
  [[nodiscard]] const BoundOption* find(std::string_view key) const;
  [[nodiscard]] std::span<const ForeignKey> foreign() const { return foreign_; }
  /// The known key with the smallest edit distance (letter case aside), rows before foreign keys; empty if none is
  /// near.
  [[nodiscard]] std::string nearest_key(std::string_view unknown) const;
  /// The tables of docs/config.md, generated: one heading per section, one line per row.
  [[nodiscard]] std::string to_markdown() const;

 private:
  void add_bound(BoundOption option);

  [[nodiscard]] const ForeignKey* find_foreign(std::string_view key) const;

  std::string program_;
  std::vector<BoundOption> options_;
  std::map<std::string, std::size_t, std::less<>> by_key_;  // index into options_
  std::vector<ForeignKey> foreign_;
  std::set<std::string, std::less<>> set_by_file_;
};

}  // namespace tern

#include "tern/base/options_bind.hpp"
