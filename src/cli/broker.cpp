// ternctl broker: what a broker says of itself, and its settings while it runs.
#include "cli/verbs.hpp"

namespace tern::cli {
namespace {

using protocol::RequestCode;

struct Options {
  std::string address;
  std::vector<std::string> settings;
};

Outcome<remoting::Answer> ask(const Options& options, protocol::Outgoing request) {
  Session session("");
  auto answer = session.call(options.address, std::move(request));
  if (!answer) return answer.error();
  if (!answer->ok()) return Failure{fmt::format("{} refuses: {}", options.address, answer->remark)};
  return answer;
}

Outcome<int> show_status(const Options& options) {
  const auto answer = ask(options, protocol::request(RequestCode::kGetBrokerRuntimeInfo));
  if (!answer) return answer.error();
  const auto body = protocol::parse_json(answer->body);
  const auto* const table = body ? protocol::object_member(*body, "table") : nullptr;
  if (table == nullptr) return Failure{"the broker's answer holds no table"};
  for (const auto& [name, value] : table->items()) {
    fmt::print("{}={}\n", name, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return 0;
}

Outcome<int> show_config(const Options& options) {
  const auto answer = ask(options, protocol::request(RequestCode::kGetBrokerConfig));
  if (!answer) return answer.error();
  fmt::print("{}", answer->body);
  return 0;
}

Outcome<int> set(const Options& options) {
  std::string text;
  for (const auto& setting : options.settings) {
    if (setting.find('=') == std::string::npos) return Failure{fmt::format("\"{}\" is no KEY=VALUE", setting)};
    text += setting + "\n";
  }
  const auto answer = ask(options, protocol::request(RequestCode::kUpdateBrokerConfig).with_body(std::move(text)));
  if (!answer) return answer.error();
  return 0;
}

std::shared_ptr<Options> declare_address(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("-a,--address", options->address, "the broker, as host:port")->required();
  return options;
}

Run declare_status(CLI::App& app) {
  auto options = declare_address(app);
  return [options] { return show_status(*options); };
}

Run declare_config(CLI::App& app) {
  auto options = declare_address(app);
  return [options] { return show_config(*options); };
}

Run declare_set(CLI::App& app) {
  auto options = declare_address(app);
  app.add_option("settings", options->settings, "KEY=VALUE: all of them are changed, or none")->required();
  return [options] { return set(*options); };
}

constexpr Verb kRows[] = {
    {"status", "shows what the broker is doing: rates, positions, the put lock", &declare_status},
    {"config", "shows all settings, as a properties file", &declare_config},
    {"set", "changes settings that may change at run time; the broker keeps them in its file", &declare_set},
};

}  // namespace

Run declare_broker(CLI::App& app) {
  return declare_verbs(app, kRows);
}

}  // namespace tern::cli
