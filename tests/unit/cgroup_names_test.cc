#include "exporter/app/cgroup_names.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/temp_directory.h"

namespace sched_exporter {
namespace {

using test_support::TempDirectory;

TEST(CgroupNames, AsksForACgroupThatWasMadeWhileEventsAreRead) {
  const TempDirectory root;
  CgroupNames names(root.path(), nullptr);
  std::vector<NewCgroup> made;
  int asked = 0;
  names.AskForNew([&] {
    ++asked;
    return std::exchange(made, {});
  });
  names.NoteNew({{1, "/first"}});
  ASSERT_NE(names.PathOf(1), nullptr);
  EXPECT_EQ(asked, 0);
  made = {{2, "/second"}, {3, "/third"}};
  ASSERT_NE(names.PathOf(3), nullptr);
  EXPECT_EQ(*names.PathOf(3), "/third");
  EXPECT_EQ(*names.PathOf(2), "/second");
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(names.PathOf(4), nullptr);
}

TEST(CgroupNames, ManyThatAreGoneDoNotTakeTheNamesOfThoseWhoseEventsAreToCome) {
  constexpr std::uint64_t kMany = 20'000;
  const TempDirectory root;
  CgroupNames names(root.path(), nullptr);
  for (std::uint64_t id = 1; id <= kMany; ++id) {
    const std::string path = "/gone/" + std::to_string(id);
    names.NoteNew({{id, path}});
    names.NoteNew({});
    ASSERT_NE(names.PathOf(id), nullptr) << id;
    EXPECT_EQ(*names.PathOf(id), path);
  }
  EXPECT_EQ(names.PathOf(1), nullptr) << "memory is bounded";
}

}  // namespace
}  // namespace sched_exporter
