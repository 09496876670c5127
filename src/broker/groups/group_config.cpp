// UPDATE_AND_CREATE_SUBSCRIPTIONGROUP (200), the same for a list (225), DELETE_SUBSCRIPTIONGROUP (207),
// GET_SUBSCRIPTIONGROUP_CONFIG (352), GET_ALL_SUBSCRIPTIONGROUP_CONFIG (201).
#include "tern/message/topic_name.hpp"

#include "broker/groups/group_attributes.hpp"
#include "broker/groups/requests.hpp"
#include "broker/table_page.hpp"

namespace tern::broker {
namespace {

using protocol::ResponseCode;

struct Fields {
  std::string_view group;
  bool clean_offset = false;
};
constexpr auto kDeleteFields = protocol::fields<Fields>(protocol::required("groupName", &Fields::group),
                                                        protocol::optional("cleanOffset", &Fields::clean_offset));
constexpr auto kPage = protocol::fields<TablePage>(protocol::optional("dataVersion", &TablePage::version),
                                                   protocol::optional("groupSeq", &TablePage::first),
                                                   protocol::optional("maxGroupNum", &TablePage::count));
constexpr auto kGetFields = protocol::fields<Fields>(protocol::required("group", &Fields::group));

TopicTable::Saved answer_when_saved(remoting::Reply reply) {
  auto job = std::make_shared<remoting::Reply>(std::move(reply));
  return [job](Status saved) {
    (*job)(saved ? protocol::ok()
                 : protocol::refuse(ResponseCode::kSystemError, "subscriptionGroup.json cannot be saved: {}",
                                    saved.error().text()));
  };
}

// nullopt: `to` is the group that the JSON describes.
std::optional<protocol::Response> read_group(const protocol::Json& json, const GroupTable& groups, GroupConfig& to) {
  if (json.is_object()) {
    if (const auto problem = message::group_problem(protocol::string_member(json, "groupName")))
      return protocol::refuse(ResponseCode::kInvalidParameter, "{}", *problem);
  }
  auto group = group_from_json(json);
  if (!group)
    return protocol::refuse(ResponseCode::kSystemError,
                            "the body is no subscription group, or one of its numbers is none");
  if (const auto problem = change_attributes(groups.find(group->name).get(), *group))
    return protocol::refuse(ResponseCode::kSystemError, "{}", *problem);
  to = std::move(*group);
  return std::nullopt;
}

}  // namespace

void update_group(const remoting::Request& request, remoting::Reply reply, GroupTable& groups) {
  const auto body = protocol::parse_json(request.body_text());
  GroupConfig group;
  if (auto refusal = read_group(body ? *body : protocol::Json(), groups, group)) return reply(std::move(*refusal));
  groups.put(std::move(group), answer_when_saved(std::move(reply)));
}

// All of them or, if one is wrong, none.
void update_group_list(const remoting::Request& request, remoting::Reply reply, GroupTable& groups) {
  const auto body = protocol::parse_json(request.body_text());
  const auto* list = body ? protocol::array_member(*body, "groupConfigList") : nullptr;
  if (list == nullptr)
    return reply(protocol::refuse(ResponseCode::kSystemError, "the body has no list named groupConfigList"));
  std::vector<GroupConfig> read(list->size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (auto refusal = read_group((*list)[i], groups, read[i])) return reply(std::move(*refusal));
  }
  if (read.empty()) return reply(protocol::ok());
  auto last = std::move(read.back());
  read.pop_back();
  for (auto& group : read) groups.put(std::move(group));
  groups.put(std::move(last), answer_when_saved(std::move(reply)));  // a file with it holds the others, too
}

void delete_group(const remoting::Request& request, remoting::Reply reply, GroupTable& groups, OffsetTable& offsets,
                  QueueLocks& locks) {
  const auto fields = kDeleteFields.decode(request.header);
  if (!fields) return reply(protocol::refuse(fields.error()));
  if (fields->clean_offset) offsets.remove_group(fields->group);
  locks.remove_group(fields->group);
  groups.remove(fields->group, answer_when_saved(std::move(reply)));
}

protocol::Response get_group_config(const remoting::Request& request, GroupTable& groups) {
  const auto fields = kGetFields.decode(request.header);
  if (!fields) return protocol::refuse(fields.error());
  const auto group = groups.find_or_create(fields->group);
  if (!group)
    return protocol::refuse(ResponseCode::kSubscriptionGroupNotExist, "No group in this broker. group: {}",
                            fields->group);
  return protocol::ok().with_body(protocol::write_json(to_json(*group)));
}

protocol::Response get_all_group_config(const remoting::Request& request, GroupTable& groups) {
  const auto page = kPage.decode(request.header);
  if (!page) return protocol::refuse(page.error());
  auto json = groups.to_json();
  const auto count = static_cast<std::int64_t>(json["subscriptionGroupTable"].size());
  auto& table = json["subscriptionGroupTable"];
  keep_page(*page, data_version_from_json(json["dataVersion"]), table);
  // What groups of other pages may not read stands there.
  auto forbidden = protocol::Json::object();
  for (auto& [group, topics] : json["forbiddenTable"].items()) {
    if (table.contains(group)) forbidden[group] = std::move(topics);
  }
  json["forbiddenTable"] = std::move(forbidden);
  return protocol::ok().field("totalGroupNum", count).with_body(protocol::write_json(json));
}

}  // namespace tern::broker
