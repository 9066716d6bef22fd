// docs/metrics.md lists exactly the families of the exporter's table.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "exporter/metrics/families.h"
#include "tests/support/exporter.h"
#include "tests/support/temp_directory.h"

namespace sched_exporter {
namespace {

std::vector<const Family*> Table() {
  static const Families families;
  return families.All();
}

struct Documented {
  std::string type;
  std::vector<std::string> labels;
  std::string meaning;

  bool operator==(const Documented&) const = default;
};

std::string Trim(const std::string& text) {
  const std::size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  std::string part;
  while (std::getline(stream, part, separator)) {
    parts.push_back(Trim(part));
  }
  return parts;
}

std::vector<std::string> LinesOfDoc() {
  std::ifstream file(SOURCE_DIR "/docs/metrics.md");
  std::vector<std::string> lines;
  std::string line;
  while (std::getline(file, line)) {
    lines.push_back(line);
  }
  return lines;
}

/// Every row of a table whose first cell is a family's name in backquotes.
std::map<std::string, Documented> FamiliesOfDoc() {
  std::map<std::string, Documented> families;
  for (const std::string& line : LinesOfDoc()) {
    const std::vector<std::string> cells = Split(line, '|');
    if (line.substr(0, 3) != "| `") {
      continue;
    }
    EXPECT_EQ(cells.size(), 5) << line;
    const std::string name = cells.at(1).substr(1, cells.at(1).size() - 2);
    const bool added =
        families.emplace(name, Documented{cells.at(2), Split(cells.at(3), ','), cells.at(4)})
            .second;
    EXPECT_TRUE(added) << "twice: " << name;
  }
  return families;
}

std::string TypeOf(const Family& family) {
  switch (family.type) {
    case prometheus::MetricType::Counter:
      return "counter";
    case prometheus::MetricType::Histogram:
      return "histogram";
    default:
      return "gauge";
  }
}

TEST(MetricsDoc, ListsEveryFamilyAndNoOther) {
  std::map<std::string, Documented> documented = FamiliesOfDoc();
  ASSERT_FALSE(documented.empty());
  for (const Family* family : Table()) {
    SCOPED_TRACE(family->name);
    const auto entry = documented.find(family->name);
    if (entry == documented.end()) {
      ADD_FAILURE() << "is not in docs/metrics.md";
      continue;
    }
    EXPECT_EQ(entry->second.type, TypeOf(*family));
    std::vector<std::string> labels = family->labels;
    labels.insert(labels.end(), family->more_labels.begin(), family->more_labels.end());
    EXPECT_EQ(entry->second.labels, labels);
    EXPECT_GT(entry->second.meaning.size(), 5);
    documented.erase(entry);
  }
  for (const auto& [name, family] : documented) {
    ADD_FAILURE() << name << " is in docs/metrics.md, but the exporter has no such family";
  }
}

/// Every word that reads like a family of the exporter's.
std::set<std::string> NamesInDoc() {
  std::set<std::string> names;
  std::string word;
  for (const std::string& line : LinesOfDoc()) {
    for (const char c : line + "\n") {
      if (c == '_' || (c >= 'a' && c <= 'z')) {
        word += c;
        continue;
      }
      if (word.starts_with("sched_") && word != "sched_exporter") {
        names.insert(word);
      }
      word.clear();
    }
  }
  return names;
}

TEST(MetricsDoc, SpeaksOfNoUnknownFamilyAnywhere) {
  std::set<std::string> names = NamesInDoc();
  for (const Family* family : Table()) {
    names.erase(family->name);
    if (family->type == prometheus::MetricType::Histogram) {
      names.erase(family->name + "_bucket");
      names.erase(family->name + "_count");
      names.erase(family->name + "_sum");
    }
  }
  EXPECT_THAT(names, testing::IsEmpty());
}

/// The queries, as one file of recording rules.
std::string RulesOfDoc() {
  std::string rules = "groups:\n- name: doc\n  rules:\n";
  bool in_query = false;
  int number = 0;
  for (const std::string& line : LinesOfDoc()) {
    if (line == "```promql") {
      in_query = true;
      rules += "  - record: query_" + std::to_string(++number) + "\n    expr: |\n";
    } else if (line == "```") {
      in_query = false;
    } else if (in_query) {
      rules += "      " + line + "\n";
    }
  }
  return number == 0 ? "" : rules;
}

TEST(MetricsDoc, HasQueriesThatPrometheusUnderstands) {
  const test_support::TempDirectory directory;
  const std::string file = directory.Write("rules.yml", RulesOfDoc());
  const test_support::Ended check = test_support::RunProgram({"promtool", "check", "rules", file});
  EXPECT_EQ(check.exit_code, 0) << check.output;
}

TEST(MetricsDoc, FamiliesFollowTheNamingRules) {
  for (const Family* family : Table()) {
    SCOPED_TRACE(family->name);
    const bool total = family->name.size() > 6 && family->name.ends_with("_total");
    EXPECT_EQ(family->type == prometheus::MetricType::Counter, total);
    EXPECT_FALSE(family->help.empty());
    EXPECT_EQ(family->help.back(), '.');
    EXPECT_TRUE(family->name.starts_with("sched_") || family->name.starts_with("process_"));
  }
}

}  // namespace
}  // namespace sched_exporter
