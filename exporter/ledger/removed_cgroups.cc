#include "exporter/ledger/removed_cgroups.h"

#include <utility>

namespace sched_exporter {
namespace {

/// "/" for what is right below the root, and for what is no path.
std::string ParentOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

std::string LivingParentOf(const std::string& path, const RemovedCgroups::Lives& lives) {
  std::string parent = ParentOf(path);
  while (parent != "/" && !lives(parent)) {
    parent = ParentOf(parent);
  }
  return parent;
}

}  // namespace

void RemovedCgroups::Add(std::vector<NamedRow> cgroups, const Lives& lives, std::size_t most,
                         std::size_t max_codes, std::uint64_t zero_ns) {
  for (auto entry = sums_.begin(); entry != sums_.end();) {
    if (entry->first == "/" || lives(entry->first)) {
      ++entry;
      continue;
    }
    codes_.Release(entry->second.lifecycle);
    cgroups.push_back(std::move(entry->second));
    entry = sums_.erase(entry);
  }
  for (const NamedRow& cgroup : cgroups) {
    std::string parent = LivingParentOf(cgroup.name, lives);
    if (sums_.size() >= most && !sums_.contains(parent)) {
      parent = "/";
    }
    const auto [entry, added] = sums_.try_emplace(parent);
    NamedRow& sum = entry->second;
    if (added) {
      sum.name = parent;
      sum.since_ns = zero_ns;
    }
    sum.totals = sum.totals + cgroup.totals;
    sum.distributions += cgroup.distributions;
    codes_.AddTo(sum.lifecycle, cgroup.lifecycle, max_codes);
  }
}

std::vector<NamedRow> RemovedCgroups::Rows() const {
  std::vector<NamedRow> rows;
  rows.reserve(sums_.size());
  for (const auto& [path, sum] : sums_) {
    rows.push_back(sum);
  }
  return rows;
}

}  // namespace sched_exporter
