#include "exporter/metrics/offered.h"

namespace sched_exporter {

std::set<const Family*> NotInPortableMode(const Families& families) {
  std::set<const Family*> omitted{&families.exec_failures, &families.missed_switches,
                                  &families.torn_entries, &families.incomplete_walks};
  for (const ViewFamilies* view :
       {&families.process, &families.group, &families.cgroup, &families.removed_cgroup}) {
    omitted.insert({&view->wait, &view->migrations});
  }
  for (const LifecycleFamilies* view : {&families.group_lifecycle, &families.cgroup_lifecycle,
                                        &families.removed_cgroup_lifecycle}) {
    omitted.insert({&view->exec_failures, &view->oom_kills});
  }
  for (const DistributionFamilies* view :
       {&families.cgroup_distributions, &families.removed_cgroup_distributions}) {
    omitted.insert({&view->runqueue_latency, &view->timeslice});
  }
  return omitted;
}

}  // namespace sched_exporter
