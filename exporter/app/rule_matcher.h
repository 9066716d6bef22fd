#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "exporter/app/cgroup_names.h"
#include "exporter/base/clock.h"
#include "exporter/identity/arguments_reader.h"
#include "exporter/identity/group_book.h"
#include "exporter/identity/host_paths.h"
#include "exporter/identity/user_names.h"
#include "exporter/rules/group_rules.h"

namespace sched_exporter {

/// Finds what the rules ask of a process, and asks them.
class RuleMatcher : public GroupMatcher {
 public:
  /// `cgroups` is not owned and outlives this. `rules` is not null.
  RuleMatcher(const HostPaths& paths, CgroupNames& cgroups, std::shared_ptr<const GroupRules> rules)
      : cgroups_(cgroups),
        users_(paths.rootfs),
        arguments_(paths.procfs),
        rules_(std::move(rules)),
        boot_unix_ns_(BootUnixNs()) {}

  /// From now on no process can hold up who asks; see ArgumentsReader.
  void Start() { arguments_.Start(); }

  GroupPtr Match(const TaskIdentity& identity, const ProgramImagePtr& image,
                 Source source) override {
    ++evaluations_;
    return rules_->Match(FactsOf(identity, image, source));
  }
  Needs needs() const override;

  void set_rules(std::shared_ptr<const GroupRules> rules) { rules_ = std::move(rules); }
  const GroupRules& rules() const { return *rules_; }

  /// Whether the rules saw other names of a pod in a cgroup, for one of its processes at least,
  /// than they see now: all of them are to be matched again, then. The next call takes that as
  /// done.
  bool SeesOtherNames(std::uint64_t cgroup_id);

  /// How often the rules were asked.
  std::uint64_t evaluations() const { return evaluations_; }

  /// What the rules need to know of a process, and not more.
  ProcessFacts FactsOf(const TaskIdentity& identity, const ProgramImagePtr& image, Source source);

 private:
  std::string ArgumentsOf(const TaskIdentity& identity, const ProgramImagePtr& image,
                          Source source);
  void FindCgroup(std::uint64_t cgroup_id, ProcessFacts& facts);

  CgroupNames& cgroups_;
  UserNames users_;
  ArgumentsReader arguments_;
  std::shared_ptr<const GroupRules> rules_;
  std::uint64_t boot_unix_ns_;  ///< Read once: a name must not change with the clock.
  /// By cgroup, of pods alone: by what all of its processes are matched.
  std::unordered_map<std::uint64_t, CgroupLabels> seen_;
  std::uint64_t evaluations_ = 0;
};

}  // namespace sched_exporter
