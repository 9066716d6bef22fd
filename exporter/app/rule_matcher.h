#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "exporter/app/cgroup_names.h"
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
      : paths_(paths), cgroups_(cgroups), users_(paths.rootfs), rules_(std::move(rules)) {}

  GroupPtr Match(const TaskIdentity& identity, const ProgramImagePtr& image,
                 Source source) override {
    ++evaluations_;
    return rules_->Match(FactsOf(identity, image, source));
  }
  Needs needs() const override;

  void set_rules(std::shared_ptr<const GroupRules> rules) { rules_ = std::move(rules); }
  const GroupRules& rules() const { return *rules_; }

  /// How often the rules were asked.
  std::uint64_t evaluations() const { return evaluations_; }

  /// What the rules need to know of a process, and not more.
  ProcessFacts FactsOf(const TaskIdentity& identity, const ProgramImagePtr& image, Source source);

 private:
  std::string ArgumentsOf(const TaskIdentity& identity, const ProgramImagePtr& image,
                          Source source) const;
  void FindCgroup(std::uint64_t cgroup_id, ProcessFacts& facts);

  HostPaths paths_;
  CgroupNames& cgroups_;
  UserNames users_;
  std::shared_ptr<const GroupRules> rules_;
  std::uint64_t evaluations_ = 0;
};

}  // namespace sched_exporter
