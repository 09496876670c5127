#include "store/put/spin.hpp"

#include <gtest/gtest.h>

namespace tern::store {
namespace {

TEST(Spin, CostsSomething) {
  EXPECT_GT(spin_ns(), 0);
  EXPECT_EQ(spin_ns(), spin_ns());  // measured once
}

TEST(Spin, MakesALimitOutOfTimeAndKeepsItInBounds) {
  EXPECT_EQ(spins_per_context_switch(25), 1000);
  EXPECT_EQ(spins_per_context_switch(2.5), 10'000);
  EXPECT_EQ(spins_per_context_switch(1e9), 100);
  EXPECT_EQ(spins_per_context_switch(1e-9), 100'000);
}

}  // namespace
}  // namespace tern::store
