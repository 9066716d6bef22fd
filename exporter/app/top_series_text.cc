#include "exporter/app/top_series_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>

#include "exporter/base/text.h"

namespace sched_exporter {
namespace {

/// What bounds the series that have a label.
struct Hint {
  std::string_view label;
  std::string_view text;
};

constexpr std::array<Hint, 6> kHints{{
    {"pid", "limits.processes; filters.processes takes processes out by comm"},
    {"group", "limits.groups; filters.groups; process_names puts more processes into one group"},
    {"cgroup", "limits.cgroups; filters.cgroups takes cgroups out by path"},
    {"code", "limits.codes"},
    {"errno", "limits.codes"},
    {"le", "histograms takes those of cgroups out"},
}};

/// "  12345   4.5%  text".
std::string CountLine(std::uint64_t part, std::uint64_t whole, const std::string& text) {
  constexpr double kPercent = 100;
  std::array<char, 64> figures{};
  const int length = std::snprintf(figures.data(), figures.size(), "%10llu  %5.1f%%  ",
                                   static_cast<unsigned long long>(part),
                                   kPercent * static_cast<double>(part) /
                                       static_cast<double>(std::max<std::uint64_t>(whole, 1)));
  return std::string(figures.data(), static_cast<std::size_t>(length)) + text + "\n";
}

std::string LabelText(const LabelCount& label, std::uint64_t series) {
  std::string text = "label " + label.name + ": " + std::to_string(label.values) +
                     (label.values == 1 ? " value in " : " values in ") +
                     std::to_string(label.series) + " series\n";
  for (const auto& [value, count] : label.top) {
    text += CountLine(count, series, Excerpt(value));
  }
  return text;
}

bool IsOurs(const SeriesCount& series) {
  const Ranking families = series.TopFamilies(series.family_count());
  return std::any_of(families.begin(), families.end(),
                     [](const auto& family) { return family.first.starts_with("sched_"); });
}

std::string HintText(const std::vector<LabelCount>& labels) {
  std::string text = "\nWhat bounds them in the config of sched_exporter:\n";
  for (const Hint& hint : kHints) {
    const bool is_there = std::any_of(labels.begin(), labels.end(), [&](const LabelCount& label) {
      return label.name == hint.label;
    });
    if (is_there) {
      text.append("  ").append(hint.label).append(": ").append(hint.text).append("\n");
    }
  }
  return text +
         "What is beyond a limit or taken out is in the series \"other\". labels.omit makes "
         "scrapes "
         "smaller, and not\nfewer series: the other labels tell series apart.\n";
}

}  // namespace

std::string TopSeriesText(const SeriesCount& series, std::size_t count) {
  const Ranking families = series.TopFamilies(count);
  std::string text =
      std::to_string(series.series()) + " series, " + std::to_string(series.bytes()) + " bytes\n";
  if (series.IsPartial()) {
    text +=
        "There are too many names and values to remember them all: some of the numbers below are "
        "too small.\n";
  }
  text += "\nfamilies: the top " + std::to_string(families.size()) + " of " +
          std::to_string(series.family_count()) + "\n";
  for (const auto& [name, of_family] : families) {
    text += CountLine(of_family, series.series(), name);
  }
  const std::vector<LabelCount> labels = series.Labels((count + 1) / 2);
  for (const LabelCount& label : labels) {
    text += "\n" + LabelText(label, series.series());
  }
  return IsOurs(series) ? text + HintText(labels) : text;
}

}  // namespace sched_exporter
