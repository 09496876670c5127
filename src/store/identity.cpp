#include "store/identity.hpp"

#include <charconv>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "tern/base/options.hpp"
#include "tern/file/metadata_file.hpp"
#include "tern/store/side_file.hpp"

#include "store/durable_directory.hpp"

namespace tern::store {
namespace {

constexpr std::string_view kCluster = "brokerClusterName", kName = "brokerName", kId = "brokerId";

std::optional<std::string> parse(std::string_view text, StoreIdentity& identity) {
  // As it was written. Without that "brokerId=12" which is cut short would be id 1.
  if (!text.ends_with('\n')) return "its last line has no end: it was cut short";
  const auto parsed = parse_properties("identity", text);
  if (const auto* problem = std::get_if<PropertiesError>(&parsed)) {
    return fmt::format("line {}: {}", problem->line, problem->text);
  }
  int found = 0;
  for (const auto& line : std::get<PropertiesFile>(parsed).lines) {
    if (line.key == kCluster) {
      identity.cluster = line.value;
      found |= 1;
    } else if (line.key == kName) {
      identity.broker_name = line.value;
      found |= 2;
    } else if (line.key == kId) {
      const auto* const end = line.value.data() + line.value.size();
      if (std::from_chars(line.value.data(), end, identity.broker_id).ptr != end || line.value.empty()) {
        return fmt::format("line {}: {} is no number", line.line, kId);
      }
      found |= 4;
    }
  }
  if (found != 7) return fmt::format("{}, {} and {} are not all there", kCluster, kName, kId);
  return std::nullopt;
}

std::string text_of(const StoreIdentity& identity) {
  return fmt::format("broker {} (cluster {}, id {})", identity.broker_name, identity.cluster, identity.broker_id);
}

}  // namespace

std::optional<std::string> identity_problem(std::string_view text) {
  StoreIdentity ignored;
  return parse(text, ignored);
}

Result<std::optional<StoreIdentity>> load_identity(file::Disk& disk, const std::string& directory,
                                                   std::string& problem) {
  file::MetadataFile file(disk, file::join(directory, "identity"));
  const auto loaded = file.load(&identity_problem);
  if (!loaded) {
    problem = loaded.error().text;
    return error(Errc::kDamaged);
  }
  if (!*loaded) return std::optional<StoreIdentity>();
  StoreIdentity owner;
  static_cast<void>(parse((*loaded)->content, owner));
  return std::optional(owner);
}

namespace {

/// Whether there is an owner, and it is this one.
Result<bool> is_owner(file::Disk& disk, const std::string& directory, const StoreIdentity& identity,
                      std::string& problem) {
  const auto owner = load_identity(disk, directory, problem);
  if (!owner) return owner.error();
  if (!*owner || **owner == identity) return owner->has_value();
  problem = fmt::format("{}: this store belongs to {}, but this is {}; give each broker its own storePathRootDir",
                        file::join(directory, "identity"), text_of(**owner), text_of(identity));
  return error(Errc::kForeign);
}

}  // namespace

Status check_identity(file::Disk& disk, const std::string& directory, const StoreIdentity& identity,
                      std::string& problem) {
  const auto owned = is_owner(disk, directory, identity, problem);
  return owned ? Status() : Status(owned.error());
}

Status claim_identity(file::Disk& disk, const std::string& directory, const StoreIdentity& identity,
                      std::string& problem) {
  if (const auto status = make_durable_directory(disk, directory); !status) {
    problem = fmt::format("{}: {}", directory, status.error().text());
    return status;
  }
  const auto owned = is_owner(disk, directory, identity, problem);
  if (!owned) return owned.error();
  if (*owned) return {};
  const std::vector<PropertyLine> lines = {{std::string(kCluster), identity.cluster, 0},
                                           {std::string(kName), identity.broker_name, 0},
                                           {std::string(kId), std::to_string(identity.broker_id), 0}};
  file::MetadataFile file(disk, file::join(directory, "identity"));
  const auto status = file.save(write_properties(lines));
  if (!status) problem = fmt::format("{}: {}", file.path(), status.error().text());
  return status;
}

}  // namespace tern::store
