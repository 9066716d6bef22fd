#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "exporter/base/result.h"
#include "tests/support/http_client.h"
#include "tests/support/temp_directory.h"

namespace sched_exporter::test_support {

/// A Chromium without a window, driven through chromedriver by the WebDriver protocol, with a
/// profile of its own. What fails on the way to it is a failed expectation of the running test, so
/// that calls can stand in a row as a user's actions do.
class Browser {
 public:
  using Json = nlohmann::json;

  /// Starts both.
  static Result<std::unique_ptr<Browser>> Start();
  ~Browser();
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  /// Loads a page and waits for its "load" event.
  void Open(const std::string& url);
  void Back();

  /// What `return EXPRESSION` gives in the page; null where it throws.
  Json Value(const std::string& expression);
  std::string Text(const std::string& expression);
  double Number(const std::string& expression);

  /// Waits until the expression is true in the page; where it never is, fails and tells it.
  bool Await(const std::string& expression,
             std::chrono::seconds patience = std::chrono::seconds(60));

  /// Clicks in the middle of the element that the CSS selector finds first, with a mouse.
  void Click(const std::string& selector);

  /// Presses and releases keys one after another; each is a character, which may be one of those
  /// that WebDriver has for keys without a letter.
  void Press(std::u32string_view keys);

  /// The size of the page, as on a device; with what a phone's browser does where `is_phone`.
  void SetSize(int width, int height, bool is_phone = false);
  void SetDark(bool is_dark);

  /// A command of the DevTools protocol; its result.
  Json DevTools(const std::string& command, const Json& parameters);

  /// What was logged since the last call: "browser" is the console, "performance" the events of
  /// DevTools.
  Json Log(const std::string& type);

  /// Writes what is seen as a PNG file.
  void Screenshot(const std::string& path);

 private:
  Browser() = default;

  Result<HttpReply> Exchange(const std::string& method, const std::string& path,
                             const std::string& body) const;
  Result<Json> Ask(const std::string& method, const std::string& path, const Json& body) const;
  Json Do(const std::string& method, const std::string& command, const Json& body = Json::object());

  TempDirectory directory_;
  pid_t driver_ = -1;
  int port_ = 0;
  std::string session_;  ///< "/session/ID"
};

/// Keys without a letter, as WebDriver writes them.
inline constexpr char32_t kTab = 0xE004;
inline constexpr char32_t kEnter = 0xE007;
inline constexpr char32_t kRight = 0xE014;

}  // namespace sched_exporter::test_support
