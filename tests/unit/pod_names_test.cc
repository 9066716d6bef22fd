#include "exporter/identity/pod_names.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_directory.h"

namespace sched_exporter {
namespace {

namespace fs = std::filesystem;
using test_support::TempDirectory;

constexpr char kUid[] = "0f3a1c52-6f0e-4a52-9d0b-9a6e0c5f1d11";
constexpr char kStaticUid[] = "8f1e6c3b2a7d4950b1c2d3e4f5a6b7c8";
const PodName kWeb{"shop", "web-7c5ddbdf54-x2x9q"};
const PodName kEtcd{"kube-system", "etcd-node-1"};

std::string Id(char digit) { return std::string(64, digit); }

TEST(PodNames, FindsWhatWasAdded) {
  PodNames names;
  names.AddPod(kUid, kWeb);
  names.AddContainer(Id('a'), {"app", kWeb});
  ASSERT_NE(names.FindPod(kUid), nullptr);
  EXPECT_EQ(*names.FindPod(kUid), kWeb);
  ASSERT_NE(names.FindContainer(Id('a')), nullptr);
  EXPECT_EQ(*names.FindContainer(Id('a')), (ContainerName{"app", kWeb}));
  EXPECT_EQ(names.FindPod(kStaticUid), nullptr);
  EXPECT_EQ(names.FindContainer(Id('b')), nullptr);
}

TEST(PodNames, MergedNamesWin) {
  PodNames names;
  names.AddPod(kUid, kEtcd);
  names.AddPod(kStaticUid, kEtcd);
  PodNames others;
  others.AddPod(kUid, kWeb);
  names.Merge(others);
  EXPECT_EQ(*names.FindPod(kUid), kWeb);
  EXPECT_EQ(*names.FindPod(kStaticUid), kEtcd);
}

TEST(PodNames, IgnoresWhatIsNoId) {
  PodNames names;
  for (const char* uid :
       {"", "0f3a1c52", "0F3A1C52-6f0e-4a52-9d0b-9a6e0c5f1d11",
        "0f3a1c52-6f0e-4a52-9d0b-9a6e0c5f1d1g", "0f3a1c52_6f0e_4a52_9d0b_9a6e0c5f1d11",
        "0f3a1c526-f0e-4a52-9d0b-9a6e0c5f1d11", "8f1e6c3b2a7d4950b1c2d3e4f5a6b7cX"}) {
    names.AddPod(uid, kWeb);
  }
  names.AddContainer(Id('A'), {"app", kWeb});
  names.AddContainer(Id('a').substr(1), {"app", kWeb});
  names.AddContainer(Id('a') + "a", {"app", kWeb});
  EXPECT_EQ(names, PodNames());
}

TEST(PodNames, IgnoresWhatIsNoName) {
  for (const std::string& label :
       {std::string(), std::string("-a"), std::string("a-"), std::string("a_b"), std::string("A"),
        std::string("a b"), std::string("a\nb"), std::string("a/b"), std::string("..", 2),
        std::string("a\0b", 3), std::string("\xc3\xa4"), std::string(64, 'a')}) {
    PodNames names;
    names.AddPod(kUid, {label, "pod"});
    names.AddContainer(Id('a'), {label, kWeb});
    EXPECT_EQ(names, PodNames()) << label;
  }
  for (const std::string& pod : {std::string("a..b"), std::string(".a"), std::string("a."),
                                 std::string("a.-b"), std::string(254, 'a')}) {
    EXPECT_FALSE(IsPodName({"default", pod})) << pod;
  }
  EXPECT_TRUE(IsPodName({std::string(63, 'a'), std::string(253, 'a')}));
  EXPECT_TRUE(IsPodName({"0", "ip-10-0-0-1.eu.example.com"}));
}

TEST(PodNames, AreBounded) {
  PodNames names;
  for (std::size_t i = 0; i < PodNames::kMostPods; ++i) {
    std::string uid = std::to_string(i);
    names.AddPod(std::string(32 - uid.size(), '0') + uid, kWeb);
  }
  EXPECT_FALSE(names.overflowed());
  names.AddPod(std::string(32, '0'), kEtcd);  // a known one still changes
  EXPECT_FALSE(names.overflowed());
  EXPECT_EQ(*names.FindPod(std::string(32, '0')), kEtcd);
  names.AddPod(kUid, kWeb);
  EXPECT_TRUE(names.overflowed());
  EXPECT_EQ(names.pods().size(), PodNames::kMostPods);
}

/// /var/log as kubelets make it.
class PodLogsTest : public testing::Test {
 protected:
  PodLogsTest() {
    fs::create_directories(root_ / "pods");
    fs::create_directories(root_ / "containers");
  }

  void MakePod(const PodName& pod, const std::string& uid) const {
    fs::create_directories(root_ / "pods" / PodDirectory(pod, uid));
  }

  void MakeContainer(const PodName& pod, const std::string& uid, const std::string& container,
                     const std::string& id) const {
    const fs::path logs = root_ / "pods" / PodDirectory(pod, uid) / container;
    fs::create_directories(logs);
    std::ofstream(logs / "0.log") << "2026-01-05T10:00:03Z stdout F hello\n";
    std::string link = pod.pod + "_" + pod.pod_namespace + "_" + container + "-" + id;
    fs::create_symlink(logs / "0.log", root_ / "containers" / (link.substr(0, 251) + ".log"));
  }

  PodNames Read() const {
    PodNames names;
    const auto read = ReadLogDirectories(root_.string(), names);
    EXPECT_TRUE(read) << read.error().message;
    return names;
  }

  static std::string PodDirectory(const PodName& pod, const std::string& uid) {
    return pod.pod_namespace + "_" + pod.pod + "_" + uid;
  }

  TempDirectory directory_;
  fs::path root_ = directory_.path();
};

TEST_F(PodLogsTest, TellPodsAndContainers) {
  MakeContainer(kWeb, kUid, "app", Id('a'));
  MakeContainer(kWeb, kUid, "side-car-2", Id('b'));
  MakeContainer(kEtcd, kStaticUid, "etcd", Id('c'));
  const PodNames names = Read();
  PodNames expected;
  expected.AddPod(kUid, kWeb);
  expected.AddPod(kStaticUid, kEtcd);
  expected.AddContainer(Id('a'), {"app", kWeb});
  expected.AddContainer(Id('b'), {"side-car-2", kWeb});
  expected.AddContainer(Id('c'), {"etcd", kEtcd});
  EXPECT_EQ(names, expected);
}

TEST_F(PodLogsTest, KeepPodsWithoutContainersAndLinksWithoutLogs) {
  MakePod(kWeb, kUid);
  MakeContainer(kEtcd, kStaticUid, "etcd", Id('c'));
  fs::remove_all(root_ / "pods" / PodDirectory(kEtcd, kStaticUid));
  const PodNames names = Read();
  EXPECT_NE(names.FindPod(kUid), nullptr);
  EXPECT_NE(names.FindContainer(Id('c')), nullptr);
}

TEST_F(PodLogsTest, AreEnoughOneAtATime) {
  MakeContainer(kWeb, kUid, "app", Id('a'));
  fs::remove_all(root_ / "pods");
  EXPECT_NE(Read().FindContainer(Id('a')), nullptr);
  MakePod(kWeb, kUid);
  fs::remove_all(root_ / "containers");
  EXPECT_NE(Read().FindPod(kUid), nullptr);
}

TEST_F(PodLogsTest, FailInOneLineWhereThereAreNone) {
  PodNames names;
  const auto read = ReadLogDirectories(root_.string() + "/none", names);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message,
            "cannot read " + root_.string() + "/none/pods: No such file or directory, and " +
                root_.string() +
                "/none/containers: No such file or directory; is this the node's /var/log, as the "
                "kubelet sees it?");
}

// A pod with a volume in /var/log can make any file there.
TEST_F(PodLogsTest, HostileFilesTellNothing) {
  const fs::path pods = root_ / "pods";
  fs::create_directory_symlink("/", pods / PodDirectory(kWeb, kUid));
  std::ofstream(pods / PodDirectory(kEtcd, kStaticUid)) << "a file";
  std::ofstream(root_ / "containers" / ("a_b_c-" + Id('a') + ".log")) << "a file";
  const std::string uid = "_" + std::string(kUid);
  for (const std::string& name :
       {std::string(kUid), "a" + uid, "a_b_c" + uid, "_" + uid, "a_" + uid, "_b" + uid,
        "a b_c" + uid, "a\n_c" + uid, "a_\xff" + uid, "a_b" + uid + "\n", "A_b" + uid,
        std::string(64, 'a') + "_b" + uid}) {
    fs::create_directory(pods / name);
  }
  const std::string id = "-" + Id('a') + ".log";
  for (const std::string& name :
       {"a_b" + id, "a_b_" + id, "a_b_c" + id + ".gz", "a_b_c_d" + id, "_b_c" + id, "a__c" + id,
        "a_b_c" + Id('a') + ".log", "a_b_c-" + Id('a'), "a_b_c-" + Id('z') + ".log", "a_b_\"" + id,
        "a_b_c-" + Id('a').substr(1) + ".log", std::string(".log"), std::string("__-.log")}) {
    fs::create_symlink("/etc/passwd", root_ / "containers" / name);
  }
  EXPECT_EQ(Read(), PodNames());
}

TEST_F(PodLogsTest, LinksThatAreCutTellNothing) {
  const std::string long_name(120, 'p');
  const PodName longest_known{"n", long_name};
  const PodName cut{std::string(2, 'n'), long_name};
  const std::string container(63, 'c');
  MakeContainer(longest_known, kUid, container, Id('a'));
  MakeContainer(cut, kStaticUid, container, Id('b'));
  const PodNames names = Read();
  EXPECT_EQ(names.containers().size(), 1U);
  EXPECT_NE(names.FindContainer(Id('a')), nullptr);
  EXPECT_EQ(names.pods().size(), 2U);
}

}  // namespace
}  // namespace sched_exporter
