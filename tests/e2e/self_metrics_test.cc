// docs/operations.md says of each metric about the exporter itself what it means when it moves, and
// what to do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "tests/support/exporter.h"
#include "tests/support/persistence.h"

namespace sched_exporter::test_support {
namespace {

bool IsOfItself(const std::string& name) {
  return name.starts_with("sched_exporter_") || name.starts_with("process_");
}

std::set<std::string> Served(const std::string& text) {
  std::set<std::string> names;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash;
    std::string type;
    std::string name;
    if (words >> hash >> type >> name && hash == "#" && type == "TYPE" && IsOfItself(name)) {
      names.insert(name);
    }
  }
  return names;
}

struct Row {
  std::string moves;
  std::string remedy;
};

/// The rows of the table "Self metrics", each metric by its name; of one with labels all rows.
std::multimap<std::string, Row> Documented() {
  std::multimap<std::string, Row> rows;
  std::ifstream file(SOURCE_DIR "/docs/operations.md");
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) {
      inside = line == "### Self metrics";
    }
    if (!inside || !line.starts_with("| `")) {
      continue;
    }
    const std::size_t name_end = line.find_first_of("`{", 3);
    const std::size_t moves = line.find(" | ");
    const std::size_t remedy = line.find(" | ", moves + 1);
    EXPECT_NE(remedy, std::string::npos) << line;
    rows.emplace(line.substr(3, name_end - 3),
                 Row{line.substr(moves + 3, remedy - moves - 3), line.substr(remedy + 3)});
  }
  return rows;
}

/// With persistence, so that its metrics are there, too.
class SelfMetrics : public PersistenceTest {};

TEST_F(SelfMetrics, AreInTheOperationsPageWithMeaningAndRemedy) {
  ASSERT_NO_FATAL_FAILURE(Start());
  const auto text = exporter_->ScrapeText();
  ASSERT_TRUE(text) << text.error().message;
  const std::set<std::string> served = Served(*text);
  ASSERT_GT(served.size(), 20);
  const auto documented = Documented();
  for (const std::string& name : served) {
    EXPECT_TRUE(documented.contains(name)) << name << " is not in docs/operations.md, Self metrics";
  }
  for (const auto& [name, row] : documented) {
    EXPECT_TRUE(served.contains(name) || !IsOfItself(name)) << name << " is not served";
    EXPECT_GT(row.moves.size(), 10) << name;
    EXPECT_GT(row.remedy.size(), 6) << name;
  }
}

/// A series of a family with labels that the page tells apart is in the page, too.
TEST_F(SelfMetrics, BuffersAndMapsAreToldApart) {
  const auto exporter = Exporter::Start();
  ASSERT_TRUE(exporter) << exporter.error().message;
  const auto scrape = (*exporter)->Scrape();
  ASSERT_TRUE(scrape) << scrape.error().message;
  std::ifstream file(SOURCE_DIR "/docs/operations.md");
  std::ostringstream page;
  page << file.rdbuf();
  int told = 0;
  for (const Line& line : scrape->lines()) {
    for (const auto& [name, label] :
         std::map<std::string, std::string>{{"sched_exporter_lost_events_total", "buffer"},
                                            {"sched_exporter_map_failed_updates_total", "map"}}) {
      if (line.name == name) {
        std::string row = "| `" + name;
        row.append("{" + label).append("=\"" + line.labels.at(label)).append("\"}` |");
        EXPECT_THAT(page.str(), testing::HasSubstr(row));
        ++told;
      }
    }
  }
  EXPECT_GE(told, 10);
}

}  // namespace
}  // namespace sched_exporter::test_support
