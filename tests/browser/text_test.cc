// Names of processes are bytes that anybody can choose; the page shows them and runs nothing.

#include <gmock/gmock.h>

#include <thread>

#include "tests/support/hostile_processes.h"
#include "tests/support/live_page.h"
#include "tests/support/wait_until.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Only what has other characters than usual names have: all others would come before the sleepers.
constexpr const char* kOnlyStrange =
    "live: {history: 1m}\n"
    "filters:\n"
    "  processes: {exclude: ['^[-A-Za-z0-9_./:@#+()]*$']}\n"
    "  groups: {exclude: ['^[-A-Za-z0-9_./:@#+()]*$']}\n";

/// The bytes of a name, and what a reader shall see of it.
struct Shown {
  std::string bytes;
  std::string text;
};

const std::vector<Shown>& Markup() {
  static const std::vector<Shown> names = {
      {"<script>x=1//", "<script>x=1//"},
      {"<img src=x:y>", "<img src=x:y>"},
      {"</th></tr><h1>", "</th></tr><h1>"},
      {"'\"><b>bold</b>", "'\"><b>bold</b>"},
      {"&lt;b&gt;&#60;", "&lt;b&gt;&#60;"},
      {"{{version}}", "{{version}}"},
      {"${1+1}`x`", "${1+1}`x`"},
      {"#view=process&", "#view=process&"},
      // Turned around it would look like "exe.jpg".
      {std::string("exe\xe2\x80") + "\xaegpj.sh", "exe\\u{202e}gpj.sh"},
      {"in\u200bvisible", "in\\u{200b}visible"},
      {"two  spaces", "two  spaces"},
  };
  return names;
}

class LiveText : public LivePage {
 protected:
  void SetUp() override {
    for (const Shown& name : Markup()) {
      children_.Start(name.bytes, [] { std::this_thread::sleep_for(std::chrono::hours(1)); });
    }
    Start(kOnlyStrange);
  }

  /// Waits for as many rows as there are names at least.
  void OpenStrange(const std::string& place) {
    Open(place);
    ASSERT_TRUE(browser_->Await("document.querySelectorAll('#rows tr').length >= " +
                                std::to_string(Markup().size() + HostileNameList().size() - 2)));
  }

  const HostileProcesses hostile_;
  Children children_;
};

TEST_F(LiveText, HostileNamesAreShownAsText) {
  for (const std::string view : {"process", "group"}) {
    OpenStrange("#view=" + view);
    const std::vector<std::string> names = Column("name");
    for (const Shown& name : Markup()) EXPECT_THAT(names, Contains(name.text)) << view;
    for (const HostileProcess& process : hostile_.all()) {
      if (process.name.comm == "other" || process.name.comm.empty()) continue;  // filtered away
      EXPECT_THAT(names, Contains(view == "group" ? process.name.group : process.name.comm));
    }
    EXPECT_EQ(browser_->Number("document.querySelectorAll('#rows *:not(tr, th, td, a, bdi, small, "
                               "svg, path)').length"),
              0);
  }
  EXPECT_EQ(Console(), "");
  EXPECT_THAT(ForeignRequests(), IsEmpty());
}

TEST_F(LiveText, HostileNamesCanBeOpened) {
  for (const Shown& name : Markup()) {
    OpenStrange("");
    // By the link whose text it is.
    nlohmann::json text = name.text;
    ASSERT_TRUE(browser_->Await(
        "[...document.querySelectorAll('#rows a')].some((link) => link.textContent === " +
        text.dump() + " && (link.click(), true))"));
    EXPECT_TRUE(
        browser_->Await("document.querySelector('#opened-name').checkVisibility() && "
                        "document.querySelector('#opened-name').textContent === " +
                        text.dump()));
    EXPECT_TRUE(browser_->Await("document.querySelectorAll('#rows tr').length === 1"));
  }
  EXPECT_EQ(Console(), "");
}

TEST_F(LiveText, AnInlineScriptDoesNotRun) {
  OpenStrange("");
  EXPECT_EQ(Console(), "");
  browser_->Value(
      "(() => { const script = document.createElement('script');"
      "script.textContent = 'window.injected = 1'; document.head.append(script);"
      "document.body.insertAdjacentHTML('beforeend', '<img src=\"/nothing\" "
      "onerror=\"window.injected = 2\">');"
      "})()");
  std::string console;
  ASSERT_TRUE(WaitUntil([&] {
    console += Console();
    return console.find("script-src") != std::string::npos &&
           console.find("/nothing") != std::string::npos;
  })) << console;
  EXPECT_THAT(console, HasSubstr("Content Security Policy"));
  EXPECT_EQ(browser_->Text("typeof window.injected"), "undefined");
}

}  // namespace
}  // namespace sched_exporter::test_support
