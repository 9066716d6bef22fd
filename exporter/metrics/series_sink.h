#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/metrics/families.h"
#include "exporter/model/group.h"

namespace sched_exporter {

/// The label value of what has no series of its own.
inline constexpr const char* kOther = kOtherName;

/// The one place where nanoseconds become seconds.
inline double SecondsOf(std::uint64_t ns) { return static_cast<double>(ns) / 1e9; }

/// What a series says, as the model counts it.
struct Value {
  std::uint64_t number = 0;
  bool is_ns = false;  ///< Nanoseconds, to be told as seconds.

  double AsDouble() const { return is_ns ? SecondsOf(number) : static_cast<double>(number); }
};

inline Value Count(std::uint64_t number) { return {number, false}; }
inline Value Seconds(std::uint64_t ns) { return {ns, true}; }

/// A histogram; spans are not owned.
struct HistogramValue {
  std::span<const std::uint64_t> buckets;  ///< Not cumulative; the last one is beyond all bounds.
  std::span<const std::uint64_t> bounds_ns;
  std::uint64_t sum_ns = 0;
};

/// The labels that all series of a row have, as text in the form of both formats, without braces:
/// escaped once for all families of a view.
class RowLabels {
 public:
  RowLabels() = default;

  /// `values` are those of the first labels of `family`, in their order. An empty value is none, to
  /// Prometheus, and is left out. `more` are labels that not all series of the family have.
  RowLabels(const Family& family, std::initializer_list<std::string_view> values,
            const std::map<std::string, std::string>& more = {});

  const std::string& own() const { return own_; }
  const std::string& more() const { return more_; }

 private:
  std::string own_;
  std::string more_;
};

/// The labels of one series; refers to its row's.
struct SeriesLabels {
  SeriesLabels(const RowLabels& labels, std::string_view last_value = {})  // NOLINT: stands for it
      : row(labels), last(last_value) {}

  const RowLabels& row;
  /// Value of the family's last label, where a row has several series; empty: `row` has it.
  std::string_view last;
};

/// Takes the series of a sample, family by family.
class SeriesSink {
 public:
  virtual ~SeriesSink() = default;

  /// What follows is of `family`, which outlives the sink. Without a series it is left out.
  virtual void Begin(const Family& family) = 0;

  /// One series of a gauge.
  virtual void Put(const SeriesLabels& labels, Value value) = 0;

  /// One series of a counter, which counts since `since_ns` (CLOCK_BOOTTIME).
  virtual void PutCounter(const SeriesLabels& labels, Value value, std::uint64_t since_ns) = 0;

  /// One series of a histogram.
  virtual void PutHistogram(const SeriesLabels& labels, const HistogramValue& value,
                            std::uint64_t since_ns) = 0;

  /// A family of one gauge without labels.
  void Single(const Family& family, Value value) {
    Begin(family);
    Put(RowLabels(), value);
  }

  /// A family of one counter without labels.
  void SingleCounter(const Family& family, Value value, std::uint64_t since_ns) {
    Begin(family);
    PutCounter(RowLabels(), value, since_ns);
  }

  /// A family of gauges that differ in one label.
  void Labelled(const Family& family, const std::vector<std::pair<std::string, Value>>& values) {
    Begin(family);
    for (const auto& [label, value] : values) {
      Put(RowLabels(family, {label}), value);
    }
  }
};

}  // namespace sched_exporter
