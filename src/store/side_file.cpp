#include "tern/store/side_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "tern/base/byte_order.hpp"
#include "tern/base/crc32.hpp"

#include "store/durable_directory.hpp"

namespace tern::store {
namespace {

// docs/format/side_file.md
constexpr std::string_view kMagic = "TERNSTAT";
constexpr std::int32_t kVersion = 1;
constexpr std::int32_t kVersionWithBatches = 2;  // there are batch queues: each queue says which entries it has
constexpr std::int32_t kCleanBit = 1;
constexpr std::int32_t kOnlyDurableBit = 2;
constexpr std::size_t kFixedSize = 56;       // magic to number of queues
constexpr std::size_t kQueueFixedSize = 46;  // without the topic
constexpr std::size_t kEntryRangeSize = 16;
constexpr EntryRange kNoEntries{-1, -1};  // of a simple queue
constexpr std::size_t kCrcSize = 4;
constexpr std::int64_t kFileSizeMax = 256 << 20;
constexpr std::size_t kTopicSizeMax = 32'767;

std::uint32_t crc_of(std::string_view bytes) {
  return crc32(std::as_bytes(std::span(bytes)));
}

bool has_batches(const SideState& state) {
  return std::any_of(state.queues.begin(), state.queues.end(),
                     [](const auto& queue) { return queue.entries.has_value(); });
}

std::string encode(const SideState& state) {
  std::string bytes;
  std::size_t size = kFixedSize + kCrcSize;
  for (const auto& queue : state.queues) size += kQueueFixedSize + kEntryRangeSize + queue.topic.size();
  bytes.reserve(size);
  bytes.append(kMagic);
  const bool with_batches = has_batches(state);
  append_be(bytes, with_batches ? kVersionWithBatches : kVersion);
  append_be(bytes,
            static_cast<std::int32_t>((state.is_clean ? kCleanBit : 0) | (state.only_durable ? kOnlyDurableBit : 0)));
  append_be(bytes, state.durable.value);
  append_be(bytes, state.dispatched.value);
  append_be(bytes, state.indexed.value);
  append_be(bytes, state.last_store_timestamp);
  append_be(bytes, state.digest);
  append_be(bytes, static_cast<std::int32_t>(state.queues.size()));
  for (const auto& queue : state.queues) {
    append_be(bytes, static_cast<std::int16_t>(queue.topic.size()));
    bytes.append(queue.topic);
    append_be(bytes, queue.id);
    append_be(bytes, queue.bounds.min.value);
    append_be(bytes, queue.bounds.max.value);
    append_be(bytes, queue.next_offset);
    append_be(bytes, queue.positions.first.value);
    append_be(bytes, queue.positions.end.value);
    if (!with_batches) continue;
    const auto entries = queue.entries.value_or(kNoEntries);
    append_be(bytes, entries.begin);
    append_be(bytes, entries.end);
  }
  append_be(bytes, crc_of(bytes));
  return bytes;
}

/// Takes integers and text off the front; after a take too many, everything is 0 and is_short() holds.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  T take() {
    const auto bytes = take_text(sizeof(T));
    return bytes.size() == sizeof(T) ? load_be<T>(bytes.data()) : T{};
  }
  std::string_view take_text(std::size_t size) {
    if (size > rest_.size()) {
      is_short_ = true;
      rest_ = {};
      return {};
    }
    const auto text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  }
  [[nodiscard]] bool is_short() const { return is_short_; }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
  bool is_short_ = false;
};

std::optional<SideState> decode(std::string_view bytes, std::string& why) {
  if (bytes.size() < kFixedSize + kCrcSize) {
    why = fmt::format("has only {} bytes", bytes.size());
    return std::nullopt;
  }
  const auto body = bytes.substr(0, bytes.size() - kCrcSize);
  if (body.substr(0, kMagic.size()) != kMagic) {
    why = "is no state file";
    return std::nullopt;
  }
  if (crc_of(body) != load_be<std::uint32_t>(body.data() + body.size())) {
    why = "is damaged: its checksum does not fit";
    return std::nullopt;
  }
  Reader reader(body.substr(kMagic.size()));
  const auto version = reader.take<std::int32_t>();
  if (version != kVersion && version != kVersionWithBatches) {
    why = fmt::format("has version {}, this program knows {} and {}", version, kVersion, kVersionWithBatches);
    return std::nullopt;
  }
  SideState state;
  const auto flags = reader.take<std::int32_t>();
  state.is_clean = (flags & kCleanBit) != 0;
  state.only_durable = (flags & kOnlyDurableBit) != 0;
  state.durable.value = reader.take<std::int64_t>();
  state.dispatched.value = reader.take<std::int64_t>();
  state.indexed.value = reader.take<std::int64_t>();
  state.last_store_timestamp = reader.take<std::int64_t>();
  state.digest = reader.take<std::uint32_t>();
  const auto count = reader.take<std::int32_t>();
  bool is_sound = state.indexed.value >= 0 && state.indexed <= state.dispatched && state.dispatched <= state.durable &&
                  count >= 0 && static_cast<std::size_t>(count) <= reader.left() / kQueueFixedSize;
  if (is_sound) state.queues.reserve(static_cast<std::size_t>(count));
  for (std::int32_t i = 0; is_sound && i < count; ++i) {
    SideState::QueueState queue;
    const auto topic_size = reader.take<std::int16_t>();
    is_sound = topic_size > 0;
    if (!is_sound) break;
    queue.topic = reader.take_text(static_cast<std::size_t>(topic_size));
    queue.id = reader.take<std::int32_t>();
    queue.bounds.min.value = reader.take<std::int64_t>();
    queue.bounds.max.value = reader.take<std::int64_t>();
    queue.next_offset = reader.take<std::int64_t>();
    queue.positions.first.value = reader.take<std::int64_t>();
    queue.positions.end.value = reader.take<std::int64_t>();
    is_sound = !reader.is_short() && queue.id >= 0 && queue.bounds.min.value >= 0 &&
               queue.bounds.min <= queue.bounds.max && queue.next_offset >= queue.bounds.max.value;
    if (version == kVersionWithBatches) {
      const EntryRange entries{reader.take<std::int64_t>(), reader.take<std::int64_t>()};
      if (entries.begin != kNoEntries.begin || entries.end != kNoEntries.end) queue.entries = entries;
      // An entry stands for one offset at least.
      is_sound =
          is_sound && (!queue.entries || (entries.begin >= 0 && entries.begin <= entries.end &&
                                          entries.end - entries.begin <= queue.bounds.max - queue.bounds.min &&
                                          (entries.begin < entries.end) == (queue.bounds.min < queue.bounds.max)));
    }
    state.queues.push_back(std::move(queue));
  }
  is_sound = is_sound && (version == kVersionWithBatches) == has_batches(state);
  if (!is_sound || reader.is_short() || reader.left() != 0) {
    why = "contradicts itself";
    return std::nullopt;
  }
  return state;
}

}  // namespace

SideFile::SideFile(file::Disk& disk, std::string directory) : disk_(disk), directory_(std::move(directory)) {}

std::optional<SideState> SideFile::load(std::string& why) {
  const auto path = file::join(directory_, "state");
  const auto exists = disk_.exists(path);
  if (exists && !*exists) return std::nullopt;
  const auto refused = [&](const Error& error) {
    why = "cannot be read: " + error.text();
    return std::nullopt;
  };
  if (!exists) return refused(exists.error());
  const auto file = disk_.open(path, file::OpenMode::kRead);
  if (!file) return refused(file.error());
  const auto size = (*file)->size();
  if (!size) return refused(size.error());
  if (*size > kFileSizeMax) {
    why = fmt::format("has {} bytes, more than any state file", *size);
    return std::nullopt;
  }
  std::string bytes(static_cast<std::size_t>(*size), '\0');
  const auto status = (*file)->read(0, std::as_writable_bytes(std::span(bytes)));
  if (!status) return refused(status.error());
  return decode(bytes, why);
}

Status SideFile::save(const SideState& state) {
  for (const auto& queue : state.queues) {
    if (queue.topic.empty() || queue.topic.size() > kTopicSizeMax) return error(Errc::kDamaged);
  }
  const auto bytes = encode(state);
  const auto path = file::join(directory_, "state");
  const auto temporary = path + ".tmp";
  if (!is_directory_durable_) {
    if (const auto status = make_durable_directory(disk_, directory_); !status) return status;
    is_directory_durable_ = true;
  }
  {
    const auto file = disk_.open(temporary, file::OpenMode::kCreate);
    if (!file) return file.error();
    if (const auto status = (*file)->resize(0); !status) return status;  // what a crash has left
    if (const auto status = (*file)->write(0, std::as_bytes(std::span(bytes))); !status) return status;
    if (const auto status = (*file)->sync(); !status) return status;
  }
  if (const auto status = disk_.rename(temporary, path); !status) return status;
  return disk_.sync_directory(directory_);
}

Status SideFile::remove() {
  const auto status = disk_.remove(file::join(directory_, "state"));
  if (!status && status.error().code != std::errc::no_such_file_or_directory) return status;
  if (!status) return {};
  return disk_.sync_directory(directory_);
}

}  // namespace tern::store
