#include "tests/support/live_page.h"

#include <cmath>
#include <csignal>
#include <map>

#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

// "1.5 ms/s" in the unit without a prefix.
double FigureOf(const std::string& text) {
  static const std::map<std::string, double> units = {
      {"ns/s", 1e-9}, {"µs/s", 1e-6}, {"ms/s", 1e-3}, {"s/s", 1}, {"µs", 1e-6},
      {"ms", 1e-3},   {"s", 1},       {"/s", 1},      {"%", 1},   {"", 1}};
  std::string digits;
  std::string unit;
  for (const char c : text) {
    if ((c >= '0' && c <= '9') || c == '.') {
      digits += c;
    } else if (c != ',' && c != '<' && c != '>') {
      unit += c;
    }
  }
  for (const std::string gap : {"\u202f", " "}) {
    if (unit.starts_with(gap)) unit.erase(0, gap.size());
  }
  const auto found = units.find(unit);
  EXPECT_TRUE(found != units.end() || text == "–") << text;
  return found == units.end() || digits.empty() ? -1 : std::stod(digits) * found->second;
}

}  // namespace

Children::~Children() {
  for (const pid_t pid : all_) {
    kill(pid, SIGKILL);
    Wait(pid);
  }
}

pid_t Children::Start(const std::string& comm, const std::function<void()>& body) {
  const Gate named;
  const pid_t pid = Fork([&] {
    SetComm(comm);
    const_cast<Gate&>(named).Open();
    while (true) body();
    return true;
  });
  named.WaitFor();
  all_.push_back(pid);
  return pid;
}

void LivePage::Start(const std::string& config, const std::string& host) {
  Exporter::Settings settings;
  // A sweep that has to wait reads processes after the moment that it tells.
  settings.prefix = {"nice", "-n", "-20"};
  if (!host.empty()) {
    const std::string rename = "hostname " + host + "; exec \"$@\"";
    settings.prefix.insert(settings.prefix.end(), {"unshare", "--uts", "sh", "-c", rename, "sh"});
  }
  settings.config = config;
  auto exporter = Exporter::Start(settings);
  ASSERT_TRUE(exporter) << exporter.error().message;
  exporter_ = std::move(*exporter);
  auto browser = Browser::Start();
  ASSERT_TRUE(browser) << browser.error().message;
  browser_ = std::move(*browser);
  browser_->SetSize(1280, 900);
  browser_->Open("about:blank");
  browser_->Log("performance");  // what Chromium's own first page asked for
}

std::string LivePage::Url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(exporter_->port()) + path;
}

void LivePage::Open(const std::string& place) {
  // Another place of the same page would not load it.
  browser_->Open("about:blank");
  browser_->Open(Url("/" + place));
  ASSERT_TRUE(browser_->Await("document.querySelector('#state')?.textContent.startsWith('Live ')"));
}

void LivePage::AwaitNextStep() {
  const std::string now = browser_->Text("document.querySelector('#state').textContent");
  ASSERT_TRUE(browser_->Await("document.querySelector('#state').textContent !== '" + now + "'"));
}

std::vector<std::string> LivePage::Column(const std::string& name) {
  const auto texts =
      browser_->Value("[...document.querySelectorAll('#rows [data-column=" + name +
                      "]')].map((cell) => (cell.querySelector('bdi') ?? cell).textContent)");
  EXPECT_TRUE(texts.is_array()) << texts;
  return texts.is_array() ? texts.get<std::vector<std::string>>() : std::vector<std::string>();
}

std::vector<double> LivePage::Figures(const std::string& column) {
  std::vector<double> figures;
  for (const std::string& text : Column(column)) figures.push_back(FigureOf(text));
  return figures;
}

std::string LivePage::Sorting() {
  return browser_->Text(
      "[...document.querySelectorAll('#table [aria-sort]')]"
      ".map((cell) => cell.dataset.column + ' ' + cell.getAttribute('aria-sort')).join()");
}

void LivePage::TabTo(const std::string& expression) {
  for (int i = 0; i < 60; ++i) {
    browser_->Press({&kTab, 1});
    if (browser_->Value(expression) == nlohmann::json(true)) return;
  }
  ADD_FAILURE() << "60 times Tab and never: " << expression;
}

std::string LivePage::Console() {
  const auto log = browser_->Log("browser");
  EXPECT_TRUE(log.is_array());
  return log.empty() ? "" : log.dump(1);
}

std::vector<std::string> LivePage::ForeignRequests() {
  std::vector<std::string> foreign;
  std::size_t own = 0;
  for (const auto& entry : browser_->Log("performance")) {
    const auto event = nlohmann::json::parse(entry.value("message", ""))["message"];
    if (event.value("method", "") != "Network.requestWillBeSent") continue;
    const std::string url = event["params"]["request"].value("url", "");
    if (url.starts_with(Url("/"))) {
      ++own;
    } else if (!url.starts_with("about:")) {
      foreign.push_back(url);
    }
  }
  EXPECT_GT(own, 5U) << "the check itself: a page, its files and figures were asked for";
  return foreign;
}

}  // namespace sched_exporter::test_support
