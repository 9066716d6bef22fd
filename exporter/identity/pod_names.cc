#include "exporter/identity/pod_names.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

namespace sched_exporter {
namespace {

// IsDNS1123Label and IsDNS1123Subdomain, k8s.io/apimachinery/pkg/util/validation. A subdomain's
// labels may be as long as it.
constexpr std::size_t kLongestLabel = 63;
constexpr std::size_t kLongestSubdomain = 253;
constexpr std::size_t kDashedUidSize = 36;
constexpr std::size_t kStaticUidSize = 32;
constexpr std::size_t kContainerIdSize = 64;
/// A directory with more entries isn't a kubelet's.
constexpr std::size_t kMostEntries = 65'536;

bool IsLowerHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos;
}

bool HasLabelSyntax(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.back() != '-' &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == text.npos;
}

bool IsLabel(std::string_view text) { return text.size() <= kLongestLabel && HasLabelSyntax(text); }

bool IsSubdomain(std::string_view text) {
  if (text.size() > kLongestSubdomain) {
    return false;
  }
  for (std::size_t dot = text.find('.'); dot != text.npos; dot = text.find('.')) {
    if (!HasLabelSyntax(text.substr(0, dot))) {
      return false;
    }
    text.remove_prefix(dot + 1);
  }
  return HasLabelSyntax(text);
}

/// False where there is no room.
template <typename Map>
bool Assign(Map& map, std::string_view id, const typename Map::mapped_type& name,
            std::size_t most) {
  if (const auto known = map.find(std::string(id)); known != map.end()) {
    known->second = name;
    return true;
  }
  if (map.size() >= most) {
    return false;
  }
  map.emplace(id, name);
  return true;
}

/// The text before the first `separator`, which is taken off `text` with it.
std::optional<std::string> TakeUntil(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  if (end == text.npos) {
    return std::nullopt;
  }
  std::string part(text.substr(0, end));
  text.remove_prefix(end + 1);
  return part;
}

/// NAMESPACE_POD_UID: BuildPodLogsDirectory, pkg/kubelet/kuberuntime/helpers.go. Before Kubernetes
/// 1.14 it was the UID alone.
void AddPodDirectory(std::string_view entry, PodNames& names) {
  auto pod_namespace = TakeUntil(entry, '_');
  auto pod = TakeUntil(entry, '_');
  if (pod_namespace && pod) {
    names.AddPod(entry, {std::move(*pod_namespace), std::move(*pod)});
  }
}

/// POD_NAMESPACE_CONTAINER-ID.log: legacyLogSymlink, pkg/kubelet/kuberuntime/legacy.go.
void AddContainerLink(std::string_view entry, PodNames& names) {
  constexpr std::string_view kSuffix = ".log";
  auto pod = TakeUntil(entry, '_');
  auto pod_namespace = TakeUntil(entry, '_');
  if (!pod || !pod_namespace || !entry.ends_with(kSuffix)) {
    return;
  }
  entry.remove_suffix(kSuffix.size());
  if (const std::size_t dash = entry.rfind('-'); dash != entry.npos) {
    names.AddContainer(entry.substr(dash + 1), {std::string(entry.substr(0, dash)),
                                                {std::move(*pod_namespace), std::move(*pod)}});
  }
}

/// Whether the entry is a file of the wanted type (S_IFMT), which not every file system tells.
bool HasType(int directory, const dirent& entry, mode_t type) {
  if (entry.d_type != DT_UNKNOWN) {
    return entry.d_type == IFTODT(type);
  }
  struct stat status {};
  return ::fstatat(directory, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         (status.st_mode & S_IFMT) == type;
}

/// Calls `add` for the entries of that type; returns an errno or 0.
int ReadDirectory(const std::string& path, mode_t type, PodNames& names,
                  void (*add)(std::string_view entry, PodNames& names)) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (directory == nullptr) {
    return errno;
  }
  std::size_t count = 0;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (++count > kMostEntries) {
      names.SetOverflowed();
      return 0;
    }
    if (HasType(::dirfd(directory.get()), *entry, type)) {
      add(entry->d_name, names);
    }
  }
  return 0;
}

}  // namespace

bool IsContainerName(std::string_view name) { return IsLabel(name); }

bool IsPodName(const PodName& name) { return IsLabel(name.pod_namespace) && IsSubdomain(name.pod); }

bool IsPodUid(std::string_view uid) {
  if (uid.size() != kDashedUidSize) {
    return uid.size() == kStaticUidSize && IsLowerHex(uid);
  }
  constexpr std::string_view kPattern = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
  return std::equal(uid.begin(), uid.end(), kPattern.begin(), [](char c, char wanted) {
    return wanted == '-' ? c == '-' : IsLowerHex({&c, 1});
  });
}

bool IsContainerId(std::string_view id) { return id.size() == kContainerIdSize && IsLowerHex(id); }

void PodNames::AddPod(std::string_view uid, const PodName& name) {
  if (IsPodUid(uid) && IsPodName(name)) {
    overflowed_ |= !Assign(pods_, uid, name, kMostPods);
  }
}

void PodNames::AddContainer(std::string_view id, const ContainerName& name) {
  if (IsContainerId(id) && IsContainerName(name.container) && IsPodName(name.pod)) {
    overflowed_ |= !Assign(containers_, id, name, kMostContainers);
  }
}

void PodNames::Merge(const PodNames& other) {
  for (const auto& [uid, name] : other.pods_) {
    AddPod(uid, name);
  }
  for (const auto& [id, name] : other.containers_) {
    AddContainer(id, name);
  }
  overflowed_ |= other.overflowed_;
}

const PodName* PodNames::FindPod(const std::string& uid) const {
  const auto found = pods_.find(uid);
  return found == pods_.end() ? nullptr : &found->second;
}

const ContainerName* PodNames::FindContainer(const std::string& id) const {
  const auto found = containers_.find(id);
  return found == containers_.end() ? nullptr : &found->second;
}

Result<void> ReadLogDirectories(const std::string& directory, PodNames& names) {
  const int pods = ReadDirectory(directory + "/pods", S_IFDIR, names, AddPodDirectory);
  const int containers = ReadDirectory(directory + "/containers", S_IFLNK, names, AddContainerLink);
  if (pods != 0 && containers != 0) {
    return Fail(WithErrno("cannot read " + directory + "/pods", pods) + ", and " +
                WithErrno(directory + "/containers", containers) +
                "; is this the node's /var/log, as the kubelet sees it?");
  }
  return {};
}

}  // namespace sched_exporter
