#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/browser.h"
#include "tests/support/exporter.h"

namespace sched_exporter::test_support {

/// Child processes that are killed at the end of the test.
class Children {
 public:
  Children() = default;
  ~Children();
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  /// Starts one with this comm; it runs `body` again and again. Returns when it has the name.
  pid_t Start(const std::string& comm, const std::function<void()>& body);

 private:
  std::vector<pid_t> all_;
};

/// A config with the shortest steps, of one second.
inline constexpr char kShortSteps[] = "live: {history: 1m}\n";

/// The live page of a real exporter in a real browser.
class LivePage : public ::testing::Test {
 protected:
  /// Starts exporter and browser; the host's name is another one where `host` isn't empty.
  void Start(const std::string& config = kShortSteps, const std::string& host = "");

  /// Loads the page, at a place of it such as "#view=process", and waits until it shows figures.
  void Open(const std::string& place = "");

  /// Waits until the figures of another step are shown.
  void AwaitNextStep();

  /// The texts of a column of the table, from the top.
  std::vector<std::string> Column(const std::string& name);

  /// A column's figures as numbers: "1.5 ms/s" is 0.0015, "12 %" is 12, what isn't known is -1.
  std::vector<double> Figures(const std::string& column);

  /// The name of the column that the table says to be sorted by, with the direction.
  std::string Sorting();

  /// Presses Tab until `expression` is true in the page; fails where it never is.
  void TabTo(const std::string& expression);

  /// What the console has; nothing is the good case.
  std::string Console();

  /// Addresses that the browser asked, without those of the exporter.
  std::vector<std::string> ForeignRequests();

  std::string Url(const std::string& path = "/") const;

  std::unique_ptr<Exporter> exporter_;
  std::unique_ptr<Browser> browser_;
};

}  // namespace sched_exporter::test_support
