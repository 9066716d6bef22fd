#include "exporter/live/live_ring.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <numeric>
#include <utility>
#include <vector>

#include "exporter/base/text.h"

namespace sched_exporter {
namespace {

/// What a member did in a step.
struct Moved {
  std::string key;
  Counted added;
  const ProcessRow* process = nullptr;  ///< Or the next.
  const NamedRow* named = nullptr;
  std::shared_ptr<const LiveDistributions> distributions{};  ///< Of cgroups.
};

float PerSecond(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<float>(static_cast<double>(count) / seconds) : 0;
}

LiveRates RatesOf(const Counted& added, std::uint64_t window_ns) {
  const auto window = static_cast<double>(window_ns);
  return {PerSecond(added.cpu_ns, window), PerSecond(added.wait_ns, window),
          PerSecond(added.starts, window / kSecondNs),
          PerSecond(added.switches, window / kSecondNs)};
}

/// No longer than what std::string holds without an allocation.
std::string KeyOf(const ProcessRow& row) {
  const std::uint64_t start_ns = row.population.oldest_start_ns;
  std::array<char, sizeof(row.pid) + sizeof(start_ns)> key{};
  std::memcpy(key.data(), &row.pid, sizeof(row.pid));
  std::memcpy(key.data() + sizeof(row.pid), &start_ns, sizeof(start_ns));
  return {key.data(), key.size()};
}

/// Names and labels are printable and hold no NUL.
std::string GroupKeyOf(const NamedRow& row) {
  std::string key = row.name;
  for (const auto& [label, value] : row.labels) {
    key.append(1, '\0').append(label).append(1, '\0').append(value);
  }
  return key;
}

/// What the process itself counted: a pid that was used again goes on in the series from its last
/// owner's end.
Counted OwnOf(const ProcessRow& row) {
  Counted own = CountedOf(row.totals);
  const Counted inherited = CountedOf(row.inherited);
  own.cpu_ns -= inherited.cpu_ns;
  own.wait_ns -= inherited.wait_ns;
  own.switches -= inherited.switches;
  own.timeslices -= inherited.timeslices;
  return own;
}

LiveRow RowOf(const Moved& moved, std::uint64_t window_ns) {
  LiveRow row;
  row.rates = RatesOf(moved.added, window_ns);
  if (moved.named != nullptr) {
    const NamedRow& named = *moved.named;
    row.name = named.name;
    row.labels = named.labels;
    row.threads = named.population.threads;
    row.processes = named.population.processes;
    row.cpu_ns = CountedOf(named.totals).cpu_ns;
    row.distributions = moved.distributions;
    return row;
  }
  const ProcessRow& process = *moved.process;
  row.name = process.comm;
  row.threads = process.population.threads;
  row.processes = 1;
  row.cpu_ns = OwnOf(process).cpu_ns;
  row.process = std::make_unique<const LiveProcess>(
      LiveProcess{process.pid, process.population.oldest_start_ns, process.group, process.cgroup,
                  process.exe, process.user});
  return row;
}

using Measure = std::uint64_t (*)(const Moved&);

std::uint64_t ThreadsOf(const Moved& moved) {
  return moved.named != nullptr ? moved.named->population.threads
                                : moved.process->population.threads;
}

constexpr std::array<Measure, 3> kHistoryMeasures{[](const Moved& m) { return m.added.cpu_ns; },
                                                  [](const Moved& m) { return m.added.wait_ns; },
                                                  [](const Moved& m) { return m.added.starts; }};
constexpr std::array<Measure, 5> kRowMeasures{
    kHistoryMeasures[0], kHistoryMeasures[1], kHistoryMeasures[2],
    [](const Moved& m) { return m.added.switches; }, ThreadsOf};

/// The indices of the first `count` by each of the measures, where they have any of it; of all
/// where there are no more than `most`.
template <std::size_t N>
std::vector<std::size_t> TopOf(const std::vector<Moved>& moved,
                               const std::array<Measure, N>& measures, std::size_t count,
                               std::size_t most) {
  std::vector<std::size_t> all(moved.size());
  std::iota(all.begin(), all.end(), 0);
  if (all.size() <= most) {
    return all;
  }
  std::vector<std::size_t> top;
  const auto last = all.begin() + static_cast<std::ptrdiff_t>(count);
  for (const Measure measure : measures) {
    std::nth_element(all.begin(), last, all.end(), [&](std::size_t a, std::size_t b) {
      const std::uint64_t x = measure(moved[a]);
      const std::uint64_t y = measure(moved[b]);
      return x != y ? x > y : a < b;
    });
    std::copy_if(all.begin(), last, std::back_inserter(top),
                 [&](std::size_t i) { return measure(moved[i]) > 0; });
  }
  std::sort(top.begin(), top.end());
  top.erase(std::unique(top.begin(), top.end()), top.end());
  return top;
}

}  // namespace

struct LiveRing::Step {
  std::uint64_t window_ns = 0;
  bool has_rates = false;  ///< False: only totals are noted.
  std::array<std::vector<Moved>, kLiveViews> moved;
  std::array<std::optional<LiveOther>, kLiveViews> others;
  Counted other_processes;
  Durations waits;  ///< Run-queue latency of all cgroups.
  LivePoint point;
};

void LiveRing::TakeMembers(const Report& report, Step& step) {
  const auto note = [&](LiveViewKind view, Moved moved, const Counted& counted, bool resumed) {
    if (const auto added = book(view).Next(moved.key, counted, resumed)) {
      moved.added = *added;
      step.moved[static_cast<std::size_t>(view)].push_back(std::move(moved));
    }
  };
  for (const ProcessRow& row : report.processes) {
    note(LiveViewKind::kProcess, {KeyOf(row), {}, &row, nullptr}, OwnOf(row), row.resumed);
  }
  for (const NamedRow& row : report.groups) {
    note(LiveViewKind::kGroup, {GroupKeyOf(row), {}, nullptr, &row},
         CountedOf(row.totals, row.lifecycle), row.resumed);
  }
}

/// Their labels are looked up and may change: the path alone names them.
void LiveRing::TakeCgroups(const Report& report, Step& step) {
  for (const NamedRow& row : report.cgroups) {
    const auto added = book(LiveViewKind::kCgroup)
                           .Next(row.name, CountedOf(row.totals, row.lifecycle), row.resumed);
    const Distributions slices = distributions_.Next(row.name, row.distributions);
    if (!added) {
      continue;
    }
    Moved moved{row.name, *added, nullptr, &row};
    if (slices.timeslice.Count() != 0) {
      moved.distributions = std::make_shared<const LiveDistributions>(LiveDistributionsOf(slices));
      step.waits += slices.runqueue_latency;
    }
    step.moved[static_cast<std::size_t>(LiveViewKind::kCgroup)].push_back(std::move(moved));
  }
  const Distributions& other = report.other_cgroups.distributions;
  step.waits += AddedSince(std::exchange(other_distributions_, other), other).runqueue_latency;
}

void LiveRing::TakeOthers(const Report& report, Step& step) {
  const std::array<const OtherRow*, kLiveViews> rows{&report.other_processes, &report.other_groups,
                                                     &report.other_cgroups};
  for (std::size_t view = 0; view < kLiveViews; ++view) {
    const OtherRow& row = *rows[view];
    const Counted counted = CountedOf(row.totals, row.lifecycle);
    const Counted added = AddedSince(std::exchange(others_[view], counted), counted);
    if (row.present) {
      step.others[view] = LiveOther{row.folded, RatesOf(added, step.window_ns),
                                    row.population.threads, row.population.processes};
    }
    if (view == static_cast<std::size_t>(LiveViewKind::kProcess)) {
      step.other_processes = added;
    } else if (view == static_cast<std::size_t>(LiveViewKind::kGroup)) {
      step.point.host.rates = RatesOf(added, step.window_ns);
    }
  }
}

void LiveRing::TakeHost(const Report& report, Step& step) {
  std::uint64_t busy_ns = 0;
  for (const CpuRow& cpu : report.cpus) {
    busy_ns += cpu.busy_ns;
  }
  Counted sum;
  for (const Moved& group : step.moved[static_cast<std::size_t>(LiveViewKind::kGroup)]) {
    sum += group.added;
  }
  const LiveRates groups = RatesOf(sum, step.window_ns);
  LiveHost& host = step.point.host;  // so far what is in no group's series
  host.rates.wait += groups.wait;
  host.rates.starts += groups.starts;
  host.rates.switches += groups.switches;
  const auto window = static_cast<double>(step.window_ns);
  host.rates.cpu = PerSecond(busy_ns - std::min(busy_ns, busy_ns_), window);
  host.unattributed = PerSecond(
      report.unattributed_ns - std::min(report.unattributed_ns, unattributed_ns_), window);
  busy_ns_ = busy_ns;
  unattributed_ns_ = report.unattributed_ns;
}

/// Some timeslice always ends in a step where the kernel side tells them one by one.
void LiveRing::TakeLatency(Step& step) {
  LivePoint& point = step.point;
  point.is_latency_exact = step.waits.Count() != 0;
  if (point.is_latency_exact) {
    point.latency = step.waits.buckets;
    return;
  }
  const Counted& other = step.other_processes;
  AddMeanWait(other.wait_ns, other.timeslices, point.latency);
  for (const Moved& process : step.moved[static_cast<std::size_t>(LiveViewKind::kProcess)]) {
    AddMeanWait(process.added.wait_ns, process.added.timeslices, point.latency);
  }
}

LiveTable LiveRing::MakeTable(LiveViewKind view, Step& step) {
  const auto index = static_cast<std::size_t>(view);
  const std::vector<Moved>& moved = step.moved[index];
  MemberBook& members = book(view);
  std::vector<std::string> wanted;
  for (const std::size_t i : TopOf(moved, kHistoryMeasures, kTop, kMostTracked)) {
    wanted.push_back(moved[i].key);
  }
  members.Want(wanted);
  LiveTable table;
  table.total = moved.size();
  table.other = step.others[index];
  for (const std::size_t i :
       TopOf(moved, kRowMeasures, kMostRows / kRowMeasures.size(), kMostRows)) {
    table.rows.push_back(RowOf(moved[i], step.window_ns));
    table.rows.back().track = members.TrackOf(moved[i].key);
  }
  std::vector<LivePoint::Tracked>& tracked = step.point.tracked[index];
  for (const Moved& member : moved) {
    if (const std::uint32_t track = members.TrackOf(member.key); track != 0) {
      const LiveRates rates = RatesOf(member.added, step.window_ns);
      tracked.push_back({track, rates.cpu, rates.wait, rates.starts});
    }
  }
  std::sort(tracked.begin(), tracked.end(),
            [](const auto& a, const auto& b) { return a.track < b.track; });
  return table;
}

std::shared_ptr<LiveView> LiveRing::MakeView(const LiveMoment& moment) const {
  auto view = std::make_shared<LiveView>();
  view->host_name = PrintableText(moment.host_name);
  view->boot_unix_ns = moment.boot_unix_ns;
  view->step_ns = step_ns_;
  view->cpus = moment.cpus;
  view->has_waits = moment.has_waits;
  return view;
}

std::shared_ptr<const LiveView> LiveRing::Empty(const LiveMoment& moment) const {
  return MakeView(moment);
}

std::shared_ptr<const LiveView> LiveRing::Take(const Report& report, const LiveMoment& moment) {
  Step step;
  step.has_rates = last_ns_ != 0 && moment.boottime_ns > last_ns_;
  step.window_ns = step.has_rates ? moment.boottime_ns - last_ns_ : 0;
  last_ns_ = moment.boottime_ns;
  TakeMembers(report, step);
  TakeCgroups(report, step);
  TakeOthers(report, step);
  TakeHost(report, step);
  TakeLatency(step);
  const std::shared_ptr<LiveView> view = MakeView(moment);
  view->tasks = report.tasks;
  view->window_ns = step.window_ns;
  if (step.has_rates) {
    for (std::size_t i = 0; i < kLiveViews; ++i) {
      view->tables[i] = MakeTable(static_cast<LiveViewKind>(i), step);
    }
    step.point.boottime_ns = moment.boottime_ns;
    points_.push_back(std::make_shared<const LivePoint>(std::move(step.point)));
    if (points_.size() > kPoints) {
      points_.pop_front();
    }
  }
  view->points.assign(points_.begin(), points_.end());
  for (MemberBook& members : books_) {
    members.EndStep();
  }
  distributions_.EndStep();
  return view;
}

}  // namespace sched_exporter
