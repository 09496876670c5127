#include "tern/file/settings_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/bytes.hpp"
#include "support/temporary_directory.hpp"

namespace tern::file {
namespace {

using ::testing::HasSubstr;

class SettingsFileTest : public ::testing::Test {
 protected:
  void write(const std::string& path, std::string_view text) {
    auto file = disk_->open(path, OpenMode::kCreate);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->resize(0));
    ASSERT_TRUE((*file)->write(0, std::as_bytes(std::span(text))));
  }

  test::TemporaryDirectory directory_;
  std::unique_ptr<Disk> disk_ = make_real_disk();
  std::string path_ = join(directory_.path(), "broker.conf");
  SettingsFile file_{*disk_, path_};
};

TEST_F(SettingsFileTest, KeepsCommentsAndWhatItIsNotToldOf) {
  write(path_, "# mine\na=1\nb=2\n");
  EXPECT_EQ(file_.keep(std::vector<PropertyLine>{{"a", "3", 0}}), std::nullopt);
  EXPECT_EQ(test::read_text(*disk_, path_), "# mine\na=3\nb=2\n");
  EXPECT_EQ(test::read_text(*disk_, path_ + ".bak"), "# mine\na=1\nb=2\n");
}

TEST_F(SettingsFileTest, KeepsWhatOthersWroteSinceTheStart) {
  write(path_, "a=1\n");
  EXPECT_EQ(file_.keep(std::vector<PropertyLine>{{"a", "2", 0}}), std::nullopt);
  write(path_, "a=2\n# by hand\nc=7\n");
  EXPECT_EQ(file_.keep(std::vector<PropertyLine>{{"b", "3", 0}}), std::nullopt);
  EXPECT_EQ(test::read_text(*disk_, path_), "a=2\n# by hand\nc=7\nb=3\n");
}

TEST_F(SettingsFileTest, LeavesAFileAloneThatIsNoPropertiesOrGone) {
  write(path_, "a=1\n");
  EXPECT_EQ(file_.keep(std::vector<PropertyLine>{{"a", "2", 0}}), std::nullopt);
  write(path_, "a=\\u1\n");
  const auto problem = file_.keep(std::vector<PropertyLine>{{"a", "3", 0}});
  ASSERT_TRUE(problem);
  EXPECT_THAT(*problem, AllOf(HasSubstr(path_), HasSubstr("line 1")));
  EXPECT_EQ(test::read_text(*disk_, path_), "a=\\u1\n");
  EXPECT_TRUE(disk_->remove(path_));
  EXPECT_TRUE(file_.keep(std::vector<PropertyLine>{{"a", "3", 0}})) << "the backup is older, and not asked for";
}

TEST_F(SettingsFileTest, SaysWhichFileCannotBeWritten) {
  SettingsFile nowhere(*disk_, join(directory_.path(), "absent/broker.conf"));
  const auto problem = nowhere.keep(std::vector<PropertyLine>{{"a", "3", 0}});
  ASSERT_TRUE(problem);
  EXPECT_THAT(*problem, HasSubstr("absent/broker.conf cannot be written: No such file or directory"));
}

}  // namespace
}  // namespace tern::file
