#include "exporter/app/host_naming.h"

#include "exporter/base/archive.h"
#include "exporter/base/text.h"
#include "exporter/identity/groups.h"

namespace sched_exporter {
namespace {

std::shared_ptr<const GroupRules> RulesOf(const Config& config) {
  static const auto kNone = std::make_shared<const GroupRules>(std::vector<GroupRule>{});
  return config.naming.rules == nullptr ? kNone : config.naming.rules;
}

}  // namespace

HostNaming::HostNaming(const HostPaths& paths, const std::string& cgroup_mount, PodWatcher* pods,
                       const Config& config)
    : cgroups_(cgroup_mount, pods), matcher_(paths, cgroups_, RulesOf(config)) {
  Configure(config);
}

void HostNaming::Configure(const Config& config) {
  filters_ = config.filters;
  if (book_ != nullptr && config.naming == naming_) {
    return;
  }
  naming_ = config.naming;
  matcher_.set_rules(RulesOf(config));
  generation_ = cgroups_.generation();
  if (config.naming.rules == nullptr) {
    book_ = nullptr;
  } else if (book_ == nullptr) {
    book_ = std::make_unique<GroupBook>(matcher_, config.naming.children);
  } else {
    book_->MatchAgain(config.naming.children);
  }
}

void HostNaming::Save(SavingArchive& archive) {
  archive(cgroups_, book_ != nullptr);
  if (book_ != nullptr) {
    archive(*book_);
  }
}

void HostNaming::Load(LoadingArchive& archive) {
  bool has_book = false;
  archive(cgroups_, has_book);
  if (!has_book) {
    return;
  }
  GroupBook unused(matcher_, naming_.children);
  archive(book_ != nullptr ? *book_ : unused);
}

void HostNaming::NameAgain() {
  if (book_ != nullptr) {
    book_->MatchAgain(naming_.children);
  }
}

std::vector<GroupPtr> HostNaming::ConstantGroups() const {
  return matcher_.rules().constant_groups();
}

void HostNaming::Annotate(TaskEvent& event) {
  if (book_ != nullptr) {
    book_->Annotate(event);
  }
}

void HostNaming::NoteLost() {
  if (book_ != nullptr) {
    book_->NoteLost();
  }
}

std::vector<ProcessKey> HostNaming::Refresh(std::uint64_t now_boottime_ns) {
  if (book_ == nullptr) {
    return {};
  }
  std::vector<ProcessKey> moved = book_->MatchSettled(now_boottime_ns);
  const std::uint64_t generation = cgroups_.generation();
  if (matcher_.rules().needs().pods && generation != generation_) {
    generation_ = generation;
    const std::vector<ProcessKey> renamed = book_->MatchAgainIn(
        [this](std::uint64_t cgroup_id) { return matcher_.SeesOtherNames(cgroup_id); });
    moved.insert(moved.end(), renamed.begin(), renamed.end());
  }
  return moved;
}

GroupPtr HostNaming::GroupOf(const TaskIdentity& identity, const ProgramImagePtr& image) {
  return book_ == nullptr ? MakeGroup(GroupByComm(identity)) : book_->GroupOf(identity, image);
}

void HostNaming::Forget(const ProcessKey& process) {
  if (book_ != nullptr) {
    book_->Forget(process);
  }
}

std::string HostNaming::CgroupPath(std::uint64_t cgroup_id) {
  const std::string* path = cgroups_.PathOf(cgroup_id);
  return path == nullptr ? kUnknownName : PrintableText(*path);
}

bool HostNaming::CgroupLives(const std::string& path) {
  return cgroups_.HasDirectory(BytesOfPrintable(path));
}

bool HostNaming::HasSeries(ViewKind view, const std::string& name) {
  switch (view) {
    case ViewKind::kProcess:
      return filters_.processes.Lets(name);
    case ViewKind::kGroup:
      return filters_.groups.Lets(name);
    case ViewKind::kCgroup:
      break;
  }
  return filters_.cgroups.Lets(name);
}

std::vector<std::string> HostNaming::ExplainRules(const TaskIdentity& identity) {
  const ProcessFacts facts = matcher_.FactsOf(identity, nullptr, GroupMatcher::Source::kLiving);
  return matcher_.rules().Explain(facts);
}

GroupPtr HostNaming::GroupByRules(const TaskIdentity& identity) {
  return matcher_.Match(identity, nullptr, GroupMatcher::Source::kLiving);
}

std::map<std::string, std::string> HostNaming::CgroupLabels(const std::string& path) {
  return PrintableLabels(cgroups_.LabelsOf(BytesOfPrintable(path)));
}

}  // namespace sched_exporter
