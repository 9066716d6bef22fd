// How the live page looks and reads: phones, dark mode, contrast, names for screen readers,
// pictures.

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <utility>

#include "tests/support/live_page.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class LiveLooks : public LivePage {
 protected:
  Children children_;
};

// Texts whose contrast to what is behind them is under 4.5 to 1 (WCAG 2.1, 1.4.3), with the figure.
// What is behind is the nearest background of an ancestor, and the bar of CPU cells, too.
constexpr const char* kFaintTexts = R"js((() => {
  const parts = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => parts(color).slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };
  const behind = (node) => {
    const found = [];
    for (; node; node = node.parentElement) {
      const style = getComputedStyle(node);
      found.push(...(style.backgroundImage.match(/rgb\([^)]*\)/g) ?? []));
      if (parts(style.backgroundColor)[3] !== 0) return [...found, style.backgroundColor];
    }
    return found;
  };
  const faint = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (walker.currentNode.textContent.trim() === '' || !node.checkVisibility()) continue;
    seen++;
    for (const back of behind(node)) {
      const figure = contrast(getComputedStyle(node).color, back);
      if (!(figure >= 4.5)) faint.push(`${walker.currentNode.textContent} ${figure.toFixed(2)}`);
    }
  }
  return seen > 50 ? faint : [`only ${seen} texts`];
})())js";

TEST_F(LiveLooks, TextsHaveContrastInLightAndDark) {
  Start();
  for (const auto& [place, is_dark] :
       {std::pair{"#view=group", false}, std::pair{"#view=group", true},
        std::pair{"#view=cgroup&open=/", false}, std::pair{"#view=cgroup&open=/", true}}) {
    Open(place);
    browser_->SetDark(is_dark);
    const double back = browser_->Number(
        "Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])");
    EXPECT_EQ(back < 128, is_dark);
    // Colours change slowly where the user lets them.
    ASSERT_TRUE(browser_->Await("document.getAnimations().length === 0"));
    EXPECT_THAT(browser_->Value(kFaintTexts).get<std::vector<std::string>>(), IsEmpty());
  }
  browser_->Value("document.querySelector('#about').style.setProperty('color', '#666')");
  EXPECT_THAT(browser_->Value(kFaintTexts).get<std::vector<std::string>>(), Not(IsEmpty()))
      << "the check itself";
}

TEST_F(LiveLooks, APhoneHasNoSidewaysScrolling) {
  children_.Start("W_W_W_W_W_W_W_W", [] { Burn(milliseconds(5)); });
  Start();
  browser_->SetSize(360, 740, true);
  for (const std::string place :
       {"#view=group", "#view=cgroup&sort=starts", "#view=process&sort=switches",
        "#view=group&open=W_W_W_W_W_W_W_W", "#view=cgroup&sort=latency", "#view=cgroup&open=/"}) {
    Open(place);
    EXPECT_LE(browser_->Number("document.documentElement.scrollWidth"), 360) << place;
    EXPECT_EQ(browser_->Number("innerWidth"), 360) << place;
    // What is cut off would be no scrolling either.
    EXPECT_EQ(
        browser_->Value("[...document.querySelectorAll('main *, header *')]"
                        ".filter((node) => node.checkVisibility() && "
                        "node.getBoundingClientRect().right > 361).map((node) => node.outerHTML)"),
        nlohmann::json::array())
        << place;
  }
  Open("#view=group");
  EXPECT_EQ(browser_->Value("document.querySelector('#sort').checkVisibility()"), true);
  browser_->Value(
      "(() => { const sort = document.querySelector('#sort'); sort.value = 'threads';"
      "sort.dispatchEvent(new Event('change')); })()");
  ASSERT_TRUE(browser_->Await("document.querySelector('#head [data-column=threads]').ariaSort"));
  EXPECT_EQ(
      browser_->Value("document.querySelector('#head [data-column=threads]').checkVisibility()"),
      true)
      << "what it is sorted by is seen";
}

TEST_F(LiveLooks, EverythingThatCanBeUsedHasAName) {
  Start();
  Open();
  std::vector<std::string> nameless;
  std::vector<std::string> sorted;
  std::size_t named = 0;
  const auto tree = browser_->DevTools("Accessibility.getFullAXTree", nlohmann::json::object());
  for (const auto& node : tree.value("nodes", nlohmann::json::array())) {
    static const std::vector<std::string> wanted = {
        "button",    "link", "searchbox", "textbox", "checkbox", "tab",    "columnheader",
        "rowheader", "img",  "image",     "table",   "tabpanel", "region", "combobox"};
    if (node.value("ignored", false)) continue;
    const std::string role = node["role"].value("value", "");
    if (std::find(wanted.begin(), wanted.end(), role) == wanted.end()) continue;
    const bool has_name = node.contains("name") && !node["name"].value("value", "").empty();
    if (has_name) {
      ++named;
    } else {
      nameless.push_back(node.dump());
    }
  }
  EXPECT_THAT(nameless, IsEmpty());
  EXPECT_GT(named, 50U);
  EXPECT_EQ(Sorting(), "cpu descending");
  EXPECT_EQ(browser_->Number("document.querySelectorAll('h1').length"), 1);
  EXPECT_EQ(browser_->Text("document.documentElement.lang"), "en");
}

TEST_F(LiveLooks, TabGoesFromTopToBottomAndIsSeen) {
  Start();
  Open();
  std::vector<std::string> order;
  for (int i = 0; i < 6; ++i) {
    browser_->Press({&kTab, 1});
    order.push_back(
        browser_->Text("document.activeElement.id || document.activeElement.textContent"));
    EXPECT_NE(browser_->Text("getComputedStyle(document.activeElement).outlineStyle"), "none")
        << order.back();
  }
  EXPECT_THAT(order, ElementsAre("pause", "tab-group", "filter", "Name", "CPU", "Wait"));
}

/// Runs programs that end at once, as /opt/NAME: directories are mounted there in a namespace.
void RunJobs(const std::string& directory) {
  unshare(CLONE_NEWNS);
  mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  mount(directory.c_str(), "/opt", nullptr, MS_BIND, nullptr);
  for (const char* job : {"/opt/nightly", "/opt/pg_dump", "/opt/gzip", "/opt/healthcheck",
                          "/opt/logrotate", "/opt/notify"}) {
    RunProgram({job});
    std::this_thread::sleep_for(milliseconds(40));
  }
}

/// Processes as of a small server, all of them made up.
void StartServer(Children& children, const std::string& jobs) {
  const auto work = [](int busy_ms, int idle_ms) {
    return [=] {
      Burn(milliseconds(busy_ms));
      std::this_thread::sleep_for(milliseconds(idle_ms));
    };
  };
  for (int i = 0; i < 6; ++i) children.Start("postgres", work(3, 24 + 9 * i));
  for (int i = 0; i < 4; ++i) children.Start("nginx", work(1, 9 + 7 * i));
  for (int i = 0; i < 2; ++i) children.Start("redis-server", work(1, 18));
  children.Start("clickhouse", work(40, 360));
  children.Start("etcd", work(1, 45));
  children.Start("vector", work(2, 100));
  children.Start("cron", [jobs] { RunJobs(jobs); });
}

constexpr const char* kServerConfig =
    "live: {history: 1m}\n"
    "children: false\n"
    "process_names:\n"
    "  - comm: [postgres]\n"
    "    name: postgres\n"
    "    labels: {team: storage}\n"
    "  - comm: [nginx, redis-server, clickhouse, etcd, vector, cron, nightly, pg_dump, gzip,\n"
    "           healthcheck, logrotate]\n"
    "    name: '{{.Comm}}'\n";

/// The pictures of README go to $SCHED_EXPORTER_SCREENSHOTS; without it they are made all the same
/// and looked at no further.
TEST_F(LiveLooks, ShowsASmallServer) {
  const char* wish = std::getenv("SCHED_EXPORTER_SCREENSHOTS");
  const TempDirectory directory;
  const std::filesystem::path target = wish != nullptr ? wish : directory.path();
  const TempDirectory jobs;
  for (const std::string name : {"nightly", "pg_dump", "gzip", "logrotate", "healthcheck"}) {
    const bool fails = name == "healthcheck";
    chmod(jobs.Write(name, fails ? "#!/bin/sh\nexit 1\n" : "#!/bin/sh\n").c_str(), 0755);
  }
  StartServer(children_, jobs.path());
  Start(kServerConfig, "web-1");
  browser_->SetSize(1280, 860);
  browser_->DevTools("Emulation.setScrollbarsHidden", {{"hidden", true}});
  Open();
  EXPECT_EQ(browser_->Text("document.querySelector('h1').textContent"), "web-1");
  // A picture for people shall have a history.
  const std::string points = wish != nullptr ? "55" : "3";
  ASSERT_TRUE(
      browser_->Await("(document.querySelector('#chart-cpu .line').getAttribute('d').match(/L/g) "
                      "?? []).length >= " +
                          points,
                      std::chrono::minutes(3)));
  for (const std::string name : {"postgres", "nginx", "redis-server"}) {
    EXPECT_THAT(Column("name"), ::testing::Contains(name));
  }
  for (const bool is_dark : {false, true}) {
    browser_->SetDark(is_dark);
    ASSERT_TRUE(browser_->Await("document.getAnimations().length === 0"));
    AwaitNextStep();  // with the heat map in the new colours
    const auto path = target / (is_dark ? "live-dark.png" : "live-light.png");
    browser_->Screenshot(path);
    EXPECT_GT(std::filesystem::file_size(path), 20'000U) << path;
  }
}

}  // namespace
}  // namespace sched_exporter::test_support
