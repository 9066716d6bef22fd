#include "exporter/metrics/openmetrics.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

namespace sched_exporter {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

/// Digits that prometheus::TextSerializer writes.
constexpr int kClassicDigits = std::numeric_limits<double>::max_digits10 - 1;
/// Below it a double that is an integer is exact, and its digits are written out.
constexpr double kLargestInteger = 1e15;
constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

void AppendEscaped(std::string& text, std::string_view value) {
  std::size_t done = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '"' || c == '\\' || c == '\n') {
      text.append(value, done, i - done).append(c == '\n' ? "\\n" : c == '"' ? "\\\"" : "\\\\");
      done = i + 1;
    }
  }
  text.append(value, done);
}

void AppendInteger(std::string& text, std::int64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
  text.append(digits.begin(), end);
}

/// `%.16g`.
void AppendClassic(std::string& text, double value) {
  std::array<char, 32> digits;
  const auto end =
      std::to_chars(digits.begin(), digits.end(), value, std::chars_format::general, kClassicDigits)
          .ptr;
  text.append(digits.begin(), end);
}

std::ptrdiff_t DigitsIn(std::string_view number) {
  const std::string_view mantissa = number.substr(0, number.find('e'));
  const std::size_t first = mantissa.find_first_of("123456789");
  return first == mantissa.npos
             ? 0
             : std::count_if(mantissa.begin() + static_cast<std::ptrdiff_t>(first), mantissa.end(),
                             [](char c) { return c != '.'; });
}

/// The shortest text that reads as the same double. Where it has more digits than the classic
/// format, that one's text: a counter that rests must not seem to go back with another format.
void AppendReal(std::string& text, double value) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
  const std::string_view shortest(digits.begin(), static_cast<std::size_t>(end - digits.begin()));
  if (DigitsIn(shortest) > kClassicDigits) {
    AppendClassic(text, value);
  } else {
    text += shortest;
  }
}

void AppendNumber(std::string& text, double value) {
  if (std::isnan(value)) {
    text += "NaN";
  } else if (std::isinf(value)) {
    text += value > 0 ? "+Inf" : "-Inf";
  } else if (std::abs(value) < kLargestInteger && std::trunc(value) == value) {
    AppendInteger(text, static_cast<std::int64_t>(value));
  } else {
    AppendReal(text, value);
  }
}

/// What the format makes of a family.
struct Shape {
  std::string_view name;
  std::string_view type;
  std::string_view unit;
  std::string_view suffix;  ///< Of the sample's name.
};

std::string_view UnitOf(std::string_view name) {
  for (const std::string_view unit : {"seconds", "bytes"}) {
    if (name.ends_with(unit) && name.substr(0, name.size() - unit.size()).ends_with('_')) {
      return unit;
    }
  }
  return {};
}

Shape ShapeOf(const MetricFamily& family) {
  constexpr std::string_view kTotal = "_total";
  constexpr std::string_view kInfo = "_info";
  const std::string_view name = family.name;
  const auto less = [name](std::string_view suffix) {
    return name.substr(0, name.size() - suffix.size());
  };
  switch (family.type) {
    case MetricType::Counter: {
      // The name of the sample is that of the series, whatever the format wants counters to have.
      if (!name.ends_with(kTotal)) {
        return {name, "unknown", UnitOf(name), {}};
      }
      return {less(kTotal), "counter", UnitOf(less(kTotal)), kTotal};
    }
    case MetricType::Histogram:
      return {name, "histogram", UnitOf(name), {}};
    default: {
      const bool is_info =
          name.ends_with(kInfo) &&
          std::all_of(family.metric.begin(), family.metric.end(),
                      [](const ClientMetric& metric) { return metric.gauge.value == 1; });
      return is_info ? Shape{less(kInfo), "info", {}, kInfo}
                     : Shape{name, "gauge", UnitOf(name), {}};
    }
  }
}

void AppendMetadata(std::string& text, const Shape& shape, std::string_view help) {
  text.append("# TYPE ").append(shape.name).append(" ").append(shape.type).append("\n");
  if (!shape.unit.empty()) {
    text.append("# UNIT ").append(shape.name).append(" ").append(shape.unit).append("\n");
  }
  if (!help.empty()) {
    text.append("# HELP ").append(shape.name).append(" ");
    AppendEscaped(text, help);
    text += '\n';
  }
}

}  // namespace

void OpenMetricsWriter::Add(const MetricFamily& family,
                            std::span<const std::uint64_t> created_unix_ns) {
  const Shape shape = ShapeOf(family);
  AppendMetadata(text_, shape, family.help);
  name_ = shape.name;
  for (std::size_t i = 0; i < family.metric.size(); ++i) {
    const ClientMetric& metric = family.metric[i];
    SetLabels(metric);
    if (family.type == MetricType::Histogram) {
      AddHistogram(metric);
    } else {
      const bool counts = family.type == MetricType::Counter;
      AddSample(shape.suffix, counts ? metric.counter.value : metric.gauge.value);
    }
    if (i < created_unix_ns.size()) {
      AddCreated(created_unix_ns[i]);
    }
  }
}

void OpenMetricsWriter::SetLabels(const ClientMetric& metric) {
  labels_.clear();
  for (const ClientMetric::Label& label : metric.label) {
    labels_.append(labels_.empty() ? "{" : ",").append(label.name).append("=\"");
    AppendEscaped(labels_, label.value);
    labels_ += '"';
  }
}

void OpenMetricsWriter::AddSample(std::string_view suffix, double value) {
  text_.append(name_).append(suffix).append(labels_).append(labels_.empty() ? " " : "} ");
  AppendNumber(text_, value);
  text_ += '\n';
}

void OpenMetricsWriter::AddCreated(std::uint64_t unix_ns) {
  text_.append(name_).append("_created").append(labels_).append(labels_.empty() ? " " : "} ");
  AppendInteger(text_, static_cast<std::int64_t>(unix_ns / kNsPerSecond));
  // All nine digits of the fraction, with the leading one that makes them so many.
  const std::size_t point = text_.size();
  AppendInteger(text_, static_cast<std::int64_t>(kNsPerSecond + unix_ns % kNsPerSecond));
  text_[point] = '.';
  text_ += '\n';
}

/// Texts of bounds are labels: they are the classic format's, letter by letter, or Prometheus would
/// see another series.
const std::string& OpenMetricsWriter::BoundText(double bound, std::size_t index) {
  bounds_.resize(std::max(bounds_.size(), index + 1));
  Bound& known = bounds_[index];
  if (known.text.empty() || known.value != bound) {
    known.value = bound;
    known.text.clear();
    if (std::isinf(bound)) {
      known.text = "+Inf";
    } else {
      AppendClassic(known.text, bound);
    }
  }
  return known.text;
}

void OpenMetricsWriter::AddBucket(double bound, std::size_t index, std::uint64_t count) {
  text_.append(name_).append("_bucket").append(labels_).append(labels_.empty() ? "{" : ",");
  text_.append("le=\"").append(BoundText(bound, index)).append("\"} ");
  AppendNumber(text_, static_cast<double>(count));
  text_ += '\n';
}

void OpenMetricsWriter::AddHistogram(const ClientMetric& metric) {
  const ClientMetric::Histogram& histogram = metric.histogram;
  double last = 0;
  for (std::size_t i = 0; i < histogram.bucket.size(); ++i) {
    last = histogram.bucket[i].upper_bound;
    AddBucket(last, i, histogram.bucket[i].cumulative_count);
  }
  if (!std::isinf(last)) {
    AddBucket(std::numeric_limits<double>::infinity(), histogram.bucket.size(),
              histogram.sample_count);
  }
  AddSample("_count", static_cast<double>(histogram.sample_count));
  AddSample("_sum", histogram.sample_sum);
}

}  // namespace sched_exporter
