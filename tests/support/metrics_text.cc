#include "tests/support/metrics_text.h"

#include <cstdlib>

namespace sched_exporter::test_support {
namespace {

/// Reads `name="value",…}` after the opening brace; moves `text` behind the closing one.
bool ParseLabels(std::string_view& text, Labels& labels) {
  while (!text.empty() && text[0] != '}') {
    const std::size_t equals = text.find("=\"");
    if (equals == std::string_view::npos) {
      return false;
    }
    const std::string name(text.substr(0, equals));
    text.remove_prefix(equals + 2);
    std::string value;
    while (!text.empty() && text[0] != '"') {
      if (text[0] == '\\' && text.size() > 1) {
        value += text[1] == 'n' ? '\n' : text[1];
        text.remove_prefix(2);
      } else {
        value += text[0];
        text.remove_prefix(1);
      }
    }
    if (text.empty() || !labels.emplace(name, value).second) {
      return false;
    }
    text.remove_prefix(1);
    if (!text.empty() && text[0] == ',') {
      text.remove_prefix(1);
    }
  }
  if (text.empty()) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

bool ParseLine(std::string_view text, Line& line) {
  const std::size_t name_end = text.find_first_of("{ ");
  if (name_end == std::string_view::npos) {
    return false;
  }
  line.name = text.substr(0, name_end);
  text.remove_prefix(name_end);
  if (text[0] == '{') {
    text.remove_prefix(1);
    if (!ParseLabels(text, line.labels)) {
      return false;
    }
  }
  if (text.empty() || text[0] != ' ') {
    return false;
  }
  const std::string number(text.substr(1));
  char* end = nullptr;
  line.value = std::strtod(number.c_str(), &end);
  return end != number.c_str() && *end == '\0';
}

bool Matches(const Line& line, const std::string& name, const Labels& labels) {
  if (line.name != name) {
    return false;
  }
  for (const auto& [label, value] : labels) {
    const auto found = line.labels.find(label);
    // To Prometheus a label that isn't there is one with an empty value.
    if (found == line.labels.end() ? !value.empty() : found->second != value) {
      return false;
    }
  }
  return true;
}

}  // namespace

Result<MetricsText> MetricsText::Parse(std::string_view text) {
  MetricsText parsed;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      return Fail("the last line has no end");
    }
    const std::string_view line_text = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line_text.substr(0, 7) == "# TYPE ") {
      const std::size_t space = line_text.find(' ', 7);
      parsed.types_[std::string(line_text.substr(7, space - 7))] = line_text.substr(space + 1);
    }
    if (line_text.empty() || line_text[0] == '#') {
      continue;
    }
    Line line;
    if (!ParseLine(line_text, line)) {
      return Fail("cannot parse: " + std::string(line_text));
    }
    parsed.lines_.push_back(std::move(line));
  }
  return parsed;
}

double MetricsText::Sum(const std::string& name, const Labels& labels) const {
  double sum = 0;
  for (const Line& line : lines_) {
    sum += Matches(line, name, labels) ? line.value : 0;
  }
  return sum;
}

std::size_t MetricsText::Count(const std::string& name, const Labels& labels) const {
  std::size_t count = 0;
  for (const Line& line : lines_) {
    count += Matches(line, name, labels) ? 1 : 0;
  }
  return count;
}

bool MetricsText::IsCounter(const std::string& name) const {
  const auto is = [this](const std::string& family, const char* type) {
    const auto found = types_.find(family);
    return found != types_.end() && found->second == type;
  };
  const std::size_t part = name.rfind('_');
  return is(name, "counter") ||
         (part != std::string::npos && is(name.substr(0, part), "histogram"));
}

std::vector<std::string> BackwardCounters(const MetricsText& earlier, const MetricsText& later) {
  std::map<std::pair<std::string, Labels>, double> before;
  for (const Line& line : earlier.lines()) {
    if (earlier.IsCounter(line.name)) {
      before[{line.name, line.labels}] = line.value;
    }
  }
  std::vector<std::string> backward;
  for (const Line& line : later.lines()) {
    const auto found = before.find({line.name, line.labels});
    if (found != before.end() && line.value < found->second) {
      std::string text = line.name;
      for (const auto& [label, value] : line.labels) {
        text += " " + label + "=" + value;
      }
      backward.push_back(text + ": " + std::to_string(found->second) + " -> " +
                         std::to_string(line.value));
    }
  }
  return backward;
}

}  // namespace sched_exporter::test_support
