#include "exporter/live/top_json.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "exporter/live/json_text.h"

namespace sched_exporter {
namespace {

/// The quantiles that are told of distributions.
constexpr std::array<std::pair<const char*, double>, 2> kQuantiles{{{"p50", 0.5}, {"p99", 0.99}}};

double Seconds(std::uint64_t ns) { return static_cast<double>(ns) / kSecondNs; }

const char* NameOf(LiveViewKind view) {
  switch (view) {
    case LiveViewKind::kProcess:
      return "process";
    case LiveViewKind::kGroup:
      return "group";
    case LiveViewKind::kCgroup:
      break;
  }
  return "cgroup";
}

/// The bucket of the 99th percentile; those in which nothing ended come last.
double LatencyRank(const LiveRow& row) {
  if (row.distributions == nullptr) {
    return -1;
  }
  const LiveDurations& waits = row.distributions->runqueue_latency;
  return static_cast<double>(QuantileBucket(waits, 0.99).value_or(0));
}

double Rank(const LiveRow& row, TopSort sort) {
  switch (sort) {
    case TopSort::kCpu:
      return row.rates.cpu;
    case TopSort::kWait:
      return row.rates.wait;
    case TopSort::kStarts:
      return row.rates.starts;
    case TopSort::kSwitches:
      return row.rates.switches;
    case TopSort::kThreads:
      return row.threads;
    case TopSort::kLatency:
      return LatencyRank(row);
    case TopSort::kName:
      break;
  }
  return 0;
}

bool ComesBefore(const LiveRow& a, const LiveRow& b, TopSort sort) {
  const double x = Rank(a, sort);
  const double y = Rank(b, sort);
  if (x != y) {
    return x > y;
  }
  if (a.name != b.name || a.process == nullptr || b.process == nullptr) {
    return a.name != b.name ? a.name < b.name : a.labels < b.labels;
  }
  return a.process->pid < b.process->pid;
}

/// Rows that the query wants, and how many there would be without its count.
struct Chosen {
  std::vector<const LiveRow*> rows;
  std::size_t total = 0;
};

Chosen Choose(const LiveTable& table, const TopQuery& query) {
  Chosen chosen;
  for (const LiveRow& row : table.rows) {
    if (query.group.empty() || row.process->group == query.group) {
      chosen.rows.push_back(&row);
    }
  }
  chosen.total = query.group.empty() ? table.total : chosen.rows.size();
  const std::size_t count = std::min(query.count, chosen.rows.size());
  std::partial_sort(chosen.rows.begin(), chosen.rows.begin() + static_cast<std::ptrdiff_t>(count),
                    chosen.rows.end(), [&query](const LiveRow* a, const LiveRow* b) {
                      return ComesBefore(*a, *b, query.sort);
                    });
  chosen.rows.resize(count);
  return chosen;
}

/// A number for each point; null where the point has none.
template <typename ValueOf>
void AddSeries(JsonText& json, const char* key, const LiveView& view, const ValueOf& value_of) {
  json.Key(key).BeginArray();
  for (const auto& point : view.points) {
    value_of(*point);
  }
  json.EndArray();
}

/// A rate of waits in this view; null where waits are unknown.
void AddWait(JsonText& json, const LiveView& view, float rate) {
  if (view.has_waits) {
    json.Number(rate);
  } else {
    json.Null();
  }
}

void AddHostHistory(JsonText& json, const LiveView& view) {
  json.Key("history").BeginObject();
  AddSeries(json, "time", view, [&](const LivePoint& point) {
    json.Number(Seconds(view.boot_unix_ns + point.boottime_ns));
  });
  AddSeries(json, "cpu", view, [&](const LivePoint& p) { json.Number(p.host.rates.cpu); });
  AddSeries(json, "wait", view,
            [&](const LivePoint& p) { AddWait(json, view, p.host.rates.wait); });
  AddSeries(json, "starts", view, [&](const LivePoint& p) { json.Number(p.host.rates.starts); });
  json.EndObject();
}

void AddHost(JsonText& json, const LiveView& view, bool history) {
  json.Key("host").BeginObject();
  json.Key("name").Text(view.host_name);
  if (view.window_ns > 0) {
    const LiveHost& host = view.points.back()->host;
    json.Key("cpu").Number(host.rates.cpu);
    AddWait(json.Key("wait"), view, host.rates.wait);
    json.Key("starts").Number(host.rates.starts);
    json.Key("switches").Number(host.rates.switches);
    json.Key("unattributed").Number(host.unattributed);
  } else {
    for (const char* key : {"cpu", "wait", "starts", "switches", "unattributed"}) {
      json.Key(key).Null();
    }
  }
  json.Key("tasks").Integer(view.tasks);
  if (history) {
    AddHostHistory(json, view);
  }
  json.EndObject();
}

void AddLatency(JsonText& json, const LiveView& view) {
  json.Key("latency");
  if (!view.has_waits) {
    json.Null();
    return;
  }
  json.BeginObject();
  json.Key("bounds_seconds").BeginArray();
  for (std::size_t bucket = 0; bucket < kLatencyBounds; ++bucket) {
    json.Number(Seconds(LatencyBoundNs(bucket)));
  }
  json.EndArray();
  json.Key("columns").BeginArray();
  for (const auto& point : view.points) {
    json.BeginArray();
    for (const std::uint64_t timeslices : point->latency) {
      json.Integer(timeslices);
    }
    json.EndArray();
  }
  json.EndArray();
  json.Key("exact").Raw(!view.points.empty() && view.points.back()->is_latency_exact ? "true"
                                                                                     : "false");
  json.EndObject();
}

/// Bounds of quantiles: at most so long. Null is what is longer than all bounds.
void AddDurations(JsonText& json, const char* key, const LiveDurations* durations, bool buckets) {
  json.Key(key);
  if (durations == nullptr) {
    json.Null();
    return;
  }
  json.BeginObject();
  for (const auto& [name, share] : kQuantiles) {
    const std::size_t bucket = QuantileBucket(*durations, share).value_or(kDurationBounds);
    json.Key(name);
    if (bucket < kDurationBounds) {
      json.Number(Seconds(Durations::BoundNs(bucket)));
    } else {
      json.Null();
    }
  }
  if (buckets) {
    json.Key("buckets").BeginArray();
    for (const std::uint32_t count : *durations) {
      json.Integer(count);
    }
    json.EndArray();
  }
  json.EndObject();
}

void AddDistributions(JsonText& json, const LiveRow& row, bool buckets) {
  const LiveDistributions* const both = row.distributions.get();
  AddDurations(json, "runqueue_latency", both == nullptr ? nullptr : &both->runqueue_latency,
               buckets);
  AddDurations(json, "timeslice", both == nullptr ? nullptr : &both->timeslice, buckets);
}

const LivePoint::Tracked* Find(const LivePoint& point, LiveViewKind view, std::uint32_t track) {
  const auto& tracked = point.tracked[static_cast<std::size_t>(view)];
  const auto found = std::lower_bound(
      tracked.begin(), tracked.end(), track,
      [](const LivePoint::Tracked& entry, std::uint32_t number) { return entry.track < number; });
  return found != tracked.end() && found->track == track ? &*found : nullptr;
}

void AddRowHistory(JsonText& json, const LiveView& view, const TopQuery& query,
                   const LiveRow& row) {
  const auto add = [&](const char* key, float LivePoint::Tracked::*rate, bool is_known = true) {
    AddSeries(json, key, view, [&](const LivePoint& point) {
      const auto* const tracked = Find(point, query.view, row.track);
      if (tracked != nullptr && is_known) {
        json.Number(tracked->*rate);
      } else {
        json.Null();
      }
    });
  };
  json.Key("history").BeginObject();
  add("cpu", &LivePoint::Tracked::cpu);
  add("wait", &LivePoint::Tracked::wait, view.has_waits);
  if (row.process == nullptr) {
    add("starts", &LivePoint::Tracked::starts);
  }
  json.EndObject();
}

void AddRates(JsonText& json, const LiveView& view, const LiveRates& rates, bool starts) {
  json.Key("cpu").Number(rates.cpu);
  AddWait(json.Key("wait"), view, rates.wait);
  if (starts) {
    json.Key("starts").Number(rates.starts);
  }
  json.Key("switches").Number(rates.switches);
}

void AddProcess(JsonText& json, const LiveProcess& process, std::uint64_t boot_unix_ns) {
  json.Key("pid").Integer(process.pid);
  json.Key("group").Text(process.group);
  json.Key("cgroup").Text(process.cgroup);
  json.Key("user").Text(process.user);
  json.Key("exe").Text(process.exe);
  json.Key("start_time").Number(Seconds(boot_unix_ns + process.start_ns));
}

void AddRow(JsonText& json, const LiveView& view, const TopQuery& query, const LiveRow& row) {
  json.BeginObject();
  json.Key("name").Text(row.name);
  if (row.process != nullptr) {
    AddProcess(json, *row.process, view.boot_unix_ns);
  }
  json.Key("labels").BeginObject();
  for (const auto& [label, value] : row.labels) {
    json.Key(label).Text(value);
  }
  json.EndObject();
  AddRates(json, view, row.rates, row.process == nullptr);
  json.Key("threads").Integer(row.threads);
  json.Key("processes").Integer(row.processes);
  json.Key("cpu_seconds").Number(Seconds(row.cpu_ns));
  if (query.view == LiveViewKind::kCgroup) {
    AddDistributions(json, row, query.history);
  }
  if (query.history) {
    AddRowHistory(json, view, query, row);
  }
  json.EndObject();
}

void AddOther(JsonText& json, const LiveView& view, LiveViewKind kind) {
  const LiveTable& table = view.table(kind);
  json.Key("other");
  if (!table.other) {
    json.Null();
    return;
  }
  json.BeginObject();
  json.Key("folded").Integer(table.other->folded);
  AddRates(json, view, table.other->rates, kind != LiveViewKind::kProcess);
  json.Key("threads").Integer(table.other->threads);
  json.Key("processes").Integer(table.other->processes);
  json.EndObject();
}

}  // namespace

std::string TopJson(const LiveView& view, const TopQuery& query) {
  const Chosen chosen = Choose(view.table(query.view), query);
  JsonText json;
  json.BeginObject();
  if (view.window_ns > 0) {
    json.Key("time").Number(Seconds(view.boot_unix_ns + view.points.back()->boottime_ns));
    json.Key("step_seconds").Number(Seconds(view.step_ns));
    json.Key("window_seconds").Number(Seconds(view.window_ns));
  } else {
    json.Key("time").Null();
    json.Key("step_seconds").Number(Seconds(view.step_ns));
    json.Key("window_seconds").Null();
  }
  json.Key("cpus").Integer(view.cpus);
  AddHost(json, view, query.history);
  if (query.history) {
    AddLatency(json, view);
  }
  json.Key("view").Text(NameOf(query.view));
  json.Key("total").Integer(chosen.total);
  json.Key("rows").BeginArray();
  for (const LiveRow* const row : chosen.rows) {
    AddRow(json, view, query, *row);
  }
  json.EndArray();
  AddOther(json, view, query.view);
  json.EndObject();
  return json.Take() + "\n";
}

std::string ErrorJson(const std::string& line) {
  JsonText json;
  json.BeginObject().Key("error").Text(line).EndObject();
  return json.Take() + "\n";
}

}  // namespace sched_exporter
