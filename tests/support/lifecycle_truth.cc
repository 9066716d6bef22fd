#include "tests/support/lifecycle_truth.h"

#include <cstdint>
#include <map>

namespace sched_exporter::test_support {
namespace {

/// Compares the series of one view ("group" or "cgroup"), one name at a time.
class Comparison {
 public:
  Comparison(const MetricsText& metrics, std::string view)
      : metrics_(metrics), view_(std::move(view)) {}

  void Expect(const std::string& what, Labels labels, const std::string& name,
              std::uint64_t wanted) {
    labels[view_] = name;
    const std::string family = "sched_" + view_ + "_" + what;
    const double got = metrics_.Sum(family, labels);
    if (got != static_cast<double>(wanted)) {
      std::string text = family;
      for (const auto& [label, value] : labels) {
        text.append(" ").append(label).append("=").append(value);
      }
      differences_.push_back(text + ": " + std::to_string(static_cast<std::int64_t>(got)) +
                             " instead of " + std::to_string(wanted));
    }
  }

  std::vector<std::string> differences() const { return differences_; }

 private:
  const MetricsText& metrics_;
  std::string view_;
  std::vector<std::string> differences_;
};

void ExpectByCode(Comparison& comparison, const std::string& what, const std::string& label,
                  const std::string& name, const std::map<std::string, std::uint64_t>& counts) {
  std::uint64_t sum = 0;
  for (const auto& [code, count] : counts) {
    comparison.Expect(what, {{label, code}}, name, count);
    sum += count;
  }
  // Nothing else, either.
  comparison.Expect(what, {}, name, sum);
}

}  // namespace

std::vector<std::string> CgroupDifferences(const MetricsText& metrics, const std::string& label,
                                           const std::vector<StarterReport>& reports) {
  std::uint64_t forks = 0;
  std::uint64_t threads = 0;
  std::uint64_t execs = 0;
  std::map<std::string, std::uint64_t> exits;
  std::map<std::string, std::uint64_t> failures;
  for (const StarterReport& report : reports) {
    forks += report.counts.forks;
    threads += report.counts.thread_starts;
    execs += report.counts.Execs();
    for (const auto& [key, count] : report.counts.exits) {
      exits[key.second] += count;
    }
    for (const auto& [error, count] : report.counts.exec_failures) {
      failures[error] += count;
    }
  }
  Comparison comparison(metrics, "cgroup");
  comparison.Expect("forks_total", {}, label, forks);
  comparison.Expect("thread_starts_total", {}, label, threads);
  comparison.Expect("execs_total", {}, label, execs);
  comparison.Expect("oom_kills_total", {}, label, 0);
  ExpectByCode(comparison, "exits_total", "code", label, exits);
  ExpectByCode(comparison, "exec_failures_total", "errno", label, failures);
  return comparison.differences();
}

std::vector<std::string> GroupDifferences(const MetricsText& metrics, const std::string& comm,
                                          const StarterReport& report) {
  Comparison comparison(metrics, "group");
  comparison.Expect("forks_total", {}, comm, report.counts.forks);
  comparison.Expect("thread_starts_total", {}, comm, report.counts.thread_starts);
  ExpectByCode(comparison, "exec_failures_total", "errno", comm, report.counts.exec_failures);
  for (const auto& [group, count] : report.counts.execs) {
    comparison.Expect("execs_total", {}, group, count);
  }
  std::map<std::string, std::map<std::string, std::uint64_t>> exits;
  for (const auto& [key, count] : report.counts.exits) {
    exits[key.first][key.second] += count;
  }
  for (const auto& [group, codes] : exits) {
    std::uint64_t ended = 0;
    for (const auto& [code, count] : codes) {
      ended += count;
    }
    ExpectByCode(comparison, "exits_total", "code", group, codes);
    comparison.Expect("process_lifetime_seconds_count", {}, group, ended);
    comparison.Expect("process_lifetime_seconds_bucket", {{"le", "+Inf"}}, group, ended);
  }
  return comparison.differences();
}

void ViewGrowth::Take(const MetricsText& metrics) {
  std::map<std::pair<std::string, Labels>, double> now;
  for (const Line& line : metrics.lines()) {
    now[{line.name, line.labels}] = line.value;
  }
  for (const auto& [series, value] : now) {
    const auto before = last_.find(series);
    if (begun_) {
      growth_[series.first] += value - (before == last_.end() ? 0 : before->second);
    }
  }
  last_ = std::move(now);
  begun_ = true;
}

std::vector<std::string> ViewGrowth::Differences() const {
  std::vector<std::string> differences;
  for (const char* what : {"forks_total", "thread_starts_total", "execs_total", "exits_total",
                           "exec_failures_total", "oom_kills_total"}) {
    const auto growth = [&](const std::string& view) {
      const auto found = growth_.find("sched_" + view + "_" + what);
      return found == growth_.end() ? 0 : static_cast<std::int64_t>(found->second);
    };
    if (growth("group") != growth("cgroup")) {
      differences.push_back(std::string(what) + ": groups " + std::to_string(growth("group")) +
                            ", cgroups " + std::to_string(growth("cgroup")));
    }
  }
  return differences;
}

}  // namespace sched_exporter::test_support
