#include "exporter/app/pod_watcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <vector>

#include "tests/support/scripted_server.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait_until.h"

namespace sched_exporter {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using test_support::ScriptedServer;
using test_support::TempDirectory;
using test_support::WaitUntil;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using TimePoint = PodBook::Clock::time_point;

constexpr char kUid[] = "0f3a1c52-6f0e-4a52-9d0b-9a6e0c5f1d11";
constexpr char kOtherUid[] = "9d2c4a10-2b3c-4d5e-8f90-a1b2c3d4e5f6";
const TimePoint kStart = TimePoint() + 1h;

std::string Id(char digit) { return std::string(64, digit); }

/// A list with one pod.
std::string PodList(const std::string& uid, const std::string& pod) {
  return R"({"kind":"PodList","items":[{"metadata":{"uid":")" + uid +
         R"(","namespace":"shop","name":")" + pod + R"("}}]})";
}

/// A node's /var/log and a list of pods.
class Node {
 public:
  Node() {
    fs::create_directories(log() + "/pods");
    fs::create_directories(log() + "/containers");
  }

  std::string log() const { return directory_.path() + "/log"; }
  std::string list() const { return directory_.path() + "/pods.json"; }
  PodSources sources() const { return {log(), list(), "", {}}; }

  fs::path MakePod(const std::string& uid, const std::string& pod) const {
    fs::path made = log() + "/pods/shop_" + pod + "_" + uid;
    fs::create_directory(made);
    return made;
  }
  fs::path MakeContainer(const std::string& pod, const std::string& name, char id) const {
    fs::path made = log() + "/containers/" + pod + "_shop_" + name + "-" + Id(id) + ".log";
    fs::create_symlink("/var/log/pods/x/0.log", made);
    return made;
  }
  void WriteList(const std::string& text) const { directory_.Write("pods.json", text); }
  void RemoveList() const { fs::remove(list()); }

 private:
  TempDirectory directory_;
};

class PodBookTest : public testing::Test {
 protected:
  std::string NameOf(const std::string& uid) const {
    const PodName* name = book_.names()->FindPod(uid);
    return name == nullptr ? "" : name->pod;
  }

  Node node_;
  std::vector<std::string> log_;
  PodBook book_{[this](const std::string& line) { log_.push_back(line); }};
};

TEST_F(PodBookTest, HasNoNamesAtFirst) {
  ASSERT_NE(book_.names(), nullptr);
  EXPECT_FALSE(book_.Refresh(kStart));
  EXPECT_EQ(*book_.names(), PodNames());
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(PodBookTest, JoinsItsSources) {
  node_.MakePod(kUid, "web");
  node_.MakeContainer("web", "app", 'a');
  node_.WriteList(PodList(kOtherUid, "batch"));
  book_.SetSources(node_.sources());
  EXPECT_TRUE(book_.Refresh(kStart));
  EXPECT_EQ(NameOf(kUid), "web");
  EXPECT_EQ(NameOf(kOtherUid), "batch");
  ASSERT_NE(book_.names()->FindContainer(Id('a')), nullptr);
  EXPECT_EQ(book_.names()->FindContainer(Id('a'))->container, "app");
  EXPECT_FALSE(book_.Refresh(kStart + 10s));
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(PodBookTest, ListsWinOverDirectoriesAndServersOverFiles) {
  node_.MakePod(kUid, "directory");
  node_.WriteList(PodList(kUid, "file"));
  book_.SetSources(node_.sources());
  book_.Refresh(kStart);
  EXPECT_EQ(NameOf(kUid), "file");
  const ScriptedServer server([](int fd, const std::string&) {
    ScriptedServer::Send(fd, ScriptedServer::Reply(PodList(kUid, "server")));
  });
  book_.SetSources({node_.log(), node_.list(), server.Url(), {}});
  book_.Refresh(kStart);
  EXPECT_EQ(NameOf(kUid), "server");
}

TEST_F(PodBookTest, NamesThatAreGoneStayForAMinute) {
  node_.MakeContainer("web", "app", 'a');
  const fs::path pod = node_.MakePod(kUid, "web");
  book_.SetSources(node_.sources());
  node_.WriteList(R"({"items":[]})");
  book_.Refresh(kStart);
  fs::remove_all(node_.log() + "/pods");
  fs::remove_all(node_.log() + "/containers");
  fs::create_directory(node_.log() + "/pods");
  EXPECT_FALSE(book_.Refresh(kStart + 100s));
  EXPECT_FALSE(book_.Refresh(kStart + 159s));
  EXPECT_EQ(NameOf(kUid), "web");
  EXPECT_TRUE(book_.Refresh(kStart + 160s));
  EXPECT_EQ(*book_.names(), PodNames());
  EXPECT_FALSE(book_.Refresh(kStart + 161s));
}

TEST_F(PodBookTest, NamesThatAreGoneOutliveTheSeriesOfTheirCgroups) {
  const fs::path pod = node_.MakePod(kUid, "web");
  book_.SetSources({node_.log(), "", "", 300s});
  book_.Refresh(kStart);
  fs::remove_all(pod);
  book_.Refresh(kStart + 10s);
  EXPECT_FALSE(book_.Refresh(kStart + 369s));
  EXPECT_EQ(NameOf(kUid), "web");
  EXPECT_TRUE(book_.Refresh(kStart + 370s));
  EXPECT_EQ(NameOf(kUid), "");
}

TEST_F(PodBookTest, NamesThatComeBackStayForAnotherMinute) {
  const fs::path pod = node_.MakePod(kUid, "web");
  book_.SetSources({node_.log(), "", ""});
  book_.Refresh(kStart);
  fs::remove_all(pod);
  book_.Refresh(kStart + 10s);
  fs::create_directory(pod);
  book_.Refresh(kStart + 50s);
  fs::remove_all(pod);
  book_.Refresh(kStart + 60s);
  book_.Refresh(kStart + 119s);
  EXPECT_EQ(NameOf(kUid), "web");
  book_.Refresh(kStart + 120s);
  EXPECT_EQ(NameOf(kUid), "");
}

TEST_F(PodBookTest, ASourceThatFailsKeepsItsNames) {
  node_.WriteList(PodList(kUid, "web"));
  book_.SetSources({"", node_.list(), ""});
  book_.Refresh(kStart);
  node_.RemoveList();
  for (auto now = kStart; now < kStart + 300s; now += 10s) {
    EXPECT_FALSE(book_.Refresh(now));
  }
  EXPECT_EQ(NameOf(kUid), "web");
}

TEST_F(PodBookTest, WarnsOncePerReason) {
  book_.SetSources({"", node_.list(), ""});
  book_.Refresh(kStart);
  book_.Refresh(kStart + 10s);
  const std::string missing =
      "cannot name pods: pod list " + node_.list() + ": cannot open it: No such file or directory";
  EXPECT_THAT(log_, ElementsAre(missing));
  node_.WriteList("Unauthorized");
  book_.Refresh(kStart + 20s);
  book_.Refresh(kStart + 30s);
  EXPECT_THAT(log_, ElementsAre(missing, "cannot name pods: pod list " + node_.list() +
                                             ": not a list of pods: no valid JSON at byte 1; "
                                             "expected the JSON that a kubelet gives for GET "
                                             "/pods"));
  node_.WriteList(PodList(kUid, "web"));
  book_.Refresh(kStart + 40s);
  EXPECT_EQ(log_.size(), 2U);
  node_.RemoveList();
  book_.Refresh(kStart + 50s);
  EXPECT_EQ(log_.size(), 3U);
  EXPECT_EQ(log_.back(), missing);
}

TEST_F(PodBookTest, WarnsOfServersAndDirectories) {
  const ScriptedServer server([](int fd, const std::string&) {
    ScriptedServer::Send(fd, ScriptedServer::Reply("no", "403 Forbidden"));
  });
  book_.SetSources({node_.log() + "/none", "", server.Url()});
  book_.Refresh(kStart);
  EXPECT_THAT(log_, ElementsAre(HasSubstr("cannot name pods: cannot read " + node_.log()),
                                "cannot name pods: cannot get " + server.Url() +
                                    ": the server answered with status 403"));
}

TEST_F(PodBookTest, ReadsOnlyRegularFiles) {
  const std::string fifo = node_.log() + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const std::string& path : {fifo, std::string("/dev/zero"), node_.log()}) {
    log_.clear();
    book_.SetSources({"", path, ""});
    book_.Refresh(kStart);
    EXPECT_THAT(log_,
                ElementsAre("cannot name pods: pod list " + path + ": it is not a regular file"));
  }
}

TEST_F(PodBookTest, OtherSourcesForgetTheOld) {
  node_.WriteList(PodList(kUid, "web"));
  book_.SetSources({"", node_.list(), ""});
  book_.Refresh(kStart);
  book_.SetSources({});
  book_.Refresh(kStart);
  EXPECT_EQ(NameOf(kUid), "web");
  book_.Refresh(kStart + PodBook::kKeepGone);
  EXPECT_EQ(NameOf(kUid), "");
}

TEST_F(PodBookTest, SaysThatTheNamesAreTooMany) {
  std::string items = "{}";
  for (std::size_t i = 0; i <= PodNames::kMostPods; ++i) {
    const std::string digits = std::to_string(i);
    items += R"(,{"metadata":{"namespace":"shop","name":"web","uid":")" +
             std::string(32 - digits.size(), '0') + digits + R"("}})";
  }
  node_.WriteList(R"({"items":[)" + items + "]}");
  book_.SetSources({"", node_.list(), ""});
  book_.Refresh(kStart);
  book_.Refresh(kStart + 10s);
  EXPECT_THAT(log_, ElementsAre(node_.list() + " has more than 4096 pods or 16384 containers; the "
                                               "rest goes without names"));
  EXPECT_EQ(book_.names()->pods().size(), PodNames::kMostPods);
}

TEST(ReadingPlan, ReadsEveryTenSeconds) {
  ReadingPlan plan;
  plan.Read(kStart);
  EXPECT_EQ(plan.next(), kStart + 10s);
  plan.Read(kStart + 11s);
  EXPECT_EQ(plan.next(), kStart + 21s);
}

TEST(ReadingPlan, LooksAgainAFewTimesAfterAMiss) {
  ReadingPlan plan;
  plan.Read(kStart);
  plan.Miss(kStart + 3s);
  for (const auto at : {3s, 4s, 6s, 10s, 20s, 30s}) {
    EXPECT_EQ(plan.next(), kStart + at);
    plan.Read(plan.next());
  }
}

TEST(ReadingPlan, NeverReadsTwiceWithinASecond) {
  ReadingPlan plan;
  plan.Read(kStart);
  plan.Miss(kStart + 1ms);
  EXPECT_EQ(plan.next(), kStart + 1s);
  plan.Miss(kStart + 2ms);
  EXPECT_EQ(plan.next(), kStart + 1s);
  plan.Read(kStart + 1s);
  plan.Miss(kStart + 1s);
  EXPECT_EQ(plan.next(), kStart + 2s);
}

TEST(ReadingPlan, AMissStartsAnew) {
  ReadingPlan plan;
  plan.Read(kStart);
  plan.Miss(kStart + 1s);
  plan.Read(kStart + 1s);  // then 2 s, 4 s, 8 s
  plan.Read(kStart + 2s);
  plan.Read(kStart + 4s);
  plan.Miss(kStart + 6s);
  EXPECT_EQ(plan.next(), kStart + 6s);
}

TEST(PodWatcher, HasNamesAtOnce) {
  const Node node;
  node.MakePod(kUid, "web");
  PodWatcher watcher({node.log(), "", ""});
  EXPECT_NE(watcher.names()->FindPod(kUid), nullptr);
}

TEST(PodWatcher, FindsAMissedContainer) {
  const Node node;
  PodWatcher watcher({node.log(), "", ""});
  watcher.Start();
  const auto generation = watcher.generation();
  const auto before = watcher.names();
  node.MakeContainer("web", "app", 'a');
  watcher.Miss();
  EXPECT_TRUE(WaitUntil([&] { return watcher.names()->FindContainer(Id('a')) != nullptr; }, 8s));
  EXPECT_GT(watcher.generation(), generation);
  EXPECT_EQ(before->FindContainer(Id('a')), nullptr);
}

TEST(PodWatcher, TakesOtherSources) {
  const Node node;
  node.WriteList(PodList(kUid, "web"));
  PodWatcher watcher({});
  watcher.Start();
  EXPECT_EQ(*watcher.names(), PodNames());
  watcher.set_sources({"", node.list(), ""});
  EXPECT_TRUE(WaitUntil([&] { return watcher.names()->FindPod(kUid) != nullptr; }, 8s));
}

// A sweep asks for names while the server says nothing.
TEST(PodWatcher, HoldsNobodyUp) {
  std::atomic<int> requests = 0;
  const ScriptedServer server([&](int fd, const std::string&) {
    ++requests;
    ScriptedServer::WaitForEnd(fd);
  });
  const Node node;
  node.MakePod(kUid, "web");
  const auto begin = PodBook::Clock::now();
  {
    PodWatcher watcher({node.log(), "", server.Url()});
    watcher.Start();
    watcher.Miss();
    ASSERT_TRUE(WaitUntil([&] { return requests == 2; }));
    const auto asked = PodBook::Clock::now();
    EXPECT_NE(watcher.names()->FindPod(kUid), nullptr);
    watcher.Miss();
    EXPECT_LT(PodBook::Clock::now() - asked, PodBook::kUrlTimeout);
  }
  EXPECT_LT(PodBook::Clock::now() - begin, 20s);
}

TEST(PodWatcher, EndsWithoutItsThread) {
  const PodWatcher never_started({});
  PodWatcher started({});
  started.Start();
}

}  // namespace
}  // namespace sched_exporter
