#pragma once
// All that want to hear of records that have become readable.

#include <utility>
#include <vector>

#include "tern/store/store.hpp"

namespace tern::broker {

/// Tells each of several listeners, in order. Constant after construction; they outlive it.
class Arrivals final : public store::ArrivalListener {
 public:
  explicit Arrivals(std::vector<store::ArrivalListener*> listeners) : listeners_(std::move(listeners)) {}
  void arrived(const store::Arrival& arrival) override {
    for (auto* listener : listeners_) listener->arrived(arrival);
  }
  void arrived_done() override {
    for (auto* listener : listeners_) listener->arrived_done();
  }

 private:
  const std::vector<store::ArrivalListener*> listeners_;
};

}  // namespace tern::broker
