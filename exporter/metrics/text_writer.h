#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/metrics/negotiation.h"
#include "exporter/metrics/number_text.h"
#include "exporter/metrics/series_sink.h"

namespace sched_exporter {

/// Writes series as text: in the classic format 0.0.4 letter by letter what
/// prometheus::TextSerializer writes, or as OpenMetrics 1.0.0. Names, labels and values of series
/// are the same in both.
class TextWriter final : public SeriesSink {
 public:
  /// Appends to `text`, which is not owned.
  TextWriter(std::string& text, TextFormat format)
      : text_(text),
        is_open_(format != TextFormat::kClassic),
        style_(is_open_ ? NumberStyle::kShortest : NumberStyle::kClassic) {}

  /// In OpenMetrics: tells since when each series counts. `boot_unix_ns` makes Unix time of
  /// CLOCK_BOOTTIME.
  void TellCreated(std::uint64_t boot_unix_ns) { boot_unix_ns_ = boot_unix_ns; }

  void Begin(const Family& family) override;
  void Put(const SeriesLabels& labels, Value value) override;
  void PutCounter(const SeriesLabels& labels, Value value, std::uint64_t since_ns) override;
  void PutHistogram(const SeriesLabels& labels, const HistogramValue& value,
                    std::uint64_t since_ns) override;

  /// Ends the text; nothing can be added after it.
  void Finish();

 private:
  void BeginSeries(const SeriesLabels& labels);
  void AddHead(std::string_view suffix);
  void AddSample(std::string_view suffix, Value value);
  void AppendCount(std::uint64_t count);
  void AddBuckets(const HistogramValue& value);
  void AddCountAndSum(std::uint64_t count, std::uint64_t sum_ns);
  void AddCreated(std::uint64_t since_ns);
  void PrepareBounds(std::span<const std::uint64_t> bounds_ns);

  std::string& text_;
  bool is_open_;
  NumberStyle style_;
  std::optional<std::uint64_t> boot_unix_ns_;
  const Family* family_ = nullptr;
  bool has_series_ = false;  ///< Of the family: its metadata is written.
  std::string_view name_;    ///< Of the family, without the suffix that its samples have.
  std::string_view suffix_;  ///< Of the samples of counters and gauges.
  std::string labels_;       ///< Of the series that is being written: `{a="b"` or empty.
  std::string bucket_;       ///< What all lines of its buckets begin with.
  std::vector<std::uint64_t> bounds_ns_;  ///< Those that `bound_texts_` are of.
  std::vector<std::string> bound_texts_;  ///< `le="0.001"} `, and the last one of +Inf.
};

}  // namespace sched_exporter
