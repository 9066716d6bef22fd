#include "tests/support/browser.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include "tests/support/free_port.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::seconds kBrowserPatience{60};
constexpr const char* kElement = "element-6066-11e4-a52e-4f735466cecf";  // the name W3C gave to it

pid_t SpawnDriver(int port, const std::string& directory) {
  return Fork([&] {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int fd = open((directory + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(fd, 1);
    dup2(fd, 2);
    setenv("HOME", directory.c_str(), 1);
    execlp("chromedriver", "chromedriver", ("--port=" + std::to_string(port)).c_str(),
           static_cast<char*>(nullptr));
    return false;
  });
}

Json Capabilities(const std::string& directory) {
  const Json options = {
      {"args",
       {"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--disable-dev-shm-usage", "--user-data-dir=" + directory + "/profile"}}};
  const Json always = {{"browserName", "chrome"},
                       {"goog:chromeOptions", options},
                       {"goog:loggingPrefs", {{"browser", "ALL"}, {"performance", "ALL"}}}};
  return {{"capabilities", {{"alwaysMatch", always}}}};
}

std::string Utf8(char32_t letter) {
  const auto tail = [&](unsigned shift) {
    return static_cast<char>(0x80U | ((letter >> shift) & 0x3FU));
  };
  if (letter < 0x80) return {static_cast<char>(letter)};
  return {static_cast<char>(0xE0U | (letter >> 12U)), tail(6), tail(0)};
}

std::string FromBase64(std::string_view text) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) break;
    bits = (bits << 6U) | static_cast<unsigned>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xFFU);
    }
  }
  return bytes;
}

}  // namespace

Result<HttpReply> Browser::Exchange(const std::string& method, const std::string& path,
                                    const std::string& body) const {
  auto connection = HttpConnection::Open(port_, "127.0.0.1", kBrowserPatience);
  if (!connection) return tl::unexpected(connection.error());
  const auto sent =
      connection->Send(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
                       std::to_string(body.size()) + "\r\n\r\n" + body);
  if (!sent) return tl::unexpected(sent.error());
  return connection->ReadReply();
}

Result<Json> Browser::Ask(const std::string& method, const std::string& path,
                          const Json& body) const {
  const std::string text = method == "POST" ? body.dump() : "";
  const auto reply = Exchange(method, path, text);
  if (!reply) return tl::unexpected(reply.error());
  Json answer = Json::parse(reply->body, nullptr, false);
  if (reply->status != 200 || !answer.is_object()) {
    return Fail(method + " " + path + " " + text + ": " + reply->body.substr(0, 400));
  }
  return std::move(answer["value"]);
}

Json Browser::Do(const std::string& method, const std::string& command, const Json& body) {
  auto answer = Ask(method, session_ + command, body);
  if (!answer) {
    ADD_FAILURE() << answer.error().message;
    return nullptr;
  }
  return std::move(*answer);
}

Result<std::unique_ptr<Browser>> Browser::Start() {
  std::unique_ptr<Browser> browser(new Browser());
  const std::string& directory = browser->directory_.path();
  browser->port_ = FreePort();
  browser->driver_ = SpawnDriver(browser->port_, directory);
  const bool is_ready = WaitUntil([&] {
    const auto status = browser->Ask("GET", "/status", {});
    return status && status->value("ready", false);
  });
  if (!is_ready) return Fail("chromedriver doesn't get ready; is chromium-driver installed?");
  auto session = browser->Ask("POST", "/session", Capabilities(directory));
  if (!session) return tl::unexpected(session.error());
  browser->session_ = "/session/" + session->value("sessionId", "");
  return browser;
}

Browser::~Browser() {
  // chromedriver ends Chromium with the session.
  if (!session_.empty()) static_cast<void>(Exchange("DELETE", session_, ""));
  if (driver_ > 0) {
    kill(driver_, SIGKILL);
    Wait(driver_);
  }
}

void Browser::Open(const std::string& url) { Do("POST", "/url", {{"url", url}}); }

void Browser::Back() { Do("POST", "/back"); }

Json Browser::Value(const std::string& expression) {
  return Do("POST", "/execute/sync", {{"script", "return " + expression}, {"args", Json::array()}});
}

std::string Browser::Text(const std::string& expression) {
  const Json value = Value(expression);
  EXPECT_TRUE(value.is_string()) << expression << " is " << value;
  return value.is_string() ? value.get<std::string>() : "";
}

double Browser::Number(const std::string& expression) {
  const Json value = Value(expression);
  EXPECT_TRUE(value.is_number()) << expression << " is " << value;
  return value.is_number() ? value.get<double>() : 0;
}

bool Browser::Await(const std::string& expression, std::chrono::seconds patience) {
  const bool holds =
      WaitUntil([&] { return Value("Boolean(" + expression + ")") == Json(true); }, patience);
  EXPECT_TRUE(holds) << "this never became true: " << expression;
  return holds;
}

void Browser::Click(const std::string& selector) {
  const Json element = Do("POST", "/element", {{"using", "css selector"}, {"value", selector}});
  if (!element.is_object()) return;
  Do("POST", "/element/" + element.value(kElement, "") + "/click");
}

void Browser::Press(std::u32string_view keys) {
  Json actions = Json::array();
  for (const char32_t key : keys) {
    actions.push_back({{"type", "keyDown"}, {"value", Utf8(key)}});
    actions.push_back({{"type", "keyUp"}, {"value", Utf8(key)}});
  }
  const Json keyboard = {{"type", "key"}, {"id", "keyboard"}, {"actions", actions}};
  Do("POST", "/actions", {{"actions", Json::array({keyboard})}});
}

void Browser::SetSize(int width, int height, bool is_phone) {
  DevTools("Emulation.setDeviceMetricsOverride",
           {{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", is_phone}});
}

void Browser::SetDark(bool is_dark) {
  const Json feature = {{"name", "prefers-color-scheme"}, {"value", is_dark ? "dark" : "light"}};
  DevTools("Emulation.setEmulatedMedia", {{"features", Json::array({feature})}});
}

Json Browser::DevTools(const std::string& command, const Json& parameters) {
  return Do("POST", "/goog/cdp/execute", {{"cmd", command}, {"params", parameters}});
}

Json Browser::Log(const std::string& type) { return Do("POST", "/se/log", {{"type", type}}); }

void Browser::Screenshot(const std::string& path) {
  const Json shot = Do("GET", "/screenshot");
  if (!shot.is_string()) return;
  std::ofstream file(path, std::ios::binary);
  file << FromBase64(shot.get<std::string>());
  EXPECT_TRUE(file.good()) << "cannot write " << path;
}

}  // namespace sched_exporter::test_support
