#include "exporter/identity/cgroup_identity.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "exporter/identity/pod_names.h"

namespace sched_exporter {
namespace {

constexpr std::size_t kContainerIdLength = 64;
constexpr std::size_t kMaxUnitName = 255;  // systemd's UNIT_NAME_MAX, without the final zero
constexpr std::string_view kSlice = ".slice";
constexpr std::string_view kScope = ".scope";

bool IsHex(std::string_view text, std::size_t length) {
  return text.size() == length &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool IsUid(std::string_view text) {
  return !text.empty() && text.size() <= 10 &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

bool TakeSuffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) {
    return false;
  }
  text.remove_suffix(suffix.size());
  return true;
}

/// Cuts the first name off `path`; empty at its end.
std::string_view TakeName(std::string_view& path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  const std::string_view name = path.substr(0, path.find('/'));
  path.remove_prefix(name.size());
  return name;
}

// --- Containers and pods
// --------------------------------------------------------------------------

struct Container {
  std::string_view runtime;
  std::string_view id;
};

struct Pod {
  std::string_view uid;  ///< As the path has it.
  std::string_view qos;
};

/// Engines that name a container's cgroup PREFIX-ID.scope with systemd. CRI-O and Podman keep the
/// prefix without it: PREFIX-ID.
struct Engine {
  std::string_view prefix;
  std::string_view runtime;
};
constexpr std::array<Engine, 6> kEngines{{
    {"docker", "docker"},
    {"cri-containerd", "containerd"},
    {"nerdctl", "containerd"},
    {"crio", "cri-o"},
    {"libpod", "podman"},
    {"libpod-payload", "podman"},  // --cgroups=split, which Quadlet uses
}};

/// Directories in which an engine without systemd puts containers that no pod is the parent of.
constexpr std::array<Engine, 2> kEngineParents{{
    {"docker", "docker"},
    {"k8s.io", "containerd"},  // containerd's name of a CRI container without a parent
}};

std::string_view RuntimeOf(const auto& engines, std::string_view prefix) {
  const auto found = std::find_if(engines.begin(), engines.end(),
                                  [&](const Engine& engine) { return engine.prefix == prefix; });
  return found == engines.end() ? std::string_view() : found->runtime;
}

/// PREFIX-ID.scope or PREFIX-ID. Without an id where it is no such name.
Container ContainerOfName(std::string_view name) {
  TakeSuffix(name, kScope);
  if (name.size() <= kContainerIdLength) {
    return {};
  }
  const std::string_view id = name.substr(name.size() - kContainerIdLength);
  name.remove_suffix(id.size());
  if (!TakeSuffix(name, "-") || !IsContainerId(id)) {
    return {};
  }
  const std::string_view runtime = RuntimeOf(kEngines, name);
  return runtime.empty() ? Container() : Container{runtime, id};
}

/// conmon, which is beside the container that it watches, not in it.
bool IsMonitor(std::string_view name) {
  TakeSuffix(name, kScope);
  return (TakePrefix(name, "libpod-conmon-") || TakePrefix(name, "crio-conmon-")) &&
         IsContainerId(name);
}

/// 8-4-4-4-12 hex digits: with '-', or with the '_' that the kubelet writes for systemd, to which
/// '-' means a level. Or the 32 of a pod from a file.
bool IsPodUidOfPath(std::string_view text) {
  if (text.size() == 32) {
    return IsHex(text, 32);
  }
  if (text.size() != 36 || (text[8] != '-' && text[8] != '_')) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool separates = i == 8 || i == 13 || i == 18 || i == 23;
    if (separates ? text[i] != text[8] : !IsHex(text.substr(i, 1), 1)) {
      return false;
    }
  }
  return true;
}

/// [ROOT-]kubepods[-QOS]-podUID.slice. ROOT is the kubelet's --cgroup-root: "kubelet" in kind.
/// Without a uid where it is no such name.
Pod PodOfSlice(std::string_view name) {
  constexpr std::string_view kPod = "-pod";
  if (!TakeSuffix(name, kSlice)) {
    return {};
  }
  const std::size_t pod = name.rfind(kPod);
  if (pod == std::string_view::npos || !IsPodUidOfPath(name.substr(pod + kPod.size()))) {
    return {};
  }
  const std::string_view uid = name.substr(pod + kPod.size());
  name = name.substr(0, pod);
  std::string_view qos = "guaranteed";
  if (TakeSuffix(name, "-burstable")) {
    qos = "burstable";
  } else if (TakeSuffix(name, "-besteffort")) {
    qos = "besteffort";
  }
  return name == "kubepods" || name.ends_with("-kubepods") ? Pod{uid, qos} : Pod();
}

/// podUID below kubepods or kubepods/QOS. Without a uid where it is not.
Pod PodOfDirectory(std::string_view grandparent, std::string_view parent, std::string_view name) {
  if (!TakePrefix(name, "pod") || !IsPodUidOfPath(name)) {
    return {};
  }
  if (parent == "kubepods") {
    return {name, "guaranteed"};
  }
  const bool has_class = parent == "burstable" || parent == "besteffort";
  return has_class && grandparent == "kubepods" ? Pod{name, parent} : Pod();
}

/// SLICE:PREFIX:ID, which means SLICE/PREFIX-ID.scope: a runtime that wasn't told to ask systemd
/// takes it for a name.
bool SplitScope(std::string_view name, std::string_view& slice, Container& container) {
  const std::size_t second = name.rfind(':');
  if (second == std::string_view::npos || second == 0) {
    return false;
  }
  const std::size_t first = name.rfind(':', second - 1);
  if (first == std::string_view::npos) {
    return false;
  }
  slice = name.substr(0, first);
  container.id = name.substr(second + 1);
  container.runtime = RuntimeOf(kEngines, name.substr(first + 1, second - first - 1));
  return slice.ends_with(kSlice) && !container.runtime.empty() && IsContainerId(container.id);
}

/// Takes the names of a path from the root on and keeps the innermost container and pod.
class Containment {
 public:
  void Take(std::string_view name) {
    if (!TakePod(name) && !TakeContainer(name)) {
      parent_is_pod_ = false;
    }
    grandparent_ = parent_;
    parent_ = name;
  }

  const Container& container() const { return container_; }
  const Pod& pod() const { return pod_; }

 private:
  /// A pod inside a container (kind) has nothing to do with that one.
  bool TakePod(std::string_view name) {
    Pod pod = PodOfSlice(name);
    if (pod.uid.empty()) {
      pod = PodOfDirectory(grandparent_, parent_, name);
    }
    if (pod.uid.empty()) {
      return false;
    }
    pod_ = pod;
    container_ = {};
    parent_is_pod_ = true;
    return true;
  }

  /// The container's pod is its parent. A container deeper inside (Docker in a pod) is in no pod
  /// that the API server would list it in.
  bool TakeContainer(std::string_view name) {
    Container container = ContainerOfName(name);
    Pod pod = parent_is_pod_ ? pod_ : Pod();
    std::string_view slice;
    if (Container split; SplitScope(name, slice, split)) {
      container = split;
      pod = PodOfSlice(slice);
    } else if (IsContainerId(name)) {
      container.runtime = RuntimeOf(kEngineParents, parent_);
      container.id = parent_is_pod_ || !container.runtime.empty() ? name : std::string_view();
    }
    if (container.id.empty()) {
      return false;
    }
    container_ = container;
    pod_ = pod;
    parent_is_pod_ = false;
    return true;
  }

  std::string_view grandparent_;
  std::string_view parent_;
  bool parent_is_pod_ = false;
  Container container_;
  Pod pod_;
};

// --- systemd's units
// ------------------------------------------------------------------------------

/// systemd puts '_' before a name that the kernel could take for one of its own files
/// (cg_escape()).
std::string_view Unescape(std::string_view name) {
  TakePrefix(name, "_");
  return name;
}

/// unit_name_is_valid() for units that are there: no templates.
bool IsUnitName(std::string_view name, std::string_view suffix) {
  constexpr std::string_view kAllowed =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:-_.\\@";
  if (name.size() > kMaxUnitName || !TakeSuffix(name, suffix) || name.empty() ||
      name.find_first_not_of(kAllowed) != std::string_view::npos) {
    return false;
  }
  const std::size_t at = name.find('@');
  return at == std::string_view::npos || (at != 0 && at + 1 != name.size());
}

bool IsSlice(std::string_view name) {
  return IsUnitName(name, kSlice) && name.find('@') == std::string_view::npos;
}

/// Types whose units have a cgroup of their own.
bool IsUnit(std::string_view name) {
  constexpr std::array<std::string_view, 5> kSuffixes{".service", kScope, ".socket", ".mount",
                                                      ".swap"};
  return std::any_of(kSuffixes.begin(), kSuffixes.end(),
                     [&](std::string_view suffix) { return IsUnitName(name, suffix); });
}

/// A pod's own slice: the kubelet's, or Podman's PARENT-libpod_pod_ID.slice.
bool IsPodSlice(std::string_view name) {
  if (!PodOfSlice(name).uid.empty()) {
    return true;
  }
  constexpr std::string_view kPodman = "-libpod_pod_";
  TakeSuffix(name, kSlice);
  const std::size_t pod = name.rfind(kPodman);
  return pod != std::string_view::npos && IsContainerId(name.substr(pod + kPodman.size()));
}

/// The UID of PREFIX UID SUFFIX; empty where it is another name.
std::string_view UidOf(std::string_view name, std::string_view prefix, std::string_view suffix) {
  const bool matches = TakePrefix(name, prefix) && TakeSuffix(name, suffix) && IsUid(name);
  return matches ? name : std::string_view();
}

/// Takes the names of a path from the root on, as far as systemd made them: slices, a unit, and in
/// user@UID.service slices and a unit again, which that user's systemd made. What is below belongs
/// to the unit.
class Units {
 public:
  void Take(std::string_view raw_name) {
    const std::string_view name = Unescape(raw_name);
    if (!in_systemd_) {
      return;
    }
    if (IsSlice(name)) {
      TakeSlice(name);
    } else {
      TakeUnit(name);
    }
  }

  std::string_view unit() const { return unit_; }
  std::string_view slice() const { return slice_; }
  std::string_view owner_uid() const { return owner_uid_; }

 private:
  void TakeSlice(std::string_view name) {
    if (!IsPodSlice(name)) {
      slice_ = name;
    }
    if (!in_user_manager_) {
      const std::string_view uid = UidOf(name, "user-", kSlice);
      owner_uid_ = uid.empty() ? owner_uid_ : uid;
    }
  }

  void TakeUnit(std::string_view name) {
    in_systemd_ = false;
    if (!IsUnit(name) || IsMonitor(name) || !ContainerOfName(name).id.empty()) {
      return;
    }
    unit_ = name;
    const std::string_view uid = UidOf(name, "user@", ".service");
    if (!in_user_manager_ && !uid.empty()) {
      owner_uid_ = uid;
      in_user_manager_ = true;
      in_systemd_ = true;
    }
  }

  bool in_systemd_ = true;
  bool in_user_manager_ = false;
  std::string_view unit_;
  std::string_view slice_;
  std::string_view owner_uid_;
};

}  // namespace

CgroupIdentity IdentityOfCgroup(std::string_view path) {
  TakeSuffix(path, " (deleted)");  // proc_cgroup_show() adds it where the cgroup is gone
  Units units;
  Containment containment;
  for (std::string_view name = TakeName(path); !name.empty(); name = TakeName(path)) {
    units.Take(name);
    containment.Take(name);
  }
  CgroupIdentity identity;
  identity.unit = units.unit();
  identity.slice = units.slice();
  identity.owner_uid = units.owner_uid();
  identity.runtime = containment.container().runtime;
  identity.container_id = containment.container().id;
  identity.pod_uid = containment.pod().uid;
  std::replace(identity.pod_uid.begin(), identity.pod_uid.end(), '_', '-');
  identity.qos = containment.pod().qos;
  return identity;
}

}  // namespace sched_exporter
