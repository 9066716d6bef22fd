#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "exporter/base/result.h"

namespace sched_exporter {

/// Names or values with the number of series that have them; the most first, then by text.
using Ranking = std::vector<std::pair<std::string, std::uint64_t>>;

/// A label of a scrape.
struct LabelCount {
  std::string name;
  std::uint64_t series = 0;  ///< That have the label.
  std::uint64_t values = 0;  ///< Different ones.
  Ranking top;
};

/// Counts the series of a scrape (text exposition format 0.0.4), by family and by label value. Each
/// sample line is a series; the buckets of a histogram are in the histogram's family.
class SeriesCount {
 public:
  static constexpr std::size_t kMostLine = std::size_t{1} << 20U;
  static constexpr std::size_t kMostMemory = std::size_t{128} << 20U;

  /// Remembers names and values for about `most_memory` bytes; beyond, IsPartial().
  explicit SeriesCount(std::size_t most_memory = kMostMemory) : memory_left_(most_memory) {}

  /// The next part of the text, cut anywhere. Fails with the number of the line that is no metric.
  Result<void> Take(std::string_view part);

  /// The text has ended. Fails where it was cut, or nothing was in it.
  Result<void> Finish() const;

  std::uint64_t series() const { return series_; }
  std::uint64_t bytes() const { return bytes_; }

  /// Some names or values had no room: all numbers but series() and bytes() are too small.
  bool IsPartial() const { return is_partial_; }

  std::size_t family_count() const { return families_.size(); }
  Ranking TopFamilies(std::size_t count) const;

  /// All labels with the top `count` values of each; those with most values first.
  std::vector<LabelCount> Labels(std::size_t count) const;

 private:
  using Counts = std::unordered_map<std::string, std::uint64_t>;
  struct Label {
    std::uint64_t series = 0;
    Counts values;
  };

  Result<void> TakeLine(std::string_view line);
  std::string FamilyOf(const std::string& name) const;
  template <typename Map>
  typename Map::mapped_type* Find(Map& map, const std::string& key);

  std::size_t memory_left_;
  std::string rest_;  ///< A line whose end is in the next part.
  std::uint64_t lines_ = 0;
  std::uint64_t series_ = 0;
  std::uint64_t bytes_ = 0;
  bool is_partial_ = false;
  std::string type_name_;  ///< Of the last `# TYPE`.
  std::string type_;
  Counts families_;
  std::unordered_map<std::string, Label> labels_;
};

}  // namespace sched_exporter
