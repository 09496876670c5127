#include "broker/assignment/allocation.hpp"

#include <algorithm>

namespace tern::broker {
namespace {

std::optional<std::size_t> index_of(std::string_view client, const std::vector<std::string>& clients) {
  const auto found = std::find(clients.begin(), clients.end(), client);
  if (found == clients.end()) return std::nullopt;
  return static_cast<std::size_t>(found - clients.begin());
}

// Neighbouring queues; who comes first gets one more, if they do not divide.
AssignedQueues average(std::size_t index, const AssignedQueues& queues, std::size_t clients) {
  const std::size_t each = queues.size() / clients;
  const std::size_t more = queues.size() % clients;
  const std::size_t begin = index * each + std::min(index, more);
  const std::size_t count = each + (index < more ? 1 : 0);
  const auto first = queues.begin() + static_cast<std::ptrdiff_t>(begin);
  return {first, first + static_cast<std::ptrdiff_t>(count)};
}

AssignedQueues circle(std::size_t index, const AssignedQueues& queues, std::size_t clients) {
  AssignedQueues mine;
  for (std::size_t i = index; i < queues.size(); i += clients) mine.push_back(queues[i]);
  return mine;
}

}  // namespace

std::optional<AssignedQueues> allocate(std::string_view strategy, std::string_view client, const AssignedQueues& queues,
                                       const std::vector<std::string>& clients) {
  const bool is_circle = strategy == "AVG_BY_CIRCLE";
  if (!is_circle && strategy != "AVG") return std::nullopt;
  const auto index = index_of(client, clients);
  if (!index || queues.empty()) return AssignedQueues{};
  return is_circle ? circle(*index, queues, clients.size()) : average(*index, queues, clients.size());
}

std::optional<AssignedQueues> allocate_pop(std::string_view strategy, std::string_view client,
                                           const AssignedQueues& queues, const std::vector<std::string>& clients,
                                           int shares) {
  const auto members = static_cast<int>(clients.size());
  AssignedQueues mine;
  if (shares <= 0 || shares >= members - 1) {
    for (auto queue : queues) {
      queue.queue_id = -1;
      mine.push_back(std::move(queue));
    }
  } else if (clients.size() <= queues.size()) {
    const auto index = index_of(client, clients);
    for (std::size_t i = 0; i <= static_cast<std::size_t>(shares); ++i) {
      const auto& whose = index ? clients[(*index + i) % clients.size()] : std::string(client);
      const auto share = allocate(strategy, whose, queues, clients);
      if (!share) return std::nullopt;
      mine.insert(mine.end(), share->begin(), share->end());
    }
  } else if (const auto index = index_of(client, clients); index && !queues.empty()) {
    mine.push_back(queues[*index % queues.size()]);
  }
  std::sort(mine.begin(), mine.end());
  mine.erase(std::unique(mine.begin(), mine.end()), mine.end());
  return mine;
}

}  // namespace tern::broker
