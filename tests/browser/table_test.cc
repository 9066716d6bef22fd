// The table of the live page: who is on top, sorting, filtering, opening.

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <thread>

#include "tests/support/http_client.h"
#include "tests/support/live_page.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using std::chrono::milliseconds;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAreArray;

class LiveTable : public LivePage {
 protected:
  Children children_;
};

void WorkAndNap() {
  Burn(milliseconds(2));
  std::this_thread::sleep_for(milliseconds(5));
}

bool Descends(const std::vector<double>& figures) {
  return std::is_sorted(figures.rbegin(), figures.rend());
}

/// A busy loop that others on this machine don't keep from its CPU.
void BurnFirst() {
  setpriority(PRIO_PROCESS, 0, -10);
  Burn(milliseconds(100));
}

/// The run time of a process at moments of the system's clock, from /proc.
class RunTime {
 public:
  struct Range {
    double least = 0;
    double most = 0;
  };

  explicit RunTime(pid_t pid)
      : reader_([this, pid](const std::stop_token& stop) {
          setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), -20);
          while (!stop.stop_requested()) {
            const double begin = Now();
            const std::uint64_t run_ns = ReadProcessSchedStat(pid).run_ns;
            samples_.push_back({begin, Now(), static_cast<double>(run_ns) / 1e9});
            std::this_thread::sleep_for(milliseconds(2));
          }
        }) {}

  /// Ends the reading.
  void Stop() {
    reader_.request_stop();
    reader_.join();
  }

  /// In CPU seconds: what was read before that moment, and what after it.
  Range At(double unix_s) const {
    Range range;
    for (const Sample& sample : samples_) {
      if (sample.end <= unix_s) range.least = sample.run_s;
      if (sample.begin < unix_s) continue;
      range.most = sample.run_s;
      return range;
    }
    ADD_FAILURE() << unix_s << " is behind the samples";
    return range;
  }

 private:
  struct Sample {
    double begin = 0;  ///< When it was read.
    double end = 0;
    double run_s = 0;
  };

  static double Now() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

  std::vector<Sample> samples_;
  std::jthread reader_;  // last: it uses the samples
};

/// The time of day as the page writes it.
std::string ClockOf(double unix_s) {
  const auto seconds = static_cast<std::time_t>(unix_s);
  std::tm local{};
  localtime_r(&seconds, &local);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%H:%M:%S", &local);
  return text.data();
}

// Steps of five seconds, as by default: a sweep reads a process some time after its step's end.
TEST_F(LiveTable, TheBusyProcessIsOnTopWithTheCpuThatProcSays) {
  Start("");
  Open("#view=process");
  const pid_t pid = children_.Start("page-burner", BurnFirst);
  RunTime truth(pid);
  ASSERT_TRUE(browser_->Await("document.querySelector('#rows bdi').textContent === 'page-burner'"));
  AwaitNextStep();  // the first step began before the process
  browser_->Click("#pause");
  ASSERT_TRUE(browser_->Await("document.querySelector('#state').dataset.state === 'paused'"));
  EXPECT_EQ(Column("pid").front(), std::to_string(pid));
  const double shown = Figures("cpu").front();
  const std::string clock =
      browser_->Text("document.querySelector('#state').textContent.slice(-8)");

  // The step that the page shows is the one whose end has this time of day.
  const auto reply = HttpGet(exporter_->port(), "/api/v1/top?view=process&history=1");
  truth.Stop();
  ASSERT_TRUE(reply) << reply.error().message;
  const auto times =
      nlohmann::json::parse(reply->body)["host"]["history"]["time"].get<std::vector<double>>();
  const auto end = std::find_if(times.begin() + 1, times.end(),
                                [&](double time) { return ClockOf(time) == clock; });
  ASSERT_NE(end, times.end()) << clock;
  const double begin_s = *std::prev(end);
  const RunTime::Range before = truth.At(begin_s);
  const RunTime::Range after = truth.At(*end);
  const double window_s = *end - begin_s;
  EXPECT_GE(shown, (after.least - before.most) / window_s * 100 - 3) << "at " << clock;
  EXPECT_LE(shown, (after.most - before.least) / window_s * 100 + 3) << "at " << clock;
  EXPECT_GT(shown, 20) << "the load itself";
}

TEST_F(LiveTable, SortsByAClickOnAHead) {
  for (int i = 0; i < 4; ++i) children_.Start("page-load-" + std::to_string(i), WorkAndNap);
  children_.Start("page-forker", [] { Wait(Fork([] { return true; })); });
  Start();
  Open();
  EXPECT_EQ(Sorting(), "cpu descending");
  EXPECT_TRUE(Descends(Figures("cpu")));
  for (const std::string column : {"wait", "starts", "switches", "threads", "processes"}) {
    browser_->Click("#head [data-column=" + column + "] button");
    ASSERT_TRUE(browser_->Await("document.querySelector('#head [data-column=" + column +
                                "]').ariaSort === 'descending'"));
    EXPECT_EQ(Sorting(), column + " descending");
    const std::vector<double> figures = Figures(column);
    EXPECT_GT(figures.size(), 10U);
    EXPECT_TRUE(Descends(figures)) << column << ": " << ::testing::PrintToString(figures);
    EXPECT_GT(figures.front(), 0) << column;
    EXPECT_THAT(browser_->Text("location.hash"), HasSubstr("sort=" + column));
  }
  browser_->Click("#head [data-column=name] button");
  ASSERT_TRUE(browser_->Await("document.querySelector('#head [data-column=name]').ariaSort"));
  EXPECT_EQ(Sorting(), "name ascending");
  const std::vector<std::string> names = Column("name");
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end())) << ::testing::PrintToString(names);
  EXPECT_EQ(Console(), "");
}

TEST_F(LiveTable, SortsByKeysAndKeepsTheFocus) {
  Start();
  Open("#view=process");
  TabTo("document.activeElement.textContent === 'Threads'");
  browser_->Press({&kEnter, 1});
  ASSERT_TRUE(browser_->Await("document.querySelector('#head [data-column=threads]').ariaSort"));
  EXPECT_EQ(Sorting(), "threads descending");
  EXPECT_TRUE(Descends(Figures("threads")));
  AwaitNextStep();
  EXPECT_EQ(browser_->Text("document.activeElement.textContent"), "Threads");
}

TEST_F(LiveTable, MovesBetweenTabsByKeys) {
  Start();
  Open();
  TabTo("document.activeElement.id === 'tab-group'");
  for (const std::string view : {"cgroup", "process", "group"}) {
    browser_->Press({&kRight, 1});
    ASSERT_TRUE(
        browser_->Await("document.activeElement.ariaSelected === 'true' && "
                        "document.activeElement.id === 'tab-" +
                        view + "'"));
    EXPECT_EQ(browser_->Number("document.querySelectorAll('[aria-selected=true]').length"), 1);
    EXPECT_THAT(browser_->Text("location.hash"), HasSubstr("view=" + view));
  }
  browser_->Click("#tab-cgroup");
  ASSERT_TRUE(browser_->Await("document.querySelector('#rows bdi')?.textContent.startsWith('/')"));
}

TEST_F(LiveTable, FiltersByText) {
  for (int i = 0; i < 3; ++i) children_.Start("Needle-" + std::to_string(i), WorkAndNap);
  Start();
  Open();
  EXPECT_GT(Column("name").size(), 3U);
  browser_->Click("#filter");
  browser_->Press(U"needle");
  ASSERT_TRUE(browser_->Await("document.querySelectorAll('#rows tr').length === 3"));
  EXPECT_THAT(Column("name"), UnorderedElementsAreArray({"Needle-0", "Needle-1", "Needle-2"}));
  browser_->Press(U"-1");
  ASSERT_TRUE(browser_->Await("document.querySelectorAll('#rows tr').length === 1"));
  EXPECT_THAT(Column("name"), ElementsAre("Needle-1"));
  AwaitNextStep();
  EXPECT_THAT(Column("name"), ElementsAre("Needle-1"));
  EXPECT_EQ(browser_->Text("document.querySelector('#filter').value"), "needle-1");
  // As a link it can be given to somebody else.
  Open(browser_->Text("location.hash"));
  ASSERT_TRUE(browser_->Await("document.querySelectorAll('#rows tr').length === 1"));
  EXPECT_THAT(Column("name"), ElementsAre("Needle-1"));
  EXPECT_EQ(Console(), "");
}

TEST_F(LiveTable, OpensAGroupAndGoesBack) {
  std::vector<std::string> pids;
  pids.reserve(3);
  for (int i = 0; i < 3; ++i) {
    pids.push_back(std::to_string(children_.Start("page-group", WorkAndNap)));
  }
  Start();
  Open();
  const std::string link = "#rows a[href*='open=page-group']";
  ASSERT_TRUE(browser_->Await("document.querySelector(\"" + link + "\")"));
  browser_->Click(link);
  const std::string opened =
      "document.querySelector('#opened-name').checkVisibility() && "
      "document.querySelector('#opened-name').textContent === 'page-group'";
  ASSERT_TRUE(browser_->Await(opened));
  EXPECT_THAT(Column("pid"), UnorderedElementsAreArray(pids));
  EXPECT_THAT(Column("name"), Each(std::string("page-group")));
  EXPECT_THAT(browser_->Text("document.querySelector('#facts').textContent"),
              HasSubstr("processes3"));
  EXPECT_GT(browser_->Text("document.querySelector('#chart-cpu .line').getAttribute('d')").size(),
            5U);
  EXPECT_EQ(browser_->Text("document.activeElement.id"), "opened-name");
  const std::string place = browser_->Text("location.hash");

  browser_->Back();
  ASSERT_TRUE(browser_->Await("!document.querySelector('#opened-name').checkVisibility()"));
  ASSERT_TRUE(browser_->Await("document.activeElement.textContent === 'page-group'"));
  EXPECT_THAT(Column("name"), SizeIs(::testing::Gt(3U)));

  // By keys, and by its link.
  browser_->Press({&kEnter, 1});
  ASSERT_TRUE(browser_->Await(opened));
  Open(place);
  ASSERT_TRUE(browser_->Await(opened));
  EXPECT_THAT(Column("pid"), UnorderedElementsAreArray(pids));
  EXPECT_EQ(Console(), "");
}

TEST_F(LiveTable, OpensAProcessAndACgroup) {
  const pid_t pid = children_.Start("page-single", WorkAndNap);
  Start();
  Open("#view=process&filter=page-single");
  ASSERT_TRUE(browser_->Await("document.querySelectorAll('#rows tr').length === 1"));
  browser_->Click("#rows [data-column=cpu]");  // anywhere in the row
  ASSERT_TRUE(browser_->Await("document.querySelector('#facts').textContent.includes('PID" +
                              std::to_string(pid) + "')"));
  EXPECT_EQ(browser_->Value("document.querySelector('#list').hidden"), true);

  Open("#view=cgroup");
  browser_->Click("#rows a");
  ASSERT_TRUE(browser_->Await("document.querySelector('#opened-name').checkVisibility()"));
  EXPECT_THAT(browser_->Text("document.querySelector('#opened-name').textContent"), HasSubstr("/"));
  Open("#view=group&open=no-such-group");
  EXPECT_THAT(browser_->Text("document.querySelector('#facts').textContent"),
              HasSubstr("it may have ended"));
  EXPECT_EQ(Console(), "");
}

TEST_F(LiveTable, AsksNoOtherHostAndLogsNothing) {
  Start();
  Open();
  AwaitNextStep();
  Open("#view=process");
  EXPECT_THAT(ForeignRequests(), IsEmpty());
  EXPECT_EQ(Console(), "");
  // The checks themselves: both see what a page does that shall not.
  browser_->Value("fetch('http://127.0.0.2:9/elsewhere').catch(() => null)");
  ASSERT_TRUE(
      WaitUntil([&] { return Console().find("Content Security Policy") != std::string::npos; }));
}

}  // namespace
}  // namespace sched_exporter::test_support
