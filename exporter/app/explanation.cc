#include "exporter/app/explanation.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "exporter/app/attach.h"
#include "exporter/app/explanation_text.h"
#include "exporter/app/from_config.h"
#include "exporter/app/series_of_process.h"
#include "exporter/base/clock.h"
#include "exporter/base/text.h"
#include "exporter/base/unique_fd.h"
#include "exporter/identity/cgroup_identity.h"
#include "exporter/identity/user_names.h"
#include "exporter/model/printable_comm.h"

namespace sched_exporter {
namespace {

/// A chain of more is a race with pids that are used again.
constexpr std::size_t kMostAncestors = 1'000;

/// No inode has such a number, so that none of the tree is taken for one of ours.
constexpr std::uint64_t kFirstCgroupId = std::uint64_t{1} << 62U;
constexpr std::uint64_t kUnknownCgroupId = 0;

std::string Named(const TaskIdentity& process) {
  return std::to_string(process.tgid) + " (" + InQuotes(PrintableComm(process.comm)) + ")";
}

std::string SourcesText(const KubernetesConfig& kubernetes) {
  std::string text;
  const auto add = [&text](const char* key, const std::string& value) {
    if (!value.empty()) {
      text += (text.empty() ? "" : ", ") + std::string(key) + " " + PrintableText(value);
    }
  };
  add("log_directory", kubernetes.log_directory);
  add("pod_list_file", kubernetes.pod_list_file);
  add("pod_list_url", kubernetes.pod_list_url);
  return text;
}

std::string OwnSeries(bool lets, const NameFilter& filter, const std::string& name,
                      const std::string& key) {
  return lets ? "series of its own" : "in \"other\": " + ReasonOf(filter, name, key);
}

}  // namespace

Explanation::Explanation(const Config& config, const HostPaths& paths, const CgroupMount& mount)
    : config_(config),
      paths_(paths),
      mount_(mount),
      pods_(PodSourcesOf(config)),
      naming_(paths, mount.mount_point, &pods_, config) {}

Result<std::string> Explanation::Of(std::uint32_t pid) {
  notes_.clear();
  // Where a path isn't known the tree is read, once; what is noted after that stays.
  static_cast<void>(naming_.CgroupPath(kUnknownCgroupId));
  const auto chain = ReadChain(pid);
  if (!chain) {
    return tl::unexpected(chain.error());
  }
  // Parents first, so that their children can have their group.
  for (auto ancestor = chain->rbegin(); ancestor != chain->rend(); ++ancestor) {
    naming_.GroupOf(*ancestor, nullptr);
  }
  const TaskIdentity& process = chain->front();
  const GroupPtr group = naming_.GroupOf(process, nullptr);
  NoteUnreadable(process);
  std::string text = ProcessText(process) + CgroupText(process) + GroupText(*chain, *group) +
                     FilterText(process, *group) + SeriesText(process);
  NoteAncestors(*chain);
  return text + NotesText();
}

Result<std::vector<TaskIdentity>> Explanation::ReadChain(std::uint32_t pid) {
  std::vector<TaskIdentity> chain;
  const auto is_known = [&chain](std::uint32_t wanted) {
    return std::any_of(chain.begin(), chain.end(),
                       [wanted](const TaskIdentity& known) { return known.tgid == wanted; });
  };
  while (pid != 0 && !is_known(pid) && chain.size() < kMostAncestors) {
    auto process = ReadProcessStat(pid, paths_.procfs);
    if (process && process->has_ended && chain.empty()) {
      return Fail("process " + std::to_string(pid) +
                  " has ended and waits for its parent (a zombie); it feeds no series any more");
    }
    if (!process && chain.empty()) {
      return tl::unexpected(process.error());
    }
    if (!process) {
      Note("an ancestor cannot be read: " + process.error().message);
      break;
    }
    process->identity.cgroup_id = CgroupIdOf(pid);
    chain.push_back(process->identity);
    pid = process->identity.ppid;
  }
  return chain;
}

/// Notes the path, and makes an id for it.
std::uint64_t Explanation::CgroupIdOf(std::uint32_t pid) {
  auto path = ReadCgroupPath(pid, paths_.procfs, mount_.hierarchy);
  if (!path) {
    Note("the cgroup of " + std::to_string(pid) + " is not known: " + path.error().message);
    return kUnknownCgroupId;
  }
  if (path->starts_with("/../") || *path == "/..") {
    Note("the cgroup of " + std::to_string(pid) + " is not known: " + PrintableText(*path) +
         " is outside of this cgroup namespace; ask on the host, or with --cgroupns=host");
    return kUnknownCgroupId;
  }
  constexpr std::string_view kDeleted = " (deleted)";
  if (path->ends_with(kDeleted) && !naming_.CgroupLives(PrintableText(*path))) {
    path->resize(path->size() - kDeleted.size());
  }
  auto known = std::find(cgroup_paths_.begin(), cgroup_paths_.end(), *path);
  if (known == cgroup_paths_.end()) {
    known = cgroup_paths_.insert(known, *path);
  }
  const std::uint64_t id =
      kFirstCgroupId + static_cast<std::uint64_t>(known - cgroup_paths_.begin());
  naming_.NoteNew({{id, *path}});
  return id;
}

/// What a running exporter, with more rights, may know better.
void Explanation::NoteUnreadable(const TaskIdentity& process) {
  const std::string directory = paths_.procfs + "/" + std::to_string(process.tgid);
  std::array<char, 1> target{};
  if (config_.labels.Has(LabelSwitch::kProcessInfoExe) &&
      ::readlink((directory + "/exe").c_str(), target.data(), target.size()) < 0 &&
      (errno == EACCES || errno == EPERM)) {
    Note("the label exe: " + WithErrno("cannot read " + directory + "/exe", errno) +
         "; it is there in an exporter with CAP_SYS_PTRACE");
  }
  const bool needs = config_.naming.rules != nullptr && config_.naming.rules->needs().arguments;
  if (needs && !UniqueFd(::open((directory + "/cmdline").c_str(), O_RDONLY | O_CLOEXEC)).valid()) {
    Note("rules that ask for arguments see none: " +
         WithErrno("cannot open " + directory + "/cmdline", errno));
  }
  if (!IsInHostPidNamespace()) {
    Note("this is not the host's PID namespace; the exporter counts and labels by the host's PIDs");
  }
}

void Explanation::NoteAncestors(const std::vector<TaskIdentity>& chain) {
  const bool inherits = config_.naming.rules != nullptr && config_.naming.children &&
                        naming_.GroupByRules(chain.front()) == nullptr;
  if (inherits) {
    Note(
        "/proc knows no ancestors that have ended: a running exporter that has seen them may have "
        "this process in the group of one of those");
  }
}

std::string Explanation::ProcessText(const TaskIdentity& process) const {
  UserNames users(paths_.rootfs);
  return Row("process", std::to_string(process.tgid) + ", comm " +
                            InQuotes(PrintableComm(process.comm)) +
                            (process.kernel_thread ? ", a kernel thread" : "")) +
         Row("user",
             users.Of(process.uid) + " (effective uid " + std::to_string(process.uid) + ")") +
         Row("parent", std::to_string(process.ppid)) +
         Row("start", TimeText(BootUnixNs() + process.start_ns));
}

std::string Explanation::CgroupText(const TaskIdentity& process) {
  const std::string path = naming_.CgroupPath(process.cgroup_id);
  std::string text =
      Row("cgroup", path + " (hierarchy " + NameOf(mount_.hierarchy) + ", of the main thread)");
  if (process.cgroup_id == kUnknownCgroupId) {
    return text;
  }
  const CgroupIdentity identity = IdentityOfCgroup(BytesOfPrintable(path));
  const std::map<std::string, std::string> labels = naming_.CgroupLabels(path);
  const auto unit = labels.find("unit");
  const auto add = [&text](const char* key, const std::string& value) {
    text += value.empty() ? std::string() : Row(std::string("  ") + key, PrintableText(value));
  };
  text += unit == labels.end() ? "" : Row("  unit", unit->second);
  add("slice", identity.slice);
  add("owner uid", identity.owner_uid);
  add("runtime", identity.runtime);
  add("container id", identity.container_id);
  add("pod UID", identity.pod_uid);
  add("QoS class", identity.qos);
  return identity.container_id.empty() && identity.pod_uid.empty() ? text : text + PodText(labels);
}

std::string Explanation::PodText(const std::map<std::string, std::string>& labels) const {
  std::string text;
  for (const char* key : {"namespace", "pod", "container"}) {
    if (const auto label = labels.find(key); label != labels.end()) {
      text += Row(std::string("  ") + key, label->second);
    }
  }
  const std::string sources = SourcesText(config_.kubernetes);
  if (sources.empty()) {
    return text + Row("  names", "not looked for: the config has no source (kubernetes:)");
  }
  const bool found = labels.contains("pod");
  return text + Row("  names", (found ? "from " : "none in ") + sources + " (kubernetes:)");
}

std::string Explanation::GroupText(const std::vector<TaskIdentity>& chain, const Group& group) {
  const TaskIdentity& process = chain.front();
  std::string text = Row("group", ReasonOfGroup(chain, group));
  if (config_.naming.rules == nullptr) {
    return text;
  }
  const std::vector<std::string> lines = naming_.ExplainRules(process);
  for (const std::string& line : lines) {
    text += "  " + line + "\n";
  }
  const std::size_t first = lines.size() + 1;
  const std::size_t last = naming_.rule_count();
  if (first <= last) {
    text += first == last
                ? "  rule " + std::to_string(last) + " is"
                : "  rules " + std::to_string(first) + " to " + std::to_string(last) + " are";
    text += " not asked: the first one that matches counts\n";
  }
  return text;
}

std::string Explanation::ReasonOfGroup(const std::vector<TaskIdentity>& chain, const Group& group) {
  const std::string name = InQuotes(group.name);
  if (config_.naming.rules == nullptr) {
    const char* const part = chain.front().kernel_thread ? " up to the first \"/\"" : "";
    return name + ", its comm" + part + ": the config has no rules (process_names:)";
  }
  if (naming_.GroupByRules(chain.front()) != nullptr) {
    return name + ", by rule " + std::to_string(naming_.ExplainRules(chain.front()).size());
  }
  if (!config_.naming.children) {
    return name + ": no rule matches, and children: false";
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (naming_.GroupByRules(chain[i]) != nullptr) {
      return name + ": no rule matches, but one does for its ancestor " + Named(chain[i]) +
             " (children: true): " + naming_.ExplainRules(chain[i]).back();
    }
  }
  return name + ": no rule matches it or an ancestor";
}

std::string Explanation::FilterText(const TaskIdentity& process, const Group& group) {
  const FiltersConfig& filters = config_.filters;
  const std::string comm = PrintableComm(process.comm);
  const std::string cgroup = naming_.CgroupPath(process.cgroup_id);
  const auto lets = [this](ViewKind view, const std::string& name) {
    return naming_.HasSeries(view, name);
  };
  return Row("process has", group.is_dropped
                                ? "series in \"other\": its group is dropped"
                                : OwnSeries(lets(ViewKind::kProcess, comm), filters.processes, comm,
                                            "filters.processes")) +
         Row("group has", group.is_other
                              ? std::string("series in \"other\", where it belongs")
                              : OwnSeries(lets(ViewKind::kGroup, group.name), filters.groups,
                                          group.name, "filters.groups")) +
         Row("cgroup has", OwnSeries(lets(ViewKind::kCgroup, cgroup), filters.cgroups, cgroup,
                                     "filters.cgroups"));
}

std::string Explanation::SeriesText(const TaskIdentity& process) {
  std::string text = "series, beside labels of families such as mode, kind and code:\n";
  for (const std::string& set : SeriesOfProcess(process, naming_, config_.labels, paths_)) {
    text += "  " + set + "\n";
  }
  return text +
         "Limits may fold each of them into \"other\". Arguments, which may hold secrets, are "
         "shown "
         "only where a rule asks for them.\n";
}

std::string Explanation::NotesText() const {
  std::string text;
  for (const std::string& note : notes_) {
    text += "Note: " + note + "\n";
  }
  return text;
}

}  // namespace sched_exporter
