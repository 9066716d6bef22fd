#include "exporter/app/series_count.h"

#include <algorithm>

#include "exporter/base/text.h"
#include "exporter/metrics/sample_line.h"

namespace sched_exporter {
namespace {

/// About what an entry of a hash table takes beside its key.
constexpr std::size_t kEntryBytes = 96;

Ranking Largest(const std::unordered_map<std::string, std::uint64_t>& counts, std::size_t count) {
  Ranking ranking(counts.size() < count ? counts.size() : count);
  std::partial_sort_copy(counts.begin(), counts.end(), ranking.begin(), ranking.end(),
                         [](const auto& a, const auto& b) {
                           return a.second != b.second ? a.second > b.second : a.first < b.first;
                         });
  return ranking;
}

}  // namespace

Result<void> SeriesCount::Take(std::string_view part) {
  bytes_ += part.size();
  while (!part.empty()) {
    const std::size_t end = part.find('\n');
    const std::string_view piece = part.substr(0, end);
    if (rest_.size() + piece.size() > kMostLine) {
      return Fail("line " + std::to_string(lines_ + 1) + " is no metric: it has more than " +
                  std::to_string(kMostLine) + " bytes");
    }
    if (end == std::string_view::npos) {
      rest_ += piece;
      return {};
    }
    const std::string joined = rest_.empty() ? std::string() : rest_.append(piece);
    if (auto taken = TakeLine(rest_.empty() ? piece : std::string_view(joined)); !taken) {
      return taken;
    }
    rest_.clear();
    part.remove_prefix(end + 1);
  }
  return {};
}

Result<void> SeriesCount::Finish() const {
  if (!rest_.empty()) {
    return Fail("the text is cut off in line " + std::to_string(lines_ + 1) +
                ": it has no newline at its end");
  }
  if (series_ == 0) {
    return Fail("there is no series in it");
  }
  return {};
}

Result<void> SeriesCount::TakeLine(std::string_view line) {
  ++lines_;
  const auto read = ReadSampleLine(line);
  if (!read) {
    return Fail("line " + std::to_string(lines_) + " is no metric: " + read.error().message + ": " +
                Excerpt(line));
  }
  if (read->kind == SampleLine::Kind::kType) {
    type_name_ = read->name;
    type_ = read->type;
  }
  if (read->kind != SampleLine::Kind::kSample) {
    return {};
  }
  ++series_;
  if (std::uint64_t* const family = Find(families_, FamilyOf(read->name))) {
    ++*family;
  }
  for (const auto& [name, value] : read->labels) {
    if (Label* const label = Find(labels_, name)) {
      ++label->series;
      if (std::uint64_t* const count = Find(label->values, value)) {
        ++*count;
      }
    }
  }
  return {};
}

/// The samples of a histogram or summary have names of their own.
std::string SeriesCount::FamilyOf(const std::string& name) const {
  const bool has_parts = type_ == "histogram" || type_ == "summary";
  if (has_parts && name.starts_with(type_name_)) {
    const std::string_view part = std::string_view(name).substr(type_name_.size());
    if (part == "_sum" || part == "_count" || (part == "_bucket" && type_ == "histogram")) {
      return type_name_;
    }
  }
  return name;
}

/// What `map` has for `key`; null where it is new and there is no room.
template <typename Map>
typename Map::mapped_type* SeriesCount::Find(Map& map, const std::string& key) {
  if (const auto known = map.find(key); known != map.end()) {
    return &known->second;
  }
  const std::size_t needed = kEntryBytes + key.size();
  if (needed > memory_left_) {
    is_partial_ = true;
    return nullptr;
  }
  memory_left_ -= needed;
  return &map[key];
}

Ranking SeriesCount::TopFamilies(std::size_t count) const { return Largest(families_, count); }

std::vector<LabelCount> SeriesCount::Labels(std::size_t count) const {
  std::vector<LabelCount> labels;
  for (const auto& [name, label] : labels_) {
    labels.push_back({name, label.series, label.values.size(), Largest(label.values, count)});
  }
  std::sort(labels.begin(), labels.end(), [](const LabelCount& a, const LabelCount& b) {
    return a.values != b.values ? a.values > b.values : a.name < b.name;
  });
  return labels;
}

}  // namespace sched_exporter
