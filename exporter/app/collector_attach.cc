// How the collector gets its programs and what comes after them.

#include <cerrno>
#include <utility>
#include <vector>

#include "exporter/app/collector.h"
#include "exporter/app/from_config.h"
#include "exporter/app/living_programs.h"

namespace sched_exporter {

Result<void> Collector::Attach(const BpfChoice& choice) {
  if (!wakeup_.valid()) {
    return Fail(WithErrno("cannot make an eventfd", errno));
  }
  if (auto opened = OpenPersistence(); !opened) {
    return opened;
  }
  if (persistence_ && choice.mode != "portable") {
    const auto wanted = FindWanted(config_, paths_);
    if (!wanted) {
      return tl::unexpected(wanted.error());
    }
    if (TakeOver(*wanted)) {
      auto swept = Sweep();
      // The config may be another one than then; what happened meanwhile has the names of then.
      naming_->NameAgain();
      ledger_->NameAgain();
      return swept;
    }
  }
  if (auto attached = AttachAnew(choice); !attached) {
    return attached;
  }
  return Sweep();
}

Result<void> Collector::AttachAnew(const BpfChoice& choice) {
  auto attached = AttachInMode(config_, paths_, choice);
  if (!attached) {
    return tl::unexpected(attached.error());
  }
  if (persistence_) {
    if (attached->programs == nullptr) {
      return Fail("persistence needs full mode, and this is portable mode; see --bpf.mode");
    }
    if (auto begun = persistence_->Begin(*attached->programs); !begun) {
      return begun;
    }
  }
  if (auto built = Build(std::move(*attached)); !built) {
    return built;
  }
  // Before the first event: children of what runs already have its group.
  if (attached_.programs != nullptr &&
      (config_.events.output != EventOutputChoice::kNone || config_.naming.rules != nullptr)) {
    NoteLivingPrograms(*attached_.programs, paths_, book_, *naming_);
  }
  return {};
}

/// What comes after the programs, as if nothing had happened yet.
Result<void> Collector::Build(Attached attached) {
  source_.reset();
  attached_ = std::move(attached);
  stats_.mode = attached_.portable != nullptr ? Mode::kPortable : Mode::kFull;
  naming_ =
      std::make_unique<HostNaming>(paths_, attached_.cgroup_mount.mount_point, &pods_, config_);
  naming_->AskForNew(
      [this] { return source_ == nullptr ? std::vector<NewCgroup>() : source_->TakeNewCgroups(); });
  book_ = ProcessBook();
  auto source = OpenSource(
      attached_, config_, paths_, [this](TaskEvent& event) { TakeEvent(event); },
      persistence_.has_value());
  if (!source) {
    return tl::unexpected(source.error());
  }
  source_ = std::move(*source);
  ledger_ = std::make_unique<Ledger>(LimitsOf(config_.limits), *naming_);
  ledger_->set_comm_is_label(labels_.Has(LabelSwitch::kProcessComm));
  ledger_->set_constant_groups(naming_->ConstantGroups());
  return {};
}

}  // namespace sched_exporter
