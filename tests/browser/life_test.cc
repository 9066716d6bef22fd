// The live page over time: events, pausing, an exporter that ends and comes back, parts switched
// off.

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "tests/support/http_client.h"
#include "tests/support/live_page.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait_until.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using LiveLife = LivePage;

/// The time of the newest step, as the exporter says.
double NewestStep(int port) {
  const auto reply = HttpGet(port, "/api/v1/top?history=0");
  if (!reply || reply->status != 200) return 0;
  const auto time = nlohmann::json::parse(reply->body)["time"];
  return time.is_number() ? time.get<double>() : 0;
}

/// What is in the list of events of those with this text.
std::string EventsWith(const std::string& text) {
  return "[...document.querySelectorAll('#event-list li')].map((item) => item.textContent)"
         ".filter((item) => item.includes('" +
         text + "')).join()";
}

TEST_F(LiveLife, ExecsExitsAndFailuresAreListed) {
  const TempDirectory directory;
  const std::string marker = directory.Write("page-marker", "#!/bin/sh\nexit 3\n");
  chmod(marker.c_str(), 0755);
  Start();
  Open();
  EXPECT_EQ(RunProgram({marker}).exit_code, 3);
  // Again and again: the list is short, and much else may be started on this machine.
  Children children;
  children.Start("page-starter", [&] {
    RunProgram({marker});
    RunProgram({directory.path() + "/page-missing"});
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  });
  ASSERT_TRUE(browser_->Await(EventsWith("page-marker") + ".includes('exit 3')"));
  ASSERT_TRUE(browser_->Await(EventsWith("page-marker") + ".includes('exec')"));
  ASSERT_TRUE(browser_->Await(EventsWith("page-marker") + ".includes('✕ exit 3')"));
  ASSERT_TRUE(browser_->Await(EventsWith("page-missing") + ".includes('✕ exec failed: ENOENT')"));
  // The newest is first.
  EXPECT_EQ(
      browser_->Value("(() => { const times = [...document.querySelectorAll('#event-list time')]"
                      ".map((time) => time.dateTime);"
                      "return times.every((time, i) => i === 0 || time <= times[i - 1]); })()"),
      true);
  browser_->Click("#failures");
  EXPECT_TRUE(
      browser_->Await("[...document.querySelectorAll('#event-list li')]"
                      ".every((item) => item.dataset.kind === 'bad')"));
  EXPECT_THAT(browser_->Text(EventsWith("page-marker")), Not(HasSubstr("exec")));
  EXPECT_TRUE(browser_->Await(EventsWith("page-marker") + ".includes('exit 3')"));
  EXPECT_EQ(Console(), "");
}

TEST_F(LiveLife, PauseHoldsTheFiguresStill) {
  Start();
  Open();
  browser_->Click("#pause");
  ASSERT_TRUE(
      browser_->Await("document.querySelector('#state').textContent.startsWith('Paused at')"));
  const std::string table = browser_->Text("document.querySelector('main').textContent");
  const double before = NewestStep(exporter_->port());
  ASSERT_TRUE(WaitUntil([&] { return NewestStep(exporter_->port()) > before + 2.5; }));
  EXPECT_EQ(browser_->Text("document.querySelector('main').textContent"), table);
  browser_->Click("#pause");
  ASSERT_TRUE(browser_->Await("document.querySelector('#state').dataset.state === 'live'"));
  EXPECT_EQ(browser_->Text("document.querySelector('#pause').textContent"), "Pause");
  AwaitNextStep();
}

TEST_F(LiveLife, AnExporterThatIsGoneIsToldAndItsReturnIsMet) {
  Start();
  Open("#view=process&sort=wait");
  const int port = exporter_->port();
  exporter_->End(SIGTERM);
  ASSERT_TRUE(browser_->Await("document.querySelector('#gone').checkVisibility()"));
  EXPECT_THAT(browser_->Text("document.querySelector('#gone').textContent"),
              HasSubstr("The exporter gives no answer. What you see is from "));
  EXPECT_EQ(browser_->Text("document.querySelector('#state').textContent"), "No answer");
  EXPECT_GT(Column("name").size(), 3U) << "the last figures stay";
  Exporter::Settings settings;
  settings.address = "127.0.0.1:" + std::to_string(port);
  auto again = Exporter::Start(settings);
  ASSERT_TRUE(again) << again.error().message;
  exporter_ = std::move(*again);
  ASSERT_TRUE(browser_->Await("document.querySelector('#state').textContent.startsWith('Live ')"));
  EXPECT_EQ(browser_->Value("document.querySelector('#gone').checkVisibility()"), false);
  EXPECT_EQ(Sorting(), "wait descending");
}

TEST_F(LiveLife, WithoutEventsTheirPartIsHidden) {
  Start("live: {history: 1m, events: false}\n");
  Open();
  EXPECT_EQ(browser_->Value("document.querySelector('#events').checkVisibility()"), false);
  EXPECT_EQ(Console(), "") << "it does not even ask";
}

TEST_F(LiveLife, WithoutTopThePageIsLinks) {
  Start("live: {top: false}\n");
  browser_->Open(Url());
  EXPECT_THAT(browser_->Text("document.body.textContent"), HasSubstr("Readiness"));
  EXPECT_EQ(browser_->Number("document.scripts.length"), 0);
  EXPECT_EQ(Console(), "");
  EXPECT_EQ(HttpGet(exporter_->port(), "/api/v1/top")->status, 404);
  browser_->Click("a[href='/metrics']");
  EXPECT_TRUE(
      browser_->Await("document.body.textContent.includes('sched_group_cpu_seconds_total')"));
}

}  // namespace
}  // namespace sched_exporter::test_support
