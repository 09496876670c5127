#include "tern/base/byte_order.hpp"
#include "tern/store/side_file.hpp"

#include "queue_support.hpp"

namespace tern::store {
namespace {

TEST(Checkpoint, IsByteForByteApaches) {
  test::SimulatedDisk disk;
  ASSERT_TRUE(disk.make_directories("store"));
  EXPECT_FALSE(*load_checkpoint(disk, "store/checkpoint"));
  ASSERT_TRUE(save_checkpoint(disk, "store/checkpoint", {1, 2, 3, 4, 5, 6}));
  std::string wanted;
  for (const std::int64_t field : {1, 2, 3, 4, 5, 6}) append_be(wanted, field);
  wanted.resize(4096, '\0');
  EXPECT_EQ(test::read_text(disk, "store/checkpoint"), wanted);
  const auto loaded = load_checkpoint(disk, "store/checkpoint");
  ASSERT_TRUE(loaded && *loaded);
  EXPECT_EQ((*loaded)->log_timestamp, 1);
  EXPECT_EQ((*loaded)->queue_timestamp, 2);
  EXPECT_EQ((*loaded)->index_timestamp, 3);
  EXPECT_EQ((*loaded)->master_flushed_offset, 4);
  EXPECT_EQ((*loaded)->confirm_offset, 5);
  EXPECT_EQ((*loaded)->queue_position, 6);
}

TEST(Checkpoint, TakesAnySizeAndLeavesTheRightOne) {
  test::SimulatedDisk disk;
  for (const std::size_t size : {0, 47, 48, 4095, 4097, 9000}) {
    ASSERT_TRUE(test::write_text(disk, "checkpoint", std::string(size, '\1')));
    const auto loaded = load_checkpoint(disk, "checkpoint");
    ASSERT_TRUE(loaded) << size;
    EXPECT_EQ(loaded->has_value(), size >= 48) << size;
    ASSERT_TRUE(save_checkpoint(disk, "checkpoint", {1, 2, 3}));
    EXPECT_EQ(test::read_text(disk, "checkpoint").size(), 4096U);
  }
}

}  // namespace
}  // namespace tern::store
