// A record against the entries of a batch queue: these stand in the log's order, each with the offsets that it is for.
#include "store/derived.hpp"
#include "store/inspect/verification.hpp"

namespace tern::store {

Status Verification::check_batch_entry(const message::RecordView& record, LogPosition position, Walked& walked) {
  const auto& queue = walked.reader.queue();
  const auto name = fmt::format("{}#{}", queue.topic, queue.id);
  const auto offsets = offsets_of(record, QueueKind::kBatch);
  auto next = next_entry(walked);
  if (!next) return next.error();
  // Those before it that no record was met for.
  while (*next && is_valid(**next) && (*next)->position < position) {
    static_cast<void>(unmatched(walked, walked.next, **next));
    ++walked.next;
    next = next_entry(walked);
    if (!next) return next.error();
  }
  const auto of_earlier = is_of_earlier(position, offsets.first, *next, walked);
  if (!of_earlier) return of_earlier.error();
  if (*of_earlier) return {};
  const auto place = walked.reader.place_of(walked.next);
  if (*next && is_valid(**next) && (*next)->position == position) {
    const auto& entry = **next;
    const struct {
      std::int64_t at;
      std::int64_t size;
      const char* what;
      std::int64_t has;
      std::int64_t expected;
    } fields[] = {{8, 4, "bytes", entry.size, record.total_size},
                  {20, 8, "store time", entry.store_timestamp, record.store_timestamp},
                  {28, 8, "first offset", entry.base, offsets.first},
                  {36, 2, "messages", entry.count, offsets.count}};
    for (const auto& field : fields) {
      if (field.has == field.expected) continue;
      damage({place.file, place.at + field.at}, field.size, position,
             fmt::format("entry {} of {} has {} {}, but the record at log position {} has {}: one of the two is wrong",
                         walked.next, name, field.what, field.has, position, field.expected));
    }
    const auto status = check_tags(record, position, entry, walked);
    if (walked.first_seen < 0) walked.first_seen = walked.next;
    ++walked.next;
    ++report_.queue_entries;
    return status;
  }
  if (!is_strict(record, position)) return {};
  const auto& files = queue.files;
  if (!*next && std::none_of(files.begin(), files.end(), [&](const auto& file) { return file.path == place.file; })) {
    missing_file(place.file, position,
                 fmt::format("is missing, but the record at log position {} is message {} of {}", position,
                             offsets.first, name));
    return {};
  }
  const bool is_entry = *next && is_valid(**next);
  damage(place, queue.layout().size, position,
         is_entry ? fmt::format("entry {} of {} names log position {}, but the record stands at {}", walked.next, name,
                                (*next)->position, position)
                  : fmt::format("entry {} of {} is none, but its record stands at log position {}", walked.next, name,
                                position));
  // The entry is this record's if the one behind it follows: otherwise it is missing, and the entry that of a later
  // one.
  if (is_entry) {
    const auto behind = walked.reader.at(walked.next + 1);
    if (!behind) return behind.error();
    const bool is_in_order = !*behind || !is_valid(**behind) || (*behind)->position > (*next)->position;
    if (is_in_order) return {};
  }
  ++walked.next;
  return {};
}

}  // namespace tern::store
