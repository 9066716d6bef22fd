#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>
#include <string>

#include "exporter/metrics/exposition.h"

namespace sched_exporter::test_support {

/// `text` is that of tests/golden/`name`; what there is instead is left beside the tests.
inline void ExpectGolden(const std::string& text, const std::string& name) {
  const std::string golden = SOURCE_DIR "/tests/golden/" + name;
  const std::string actual = BINARY_DIR "/tests/" + name;
  std::ofstream(actual) << text;
  std::ostringstream expected;
  expected << std::ifstream(golden).rdbuf();
  EXPECT_TRUE(text == expected.str()) << "diff " << golden << " " << actual;
}

/// With all that a process can have.
inline ProcessRow MakeProcess(std::uint32_t pid, const std::string& comm) {
  ProcessRow row;
  row.pid = pid;
  row.ppid = 1;
  row.comm = comm;
  row.group = comm;
  row.cgroup = "/system.slice/" + comm + ".service";
  row.cgroup_labels = {{"unit", comm + ".service"}};
  row.exe = "/usr/bin/" + comm;
  row.user = "www-data";
  row.population = {3, 1, 5'000'000'000};
  row.totals = {1'500'000'000, 250'000'000, 7'000'000, 11, 6, 4, 2};
  row.since_ns = 5'100'000'000;
  return row;
}

/// Four exits, two of them by a signal, and all else that can happen.
inline Lifecycle MakeLifecycle() {
  Lifecycle lifecycle;
  lifecycle.execs = 21;
  lifecycle.forks = 22;
  lifecycle.thread_starts = 23;
  lifecycle.oom_kills = 1;
  lifecycle.exits = {{0, 1}, {255, 1}, {kSignalBase + SIGKILL, 2}};
  lifecycle.exec_failures = {{ENOENT, 5}, {EACCES, 6}};
  lifecycle.lifetimes.Add(5'000'000);
  lifecycle.lifetimes.Add(5'000'001);
  lifecycle.lifetimes.Add(30'000'000'000);
  lifecycle.lifetimes.Add(90'000'000'000'000);
  return lifecycle;
}

/// Every number differs.
inline ExporterStats MakeStats() {
  ExporterStats stats;
  stats.version = "1.2.3";
  stats.since_ns = 4'400'000'000;
  stats.collect_ns = 4'000'000;
  stats.collections = 12;
  stats.maps = {{"tasks", 321, 16'384, 4},
                {"events", 1'680, 4'194'304, 6},
                {"sums", 8, 1'024, 1},
                {"counts", 9, 2'048, 2},
                {"cgroup_paths", 10, 512, 3}};
  stats.lost_events = {
      {"finished", 1}, {"moved", 2}, {"lifecycle", 5}, {"cgroup_paths", 3}, {"stream", 4}};
  stats.event_lines = 77;
  stats.torn_entries = 5;
  stats.incomplete_walks = 6;
  stats.rule_evaluations = 70;
  stats.keeps_totals = true;
  stats.kept_bytes = 4'096;
  stats.keep_ns = 2'500'000;
  stats.keep_errors = 3;
  stats.reload_unix_ns = 1'700'000'000'500'000'000;
  stats.programs = {{"on_switch", 1'000'000, 250'000'000, 7}};
  stats.self = {120'000'000, 50'000'000, 8'000'000, 17, 1024, 9'000'000'000};
  return stats;
}

/// Three timeslices: of 1 us, of a little more, and of a minute; a wait of nothing before each.
inline Distributions MakeDistributions() {
  Distributions distributions;
  distributions.runqueue_latency.buckets.front() = 3;
  distributions.timeslice.buckets[0] = 1;
  distributions.timeslice.buckets[1] = 1;
  distributions.timeslice.buckets.back() = 1;
  distributions.timeslice.sum_ns = 60'000'002'500;
  return distributions;
}

/// A host with one process, its group and cgroup, and one row of all the rest in each view.
inline Sample MakeSample() {
  Sample sample;
  sample.boot_unix_ns = 1'700'000'000'000'000'000;
  sample.report.processes = {MakeProcess(42, "nginx")};
  const ProcessRow& process = sample.report.processes[0];
  sample.report.groups = {{"nginx",
                           {{"team", "web"}},
                           process.population,
                           process.totals,
                           MakeLifecycle(),
                           {},
                           5'200'000'000}};
  sample.report.cgroups = {{process.cgroup, process.cgroup_labels, process.population,
                            process.totals, MakeLifecycle(), MakeDistributions(), 5'300'000'000}};
  sample.report.removed_cgroups = {{"/system.slice",
                                    {},
                                    {},
                                    process.totals,
                                    MakeLifecycle(),
                                    MakeDistributions(),
                                    5'400'000'000}};
  OtherRow other;
  other.present = true;
  other.folded = 9;
  other.population = {20, 10, 1'000'000'000};
  other.totals = {60'000'000'000, 30'000'000'000, 1'000'000'000, 500, 300, 200, 100};
  other.since_ns = 4'500'000'000;
  other.lifecycle.forks = 7;
  other.lifecycle.exits = {{1, 1}};
  other.lifecycle.lifetimes.Add(1);
  sample.report.exec_failures = {{ENOENT, 15}, {ENOEXEC, 1}};
  sample.report.other_processes = sample.report.other_groups = sample.report.other_cgroups = other;
  sample.report.cpus = {{0, 3'000'000'000, 1}, {1, 1, 0}};
  sample.report.unattributed_ns = 1'000'000;
  sample.report.tasks = 23;
  sample.report.since_ns = 4'500'000'001;
  sample.stats = MakeStats();
  return sample;
}

/// A group or cgroup that did nothing.
inline NamedRow Named(const std::string& name) {
  NamedRow row;
  row.name = name;
  return row;
}

/// Names with all that a label must escape.
inline Sample MakeHostileSample() {
  Sample sample;
  sample.boot_unix_ns = 1;
  // Printable, as the ledger hands names on: no line ends, but quotes and backslashes.
  ProcessRow row = MakeProcess(7, "a\"b\\\\c{d=\"e\"} 1");
  row.exe = "/tmp/\\x0a\xe2\x82\xac\"";
  row.user = "";
  sample.report.processes = {row};
  sample.report.groups = {{row.group, {}, {}, {}, MakeLifecycle()}, Named("(other)"), Named("")};
  sample.report.cgroups = {Named("/"), Named("/a b,c")};
  sample.report.other_groups.present = true;
  sample.stats.version = "\"\\";
  return sample;
}

}  // namespace sched_exporter::test_support
