#include "exporter/metrics/text_writer.h"

#include <algorithm>
#include <numeric>

#include "exporter/metrics/label_text.h"

namespace sched_exporter {
namespace {

using prometheus::MetricType;

constexpr std::string_view kTotalSuffix = "_total";
constexpr std::string_view kInfoSuffix = "_info";

/// What OpenMetrics makes of a family.
struct OpenShape {
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

/// Gauges whose names end in _info are always 1.
OpenShape OpenShapeOf(const Family& family) {
  const std::string_view name = family.name;
  const auto less = [name](std::string_view suffix) {
    return name.substr(0, name.size() - suffix.size());
  };
  switch (family.type) {
    case MetricType::Counter: {
      // The name of the sample is that of the series, whatever the format wants counters to have.
      if (!name.ends_with(kTotalSuffix)) {
        return {name, "unknown", UnitOf(name), {}};
      }
      return {less(kTotalSuffix), "counter", UnitOf(less(kTotalSuffix)), kTotalSuffix};
    }
    case MetricType::Histogram:
      return {name, "histogram", UnitOf(name), {}};
    default:
      return name.ends_with(kInfoSuffix) ? OpenShape{less(kInfoSuffix), "info", {}, kInfoSuffix}
                                         : OpenShape{name, "gauge", UnitOf(name), {}};
  }
}

void AppendOpenMetadata(std::string& text, const OpenShape& shape, std::string_view help) {
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

std::string_view ClassicTypeOf(const Family& family) {
  switch (family.type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Histogram:
      return "histogram";
    default:
      return "gauge";
  }
}

/// Help texts hold nothing that needs an escape in this format (tests/unit/exposition_test.cc).
void AppendClassicMetadata(std::string& text, const Family& family) {
  if (!family.help.empty()) {
    text.append("# HELP ").append(family.name).append(" ").append(family.help).append("\n");
  }
  text.append("# TYPE ").append(family.name).append(" ").append(ClassicTypeOf(family));
  text += '\n';
}

}  // namespace

void TextWriter::Begin(const Family& family) {
  family_ = &family;
  has_series_ = false;
  name_ = family.name;
  suffix_ = {};
}

void TextWriter::BeginSeries(const SeriesLabels& labels) {
  if (!has_series_) {
    has_series_ = true;
    if (is_open_) {
      const OpenShape shape = OpenShapeOf(*family_);
      AppendOpenMetadata(text_, shape, family_->help);
      name_ = shape.name;
      suffix_ = shape.suffix;
    } else {
      AppendClassicMetadata(text_, *family_);
    }
  }
  labels_ = labels.row.own();
  if (!labels.last.empty()) {
    AppendLabel(labels_, family_->labels.back(), labels.last);
  }
  if (!labels.row.more().empty()) {
    labels_.append(labels_.empty() ? "" : ",").append(labels.row.more());
  }
}

void TextWriter::AddHead(std::string_view suffix) {
  text_.append(name_).append(suffix);
  if (labels_.empty()) {
    text_ += ' ';
  } else {
    text_.append("{").append(labels_).append("} ");
  }
}

void TextWriter::AddSample(std::string_view suffix, Value value) {
  AddHead(suffix);
  AppendValue(text_, value, style_);
  text_ += '\n';
}

void TextWriter::Put(const SeriesLabels& labels, Value value) {
  BeginSeries(labels);
  AddSample(suffix_, value);
}

void TextWriter::PutCounter(const SeriesLabels& labels, Value value, std::uint64_t since_ns) {
  BeginSeries(labels);
  AddSample(suffix_, value);
  AddCreated(since_ns);
}

void TextWriter::AddCreated(std::uint64_t since_ns) {
  if (is_open_ && boot_unix_ns_) {
    AddHead("_created");
    AppendExactSeconds(text_, *boot_unix_ns_ + since_ns);
    text_ += '\n';
  }
}

/// Texts of bounds are labels: the same in both formats, or Prometheus would see another series.
void TextWriter::PrepareBounds(std::span<const std::uint64_t> bounds_ns) {
  if (!bound_texts_.empty() &&
      std::equal(bounds_ns.begin(), bounds_ns.end(), bounds_ns_.begin(), bounds_ns_.end())) {
    return;
  }
  bounds_ns_.assign(bounds_ns.begin(), bounds_ns.end());
  bound_texts_.clear();
  for (const std::uint64_t bound_ns : bounds_ns) {
    std::string& text = bound_texts_.emplace_back("le=\"");
    AppendValue(text, Seconds(bound_ns), NumberStyle::kClassic);
    text += "\"} ";
  }
  bound_texts_.emplace_back("le=\"+Inf\"} ");
}

void TextWriter::AddBuckets(const HistogramValue& value) {
  PrepareBounds(value.bounds_ns);
  bucket_.assign(name_).append("_bucket{").append(labels_).append(labels_.empty() ? "" : ",");
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < value.buckets.size(); ++i) {
    count += value.buckets[i];
    text_.append(bucket_).append(bound_texts_[i]);
    AppendCount(count);
    text_ += '\n';
  }
}

/// The classic format has integers here, the other one numbers.
void TextWriter::AppendCount(std::uint64_t count) {
  if (is_open_) {
    AppendValue(text_, Count(count), style_);
  } else {
    AppendInteger(text_, count);
  }
}

void TextWriter::AddCountAndSum(std::uint64_t count, std::uint64_t sum_ns) {
  AddHead("_count");
  AppendCount(count);
  text_ += '\n';
  AddSample("_sum", Seconds(sum_ns));
}

/// The order of lines is that of each format's model.
void TextWriter::PutHistogram(const SeriesLabels& labels, const HistogramValue& value,
                              std::uint64_t since_ns) {
  BeginSeries(labels);
  const std::uint64_t count =
      std::accumulate(value.buckets.begin(), value.buckets.end(), std::uint64_t{0});
  if (is_open_) {
    AddBuckets(value);
    AddCountAndSum(count, value.sum_ns);
    AddCreated(since_ns);
  } else {
    AddCountAndSum(count, value.sum_ns);
    AddBuckets(value);
  }
}

void TextWriter::Finish() {
  if (is_open_) {
    text_ += "# EOF\n";
  }
}

}  // namespace sched_exporter
