#include "exporter/app/rule_matcher.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace sched_exporter {
namespace {

/// argv of what the kernel keeps of it, as process-exporter reads it. NULs at the end are no
/// arguments: programs that write a title there fill up with them.
std::vector<std::string> Split(std::string_view arguments) {
  std::vector<std::string> split;
  if (arguments.empty()) {
    return split;
  }
  arguments = arguments.substr(0, arguments.find_last_not_of('\0') + 1);
  while (true) {
    const std::size_t end = arguments.find('\0');
    split.emplace_back(arguments.substr(0, end));
    if (end == std::string_view::npos) {
      return split;
    }
    arguments.remove_prefix(end + 1);
  }
}

/// More cgroups than a node has; all are asked for again when there are so many.
constexpr std::size_t kMostSeen = 16'384;

}  // namespace

GroupMatcher::Needs RuleMatcher::needs() const {
  const RuleNeeds& needs = rules_->needs();
  return {needs.arguments, needs.user, needs.cgroup || needs.unit || needs.pods, needs.process};
}

ProcessFacts RuleMatcher::FactsOf(const TaskIdentity& identity, const ProgramImagePtr& image,
                                  Source source) {
  const RuleNeeds& needs = rules_->needs();
  ProcessFacts facts;
  facts.comm.assign(identity.comm.begin(),
                    std::find(identity.comm.begin(), identity.comm.end(), '\0'));
  facts.pid = identity.tgid;
  if (needs.process) {
    // In the ticks of /proc, as process-exporter has it.
    constexpr std::uint64_t kTickNs = 10'000'000;
    const std::uint64_t start_ns = boot_unix_ns_ + identity.leader_start_ns;
    facts.start_unix_ns = start_ns - start_ns % kTickNs;
  }
  if (needs.arguments && !identity.kernel_thread) {
    facts.arguments = Split(ArgumentsOf(identity, image, source));
  }
  if (needs.user) {
    facts.user = users_.Of(identity.uid);
  }
  if (needs.cgroup || needs.unit || needs.pods) {
    FindCgroup(identity.cgroup_id, facts);
  }
  return facts;
}

std::string RuleMatcher::ArgumentsOf(const TaskIdentity& identity, const ProgramImagePtr& image,
                                     Source source) {
  const bool has_all = image != nullptr && !image->arguments.empty() && !image->arguments_cut;
  const bool ask_proc =
      identity.tgid != 0 && (source == Source::kLiving || (source == Source::kBoth && !has_all));
  if (ask_proc) {
    std::string living = arguments_.Read(identity.tgid);
    if (!living.empty()) {
      return living;
    }
  }
  return image == nullptr ? std::string() : image->arguments;
}

bool RuleMatcher::SeesOtherNames(std::uint64_t cgroup_id) {
  const std::string* path = cgroups_.PathOf(cgroup_id);
  if (path == nullptr) {
    return false;
  }
  CgroupLabels now = cgroups_.LabelsOf(*path);
  if (const auto seen = seen_.find(cgroup_id); seen != seen_.end() && seen->second == now) {
    return false;
  }
  if (seen_.size() >= kMostSeen) {
    seen_.clear();
  }
  seen_[cgroup_id] = std::move(now);
  return true;
}

void RuleMatcher::FindCgroup(std::uint64_t cgroup_id, ProcessFacts& facts) {
  const std::string* path = cgroups_.PathOf(cgroup_id);
  if (path == nullptr) {
    return;
  }
  facts.cgroup = *path;
  const CgroupLabels labels = cgroups_.LabelsOf(*path);
  if (rules_->needs().pods) {
    if (const auto seen = seen_.find(cgroup_id); seen != seen_.end() && seen->second != labels) {
      seen_.erase(seen);
    }
  }
  facts.unit = labels.unit;
  facts.pod_namespace = labels.pod_namespace;
  facts.pod = labels.pod;
  facts.container = labels.container;
}

}  // namespace sched_exporter
