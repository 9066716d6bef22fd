#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "exporter/app/cgroup_names.h"
#include "exporter/app/rule_matcher.h"
#include "exporter/base/plain.h"
#include "exporter/config/config.h"
#include "exporter/identity/group_book.h"
#include "exporter/identity/host_paths.h"
#include "exporter/model/naming.h"

namespace sched_exporter {

/// Names groups and cgroups of this host, as the config says.
class HostNaming : public Naming {
 public:
  /// `pods` is not owned, outlives this, and may be null.
  HostNaming(const HostPaths& paths, const std::string& cgroup_mount, PodWatcher* pods,
             const Config& config);

  GroupPtr GroupOf(const TaskIdentity& identity, const ProgramImagePtr& image) override;
  std::string CgroupPath(std::uint64_t cgroup_id) override;
  std::map<std::string, std::string> CgroupLabels(const std::string& path) override;
  bool CgroupLives(const std::string& path) override;
  bool HasSeries(ViewKind view, const std::string& name) override;
  void Forget(const ProcessKey& process) override;

  /// Cgroups that were made since the last call. Call it before events and sweeps are taken in.
  void NoteNew(const std::vector<NewCgroup>& made) { cgroups_.NoteNew(made); }

  /// See CgroupNames::AskForNew.
  void AskForNew(std::function<std::vector<NewCgroup>()> ask) {
    cgroups_.AskForNew(std::move(ask));
  }

  /// Sets the groups of an event, which has its image; see GroupBook.
  void Annotate(TaskEvent& event);

  /// Events were lost.
  void NoteLost();

  /// No process can hold up who asks for groups from now on. Starts a thread; call it once.
  void Start() { matcher_.Start(); }

  /// Looks again at what may have changed without an event: titles of processes, names of pods.
  /// Returns the processes that are in other groups than before.
  std::vector<ProcessKey> Refresh(std::uint64_t now_boottime_ns);

  /// What the config says of groups and series holds from now on, for living processes, too.
  void Configure(const Config& config);

  /// All that is known of processes and cgroups (base/archive.h). Load() is for one that knows
  /// nothing yet; its rules may be others, and then NameAgain() has to follow.
  void Save(SavingArchive& archive);
  void Load(LoadingArchive& archive);

  /// Asks the rules anew for all processes.
  void NameAgain();

  /// Groups that have series even if no process was ever in them.
  std::vector<GroupPtr> ConstantGroups() const;

  /// How often rules were asked for a group.
  std::uint64_t rule_evaluations() const { return matcher_.evaluations(); }

  /// What each rule says of a living process, by /proc; see GroupRules. Empty without rules.
  std::vector<std::string> ExplainRules(const TaskIdentity& identity);

  /// The group that the rules give a living process itself, whatever its ancestors; null where none
  /// matches and without rules.
  GroupPtr GroupByRules(const TaskIdentity& identity);

  /// How many rules there are.
  std::size_t rule_count() const { return matcher_.rules().size(); }

 private:
  CgroupNames cgroups_;
  RuleMatcher matcher_;
  std::unique_ptr<GroupBook> book_;  ///< Null where the config has no rules.
  NamingConfig naming_;
  FiltersConfig filters_;
  std::uint64_t generation_ = 0;  ///< Of the names of pods that rules saw.
};

}  // namespace sched_exporter
