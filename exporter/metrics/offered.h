#pragma once

#include <cstdint>
#include <set>

#include "exporter/metrics/series_sink.h"

namespace sched_exporter {

/// The families that portable mode can say nothing about: they are absent there, not 0.
std::set<const Family*> NotInPortableMode(const Families& families);

/// Hands on to another sink what is of other families than `omitted`. Neither is owned.
class OmittingSink : public SeriesSink {
 public:
  OmittingSink(SeriesSink& to, const std::set<const Family*>& omitted)
      : to_(to), omitted_(omitted) {}

  void Begin(const Family& family) override {
    is_omitted_ = omitted_.contains(&family);
    if (!is_omitted_) {
      to_.Begin(family);
    }
  }
  void Put(const SeriesLabels& labels, Value value) override {
    if (!is_omitted_) {
      to_.Put(labels, value);
    }
  }
  void PutCounter(const SeriesLabels& labels, Value value, std::uint64_t since_ns) override {
    if (!is_omitted_) {
      to_.PutCounter(labels, value, since_ns);
    }
  }
  void PutHistogram(const SeriesLabels& labels, const HistogramValue& value,
                    std::uint64_t since_ns) override {
    if (!is_omitted_) {
      to_.PutHistogram(labels, value, since_ns);
    }
  }

 private:
  SeriesSink& to_;
  const std::set<const Family*>& omitted_;
  bool is_omitted_ = false;
};

}  // namespace sched_exporter
