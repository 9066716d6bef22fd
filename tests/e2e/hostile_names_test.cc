// Names of processes are bytes that anybody can choose; a scrape must survive all of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "tests/support/exporter.h"
#include "tests/support/exposition_checks.h"
#include "tests/support/hostile_processes.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::IsEmpty;

class HostileNames : public ::testing::Test {
 protected:
  void SetUp() override {
    Exporter::Settings settings;
    // No name may fold into other, however busy the host is.
    settings.config = "limits:\n  processes: 100000\n  groups: 100000\n";
    auto started = Exporter::Start(settings);
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
    auto text = exporter_->ScrapeText();
    ASSERT_TRUE(text) << text.error().message;
    text_ = std::move(*text);
  }

  const HostileProcesses processes_;
  std::unique_ptr<Exporter> exporter_;
  std::string text_;
};

TEST_F(HostileNames, ScrapeIsUtf8) {
  EXPECT_TRUE(IsUtf8(text_));
  EXPECT_FALSE(IsUtf8("\xff")) << "the check itself";
}

TEST_F(HostileNames, PromtoolTakesTheScrape) {
  const Ended promtool = PromtoolCheck(text_);
  EXPECT_EQ(promtool.output, "");
  EXPECT_EQ(promtool.exit_code, 0);
}

TEST_F(HostileNames, EachProcessHasItsEscapedNameAndGroup) {
  const auto metrics = MetricsText::Parse(text_);
  ASSERT_TRUE(metrics) << metrics.error().message;
  for (const HostileProcess& process : processes_.all()) {
    const std::string pid = std::to_string(process.pid);
    EXPECT_EQ(
        metrics->Count("sched_process_info",
                       {{"pid", pid}, {"comm", process.name.comm}, {"group", process.name.group}}),
        1U)
        << process.name.group;
    EXPECT_EQ(metrics->Count("sched_group_processes", {{"group", process.name.group}}), 1U)
        << process.name.group;
    EXPECT_GE(metrics->Sum("sched_group_processes", {{"group", process.name.group}}), 1)
        << process.name.group;
  }
}

TEST_F(HostileNames, NoSeriesIsThereTwice) {
  const auto metrics = MetricsText::Parse(text_);
  ASSERT_TRUE(metrics) << metrics.error().message;
  EXPECT_THAT(DuplicateSeries(*metrics), IsEmpty());
}

TEST_F(HostileNames, RenamesWhileScrapedKeepTheScrapeValid) {
  const pid_t renamer = Fork([] {
    while (true) {
      for (const HostileName& name : HostileNameList()) {
        SetComm(name.bytes);
        Burn(std::chrono::milliseconds(1));
      }
    }
    return true;
  });
  for (int i = 0; i < 20; ++i) {
    const auto text = exporter_->ScrapeText();
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_TRUE(IsUtf8(*text));
    const auto metrics = MetricsText::Parse(*text);
    ASSERT_TRUE(metrics) << metrics.error().message;
    EXPECT_THAT(DuplicateSeries(*metrics), IsEmpty());
  }
  kill(renamer, SIGKILL);
  Wait(renamer);
}

}  // namespace
}  // namespace sched_exporter::test_support
