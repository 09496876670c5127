#pragma once
// A nameserver without a network: its tables, its services, and requests built in one line.

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "nameserver/captured_reply.hpp"
#include "nameserver/fake_peer.hpp"
#include "nameserver/registrations.hpp"
#include "nameserver/services.hpp"
#include "support/manual_clock.hpp"
#include "support/simulated_disk.hpp"

namespace tern::test {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// A one-way request that went to a broker.
struct SentNotice {
  std::string address;
  std::int32_t code = 0;
  std::string fields;
};

class NameserverFixture : public ::testing::Test {
 protected:
  /// Asks over `peer`, lets the blocking thread do its part, and gives the answer.
  std::shared_ptr<CapturedReply> ask(protocol::RequestCode code, const Fields& fields = {}, std::string_view body = {},
                                     std::int32_t version = 513) {
    protocol::CommandHeader header;
    header.code = static_cast<std::int32_t>(code);
    header.version = version;
    for (const auto& [key, value] : fields) header.fields.push_back({key, value});
    const remoting::PeerPtr over = peer;
    const remoting::Request request{header, std::as_bytes(std::span(body)), over};
    auto captured = std::make_shared<CapturedReply>();
    processors.dispatch(services, request, remoting::Reply(captured, 1, false));
    kv.step();
    EXPECT_TRUE(captured->has_answer());
    return captured;
  }

  nameserver::Registered add(const nameserver::Registration& made) {
    return table.register_broker(made, peer, clock.steady_ms());
  }

  ManualClock clock;
  SimulatedDisk disk;
  DefaultOptions defaults;
  nameserver::NameserverOptions& options = defaults.options;
  std::shared_ptr<FakePeer> peer = FakePeer::make();
  std::vector<SentNotice> notices_sent;

  nameserver::RouteTable table{options};
  nameserver::RouteBodies bodies{table};
  nameserver::KvConfig kv{disk, "kvConfig.json"};
  RuntimeConfig config{defaults.settings, options.update_black_list};
  nameserver::MinimumNotices notices{
      options, [this](const std::string& address, const protocol::Outgoing& request) {
        notices_sent.push_back({address, request.code, std::string(request.fields.json())});
      }};
  nameserver::BrokerLiveness liveness{clock, table, notices};
  nameserver::ServingSince since{clock.steady_ms()};
  nameserver::Services services{clock, options, since, table, bodies, kv, config, notices, liveness};
  remoting::ProcessorTable<nameserver::Services> processors{std::array{nameserver::processor_rows()}};
};

}  // namespace tern::test
