// The broker's settings: what --check-config calls good starts, and what does not start is refused at its line.

#include "tern/base/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tern/store/commit_log.hpp"
#include "tern/store/store.hpp"

#include "broker/config/apache_broker_keys.hpp"
#include "broker/filter/filter_options.hpp"
#include "broker/identity.hpp"
#include "broker/timer/timer_options.hpp"
#include "broker/transaction/transaction_options.hpp"
#include "store/put/apache_lock_keys.hpp"

namespace tern::broker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A broker's settings, as its main declares them.
struct Loaded {
  Loaded() {
    settings.add("Broker", broker_option_rows(), options);
    settings.add("Filters", filter_option_rows(), filter_options);
    settings.add("Transactions", transaction_option_rows(), transaction_options);
    settings.add("Timers", timer_option_rows(), timer_options);
    settings.add("Store", store::store_option_rows(), store_options);
    settings.add("Commit log", store::log_option_rows(), store_options.log);
    settings.add("Put lock", store::apache_lock_rows(), lock_keys);
    settings.add_foreign(apache_broker_keys());
  }

  std::vector<std::string> problems_of(std::string_view text) {
    const auto parsed = parse_properties("broker.conf", text);
    std::vector<std::string> texts;
    for (const auto& problem : settings.apply(std::get<PropertiesFile>(parsed), false).problems) {
      texts.push_back(problem.text);
    }
    return texts;
  }

  BrokerOptions options;
  FilterOptions filter_options;
  TransactionOptions transaction_options;
  TimerOptions timer_options;
  store::StoreOptions store_options;
  store::ApacheLockKeys lock_keys;
  OptionSet settings{"broker"};
};

std::vector<std::string> problems_of(std::string_view text) {
  return Loaded().problems_of(text);
}

TEST(BrokerOptions, RefuseWhatWouldNotStartAtItsLine) {
  EXPECT_THAT(problems_of("\nmessageDelayLevel=foo\n"),
              ElementsAre("broker.conf:2: messageDelayLevel: \"foo\" is not allowed; allowed: numbers with the unit s, "
                          "m, h or d, blanks between"));
  EXPECT_THAT(problems_of("brokerIP1=localhost"),
              ElementsAre("broker.conf:1: brokerIP1: \"localhost\" is not allowed; allowed: an IP address, or empty"));
  EXPECT_THAT(problems_of("bindAddress=nonsense"), ElementsAre(HasSubstr("broker.conf:1: bindAddress: ")));
  EXPECT_THAT(
      problems_of("namesrvAddr=foo"),
      ElementsAre("broker.conf:1: namesrvAddr: \"foo\" is not allowed; allowed: host:port, ';' between several, "
                  "or empty"));
  for (const auto* hours : {"99", "24", "-1", "4,16", "4;x", "noon"}) {
    EXPECT_THAT(problems_of("deleteWhen=" + std::string(hours)), ElementsAre(HasSubstr("hours from 0 to 23"))) << hours;
  }
}

TEST(BrokerOptions, LeaveRoomForThePortsBesideTheMainOne) {
  for (const auto* port : {"1", "2", "65535", "65536", "-1"}) {
    EXPECT_THAT(problems_of("listenPort=" + std::string(port)), ElementsAre(HasSubstr("allowed: 0, 3 to 65534")))
        << port;
  }
  for (const auto* port : {"0", "3", "10911", "65534"}) {
    EXPECT_THAT(problems_of("listenPort=" + std::string(port)), IsEmpty()) << port;
  }
}

TEST(BrokerOptions, SayThatThereIsNoReplication) {
  EXPECT_THAT(problems_of("brokerId=1"),
              ElementsAre("broker.conf:1: brokerId: \"1\" is not allowed; allowed: 0, a master; replication is not "
                          "supported yet"));
  EXPECT_THAT(problems_of("brokerId=0"), IsEmpty());
}

TEST(BrokerOptions, TakeFiltersByPropertyButNotTheirBitMaps) {
  EXPECT_THAT(problems_of("enablePropertyFilter=true\nfilterSupportRetry=true\nfilterDataCleanTimeSpan=0\n"
                          "expectConsumerNumUseFilter=64\nmaxErrorRateOfBloomFilter=1\n"),
              IsEmpty());
  EXPECT_THAT(problems_of("enableCalcFilterBitMap=true"), ElementsAre(HasSubstr("bit maps of filters")));
  EXPECT_THAT(problems_of("maxErrorRateOfBloomFilter=100"), ElementsAre(HasSubstr("allowed: 1 to 99")));
}

TEST(BrokerOptions, TakeTheSettingsOfTransactions) {
  EXPECT_THAT(problems_of("rejectTransactionMessage=true\ntransactionTimeOut=0\ntransactionCheckMax=1\n"
                          "transactionCheckInterval=1000\ntransactionOpMsgMaxSize=1\ntransactionOpBatchInterval=0\n"),
              IsEmpty());
  EXPECT_THAT(problems_of("transactionCheckMax=0"), ElementsAre(HasSubstr("allowed: 1 to 1000000")));
  EXPECT_THAT(problems_of("transactionCheckInterval=99"), ElementsAre(HasSubstr("allowed: 100 to 86400000")));
}

TEST(BrokerOptions, AcceptWhatStarts) {
  EXPECT_THAT(problems_of("messageDelayLevel=1s 5m  2h 1d\nbrokerIP1=10.0.0.1\nbrokerIP2=[::1]\nbindAddress=::\n"
                          "namesrvAddr=a:9876;b:9876\ndeleteWhen=04;16\n"),
              IsEmpty());
  EXPECT_THAT(problems_of("brokerIP1=\nbindAddress=\nnamesrvAddr=\ndeleteWhen=\n"), IsEmpty());
}

}  // namespace
}  // namespace tern::broker
