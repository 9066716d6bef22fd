#include "exporter/identity/cgroups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/support/temp_directory.h"

namespace sched_exporter {
namespace {

using test_support::TempDirectory;
using testing::HasSubstr;

constexpr char kRoot[] = "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n";
constexpr char kV2[] =
    "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr char kV2Beside[] =
    "31 30 0:27 / /sys/fs/cgroup/unified rw shared:5 - cgroup2 cgroup2 rw\n";
constexpr char kCpuAndCpuacct[] =
    "33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:7 - cgroup cgroup rw,cpu,cpuacct\n";
constexpr char kCpuOnly[] = "34 30 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n";
constexpr char kCpuacctOnly[] =
    "35 30 0:31 / /sys/fs/cgroup/cpuacct rw shared:8 master:1 - cgroup cgroup rw,cpuacct\n";
constexpr char kCpuset[] = "36 30 0:32 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n";

struct Choice {
  std::string mountinfo;
  HierarchyChoice choice;
  Hierarchy hierarchy;
  std::string mount_point;
};

TEST(ChooseCgroupMount, TakesWhatIsAskedFor) {
  const std::string v2 = std::string(kRoot) + kV2;
  const std::string hybrid = std::string(kRoot) + kV2Beside + kCpuset + kCpuAndCpuacct;
  const std::string separate = std::string(kCpuOnly) + kCpuacctOnly + kV2Beside;
  const std::string unified = "/sys/fs/cgroup/unified";
  const std::string both = "/sys/fs/cgroup/cpu,cpuacct";
  const Choice choices[] = {
      {v2, HierarchyChoice::kAuto, Hierarchy::kV2, "/sys/fs/cgroup"},
      {v2, HierarchyChoice::kV2, Hierarchy::kV2, "/sys/fs/cgroup"},
      {hybrid, HierarchyChoice::kAuto, Hierarchy::kCpuacct, both},
      {hybrid, HierarchyChoice::kV2, Hierarchy::kV2, unified},
      {hybrid, HierarchyChoice::kCpu, Hierarchy::kCpu, both},
      {hybrid, HierarchyChoice::kCpuacct, Hierarchy::kCpuacct, both},
      {separate, HierarchyChoice::kAuto, Hierarchy::kCpuacct, "/sys/fs/cgroup/cpuacct"},
      {separate, HierarchyChoice::kCpu, Hierarchy::kCpu, "/sys/fs/cgroup/cpu"},
      {kCpuOnly, HierarchyChoice::kAuto, Hierarchy::kCpu, "/sys/fs/cgroup/cpu"},
      // v1 without a controller that counts CPU time.
      {std::string(kCpuset) + kV2Beside, HierarchyChoice::kAuto, Hierarchy::kV2, unified},
  };
  for (const Choice& wanted : choices) {
    SCOPED_TRACE(wanted.mountinfo + std::to_string(static_cast<int>(wanted.choice)));
    const auto mount = ChooseCgroupMount(wanted.mountinfo, wanted.choice);
    ASSERT_TRUE(mount) << mount.error().message;
    EXPECT_EQ(mount->hierarchy, wanted.hierarchy);
    EXPECT_EQ(mount->mount_point, wanted.mount_point);
  }
}

TEST(ChooseCgroupMount, FailsWhereTheHierarchyIsNotMounted) {
  const std::string v2 = std::string(kRoot) + kV2;
  EXPECT_FALSE(ChooseCgroupMount("", HierarchyChoice::kAuto));
  EXPECT_FALSE(ChooseCgroupMount(kRoot, HierarchyChoice::kAuto));
  EXPECT_FALSE(ChooseCgroupMount(v2, HierarchyChoice::kCpu));
  EXPECT_FALSE(ChooseCgroupMount(v2, HierarchyChoice::kCpuacct));
  EXPECT_FALSE(ChooseCgroupMount(kCpuAndCpuacct, HierarchyChoice::kV2));
  const auto none = ChooseCgroupMount(kCpuset, HierarchyChoice::kAuto);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("cgroup.hierarchy"));
}

TEST(ChooseCgroupMount, TakesTheFirstOfSeveralMounts) {
  const std::string again = "40 1 0:26 / /var/lib/other rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(ChooseCgroupMount(kV2 + again, HierarchyChoice::kV2)->mount_point, "/sys/fs/cgroup");
}

TEST(ChooseCgroupMount, PrefersAMountThatShowsTheWholeHierarchy) {
  const std::string part = "29 22 0:26 /docker/4f2a /mnt/part rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(ChooseCgroupMount(part + kV2, HierarchyChoice::kAuto)->mount_point, "/sys/fs/cgroup");
  EXPECT_EQ(ChooseCgroupMount(part, HierarchyChoice::kAuto)->mount_point, "/mnt/part");
}

TEST(ChooseCgroupMount, DecodesSpacesInPaths) {
  const std::string line = "30 22 0:26 / /mnt/my\\040groups\\134 rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(ChooseCgroupMount(line, HierarchyChoice::kV2)->mount_point, "/mnt/my groups\\");
}

TEST(ChooseCgroupMount, SkipsLinesThatItDoesNotUnderstand) {
  const std::string broken = std::string("\n-\n1 2 3\na b c d e f g - cgroup2\n") + kV2;
  EXPECT_EQ(ChooseCgroupMount(broken, HierarchyChoice::kAuto)->mount_point, "/sys/fs/cgroup");
}

TEST(HierarchyId, IsTheNumberInFrontOfTheController) {
  const std::string self =
      "12:cpuset:/\n7:cpu,cpuacct:/user.slice\n3:name=systemd:/a:b\n0::/user.slice\n";
  EXPECT_EQ(HierarchyId(self, Hierarchy::kCpu).value(), 7);
  EXPECT_EQ(HierarchyId(self, Hierarchy::kCpuacct).value(), 7);
  EXPECT_EQ(HierarchyId(self, Hierarchy::kV2).value(), 0);
  EXPECT_EQ(HierarchyId("4:cpuacct:/\n5:cpu:/\n", Hierarchy::kCpu).value(), 5);
}

TEST(HierarchyId, FailsWithoutTheController) {
  for (const char* self : {"", "0::/\n", "12:cpuset:/\n", "cpu\n", "3:name=cpu:/cpu\n"}) {
    EXPECT_FALSE(HierarchyId(self, Hierarchy::kCpu)) << self;
  }
}

std::uint64_t InodeOf(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_ino;
}

TEST(CgroupTree, NamesDirectoriesByTheirInode) {
  const TempDirectory root;
  const std::filesystem::path deep = root.path() + "/system.slice/a.service/init";
  std::filesystem::create_directories(deep);
  root.Write("system.slice/cpu.stat", "");
  CgroupTree tree(root.path());
  EXPECT_EQ(tree.Find(InodeOf(root.path())), nullptr);
  tree.Scan();
  EXPECT_EQ(*tree.Find(InodeOf(root.path())), "/");
  EXPECT_EQ(*tree.Find(InodeOf(deep)), "/system.slice/a.service/init");
  EXPECT_EQ(tree.Find(InodeOf(root.path() + "/system.slice/cpu.stat")), nullptr);
  EXPECT_EQ(tree.size(), 4);
}

TEST(CgroupTree, TheSecondScanForgetsWhatIsGoneAndTheFirstFindsWhatIsNew) {
  const TempDirectory root;
  std::filesystem::create_directories(root.path() + "/old");
  CgroupTree tree(root.path());
  tree.Scan();
  tree.Add(1, "/made/meanwhile");
  EXPECT_EQ(*tree.Find(1), "/made/meanwhile");
  std::filesystem::remove(root.path() + "/old");
  std::filesystem::create_directories(root.path() + "/a/b");
  tree.Scan();
  EXPECT_EQ(*tree.Find(1), "/made/meanwhile") << "what it did may be told later";
  EXPECT_EQ(*tree.Find(InodeOf(root.path() + "/a/b")), "/a/b");
  EXPECT_EQ(tree.size(), 3);
  tree.Scan();
  EXPECT_EQ(tree.Find(1), nullptr);
  EXPECT_EQ(tree.size(), 3);
}

TEST(CgroupTree, IsEmptyWhereNothingIsMounted) {
  CgroupTree tree("/nonexistent");
  tree.Scan();
  EXPECT_EQ(tree.size(), 0);
}

}  // namespace
}  // namespace sched_exporter
