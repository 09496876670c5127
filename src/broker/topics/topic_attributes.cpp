#include "broker/topics/topic_attributes.hpp"

#include <algorithm>

#include "broker/attributes.hpp"

namespace tern::broker {
namespace {

using Kind = AttributeRow::Kind;
constexpr AttributeRow kRows[] = {
    {"queue.type", Kind::kWords, false, "SimpleCQ|BatchCQ"},
    {"cleanup.policy", Kind::kWords, false, "DELETE|COMPACTION"},
    {"message.type", Kind::kWords, true, "UNSPECIFIED|NORMAL|FIFO|DELAY|TRANSACTION|MIXED|PRIORITY|LITE"},
    {"reserve.time", Kind::kNumber},
    {"lite.topic.expiration", Kind::kNumber, true, {}, -1, 43'200},
};

}  // namespace

std::optional<std::string> change_attributes(std::string_view changes, bool is_new,
                                             std::map<std::string, std::string>& attributes) {
  AttributeChanges list;
  while (!changes.empty()) {
    const auto entry = changes.substr(0, changes.find(','));
    changes.remove_prefix(std::min(changes.size(), entry.size() + 1));
    if (entry.empty()) continue;
    const auto split = entry.find('=');
    list.emplace_back(entry.substr(0, split), split == std::string_view::npos ? "" : entry.substr(split + 1));
  }
  return alter_attributes(kRows, list, is_new, attributes);
}

}  // namespace tern::broker
