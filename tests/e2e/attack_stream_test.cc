// An event stream whose disk is full: nothing waits for it, what is lost is counted, and it goes on
// when there is room again.

#include <gmock/gmock.h>

#include <fstream>
#include <string>

#include "tests/support/attack.h"
#include "tests/support/event_stream.h"
#include "tests/support/starter.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait_until.h"

namespace sched_exporter::test_support {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;

class FullDisk : public UnderAttack {
 protected:
  /// An exporter that alone sees a small disk, on which its events are.
  void StartOnASmallDisk() {
    const std::string mount =
        "mount -t tmpfs -o size=4m none \"$0\" && chmod 700 \"$0\" && exec \"$@\"";
    Start("cgroup: {hierarchy: " + host_.hierarchy +
              "}\nmaps: {events_bytes: 16777216}\nevents: {output: file, file: " + file_ + "}\n",
          {"unshare", "-m", "sh", "-c", mount, directory_.path()});
    ASSERT_NE(exporter_, nullptr);
    seen_ = "/proc/" + std::to_string(exporter_->pid()) + "/root" + directory_.path();
  }

  /// A file beside the events takes all the room that is left.
  void Fill() const {
    std::ofstream filler(seen_ + "/filler");
    const std::string page(4'096, 'x');
    while (filler << page << std::flush) {
    }
  }

  StarterReport Run(int children) const {
    Starter starter({.children = children, .cgroups = {cgroup_.directory()}});
    auto report = starter.Run();
    EXPECT_TRUE(report) << report.error().message;
    return report.value_or(StarterReport{});
  }

  double Lost() const {
    const auto scrape = exporter_->Scrape();
    EXPECT_TRUE(scrape) << scrape.error().message;
    return scrape ? scrape->Sum("sched_exporter_lost_events_total", {{"buffer", "stream"}}) : -1;
  }

  std::vector<json> Events() const {
    const std::string text = ReadFile(seen_ + "/events.json");
    auto events = ParseEvents(text.substr(0, text.rfind('\n') + 1));
    EXPECT_TRUE(events) << events.error().message;
    return events ? *events : std::vector<json>();
  }

  /// The exit of this process is written.
  bool HasExitOf(pid_t pid) const {
    const auto events = Events();
    return std::any_of(events.begin(), events.end(), [&](const json& event) {
      return event.at("event") == "exit" && event.at("pid") == pid;
    });
  }

  const CgroupHost host_ = TestableHierarchies().at(0);
  const TestCgroup cgroup_{host_, "full"};
  const TempDirectory directory_;
  const std::string file_ = directory_.path() + "/events.json";
  std::string seen_;  ///< The directory as the exporter sees it.
};

TEST_F(FullDisk, LosesLinesAndNothingElse) {
  StartOnASmallDisk();
  Begin();
  const StarterReport first = Run(70);
  EXPECT_TRUE(WaitUntil([&] { return HasExitOf(first.starter); }));
  EXPECT_EQ(Lost(), 0);
  Fill();
  double lost = 0;
  for (int i = 0; i < 20 && lost < 1'000; ++i) {
    Run(700);
    EXPECT_TRUE(WaitUntil([&] { return (lost = Lost()) > 0; }));
  }
  EXPECT_GE(lost, 1'000);
  EXPECT_TRUE(HasExitOf(first.starter)) << "what was written stays";
  AwaitScrapes(5);
  ASSERT_EQ(std::remove((seen_ + "/filler").c_str()), 0);
  // Other processes of this host may be told of between, so that it is waited for.
  pid_t last = -1;
  EXPECT_TRUE(WaitUntil([&] {
    last = Run(70).starter;
    return WaitUntil([&] { return HasExitOf(last); }, std::chrono::seconds(5));
  }));
  double told = 0;
  for (const json& event : Events()) {
    told += event.at("event") == "lost" ? event.at("lost").get<double>() : 0;
  }
  EXPECT_EQ(told, Lost());
  const std::string log = exporter_->Log();
  EXPECT_NE(log.find("No space left on device"), std::string::npos) << log;
  EXPECT_LE(std::count(log.begin(), log.end(), '\n'), 20) << log.substr(0, 2'000);
  EndOf("a full disk under the event stream (" + std::to_string(static_cast<int>(lost)) +
        " lines lost)");
}

}  // namespace
}  // namespace sched_exporter::test_support
