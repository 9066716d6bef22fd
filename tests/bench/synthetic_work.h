#pragma once

#include <memory>
#include <string>

#include "exporter/ledger/ledger.h"
#include "exporter/metrics/exposition.h"

namespace sched_exporter::test_support {

/// Always the same work for the stages that a sweep and a scrape go through: a host of 1,000
/// processes with two threads each in 100 cgroups and 100 groups.
class SyntheticHost {
 public:
  SyntheticHost();
  ~SyntheticHost();

  /// The next sweep: a quarter of the tasks have switched, some processes begin and end.
  Snapshot NextSnapshot();

  /// The ledger after some sweeps.
  Ledger& ledger() { return *ledger_; }

  /// A scrape's figures.
  std::shared_ptr<const Sample> MakeSample() const;

 private:
  class PlainNaming;

  TaskReading Reading(std::uint32_t task) const;
  TaskEvent Event(TaskEvent::Kind kind, std::uint32_t task) const;

  std::unique_ptr<PlainNaming> naming_;
  std::unique_ptr<Ledger> ledger_;
  std::uint32_t sweep_ = 0;
};

}  // namespace sched_exporter::test_support
