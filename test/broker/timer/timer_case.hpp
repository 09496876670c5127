#pragma once
// A broker fixture whose timer is stepped and saved by hand. A slot is 100 ms, the window 1,000 of them.

#include <string>
#include <string_view>
#include <vector>

#include "broker/broker_fixture.hpp"
#include "broker/timer/timers.hpp"

namespace tern::test {

class TimerCase : public BrokerFixture {
 protected:
  explicit TimerCase(SimulatedDisk* another = nullptr) : BrokerFixture("ASYNC_FLUSH", another) {
    timer_options.precision_ms = 100;
    timer_options.roll_window_slots = 1'000;
    timer_options.recall_enabled = true;
    store_options.log.accepts_clock_behind = true;  // tests set it back
  }
  void SetUp() override {
    BrokerFixture::SetUp();
    make_topic("T");
  }
  AnswerPtr send_at(std::string_view body, std::int64_t deliver_ms, const Fields& more = {},
                    const std::string& topic = "T") {
    return send(topic, body, with({{"TIMER_DELIVER_MS", std::to_string(deliver_ms)}}, more));
  }
  AnswerPtr send_in(std::string_view body, std::int64_t delay_ms, const Fields& more = {}) {
    return send("T", body, with({{"TIMER_DELAY_MS", std::to_string(delay_ms)}}, more));
  }
  StepResult step() {
    const auto result = timers->step();
    run();
    return result;
  }
  /// Steps until nothing is left to do now.
  void settle() {
    for (int idle = 0; idle < 5; ++idle) {
      const auto before = store->log().watermarks().published();
      const auto counts = timers->counts();
      step();
      const auto after = timers->counts();
      const bool has_moved = counts.entered != after.entered || counts.offset_behind != after.offset_behind;
      if (has_moved || store->log().watermarks().published() != before) idle = 0;
    }
  }
  /// What has been done so far is saved, if there is anything.
  bool save() {
    clock.advance_ms(timer_options.save_interval_ms.get());
    step();
    flush();
    step();
    if (!timers->begin_save()) return false;
    EXPECT_TRUE(timers->save());
    return true;
  }
  /// The end of a process that is asked to go; what is on its way to the io thread stays undone.
  void close_broker() {
    posted.clear();
    EXPECT_TRUE(store->close());
    EXPECT_TRUE(timers->save_all());
  }
  std::vector<std::string> delivered(const std::string& topic = "T") { return bodies(stored(topic)); }
};

}  // namespace tern::test
