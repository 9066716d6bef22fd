#include "exporter/kernel/pins.h"

#include <bpf/bpf.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace sched_exporter {
namespace {

constexpr char kUsualMount[] = "/sys/fs/bpf";
constexpr char kLayout[] = "layout";

bool IsBpffs(const std::string& path) {
  struct statfs status {};
  return ::statfs(path.c_str(), &status) == 0 &&
         static_cast<std::uint32_t>(status.f_type) == BPF_FS_MAGIC;
}

/// The nearest directory above that exists, or the path itself.
std::string NearestThere(std::filesystem::path path) {
  std::error_code error;
  while (path.has_parent_path() && path != path.root_path() &&
         !std::filesystem::exists(path, error)) {
    path = path.parent_path();
  }
  return path;
}

bool IsBelowUsualMount(const std::string& path) {
  return path.starts_with(std::string(kUsualMount) + "/");
}

/// Empty and gone; what is not ours stays, and the directory with it.
bool RemoveFlat(const std::string& directory) {
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  if (error) {
    return false;
  }
  for (const auto& entry : entries) {
    ::unlink(entry.path().c_str());
  }
  return ::rmdir(directory.c_str()) == 0;
}

}  // namespace

Result<Pins> Pins::Open(const std::string& directory) {
  if (!IsBpffs(NearestThere(directory)) && IsBelowUsualMount(directory)) {
    static_cast<void>(::mount("bpf", kUsualMount, "bpf",
                              MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME, "mode=0700"));
  }
  if (!IsBpffs(NearestThere(directory))) {
    return Fail("cannot pin in " + directory +
                ": it is on no BPF file system; mount one (mount -t bpf bpf /sys/fs/bpf) or set "
                "persistence.pin_directory");
  }
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return Fail(WithErrno("cannot make " + directory, error.value()));
  }
  ::chmod(directory.c_str(), S_IRWXU);
  return Pins(directory);
}

std::string Pins::Path(const std::string& part, const std::string& name) const {
  std::string file = name;
  std::replace(file.begin(), file.end(), '.', '_');
  return directory_ + "/" + part + "/" + file;
}

abi_layout Pins::ReadLayout() const {
  abi_layout layout{};
  const UniqueFd map(bpf_obj_get(PathOf(kLayout).c_str()));
  bpf_map_info info{};
  std::uint32_t length = sizeof(info);
  if (!map.valid() || bpf_obj_get_info_by_fd(map.get(), &info, &length) != 0 ||
      info.key_size != sizeof(std::uint32_t) || info.value_size < 2 * sizeof(std::uint32_t)) {
    return layout;
  }
  std::string value(info.value_size, '\0');
  const std::uint32_t key = 0;
  if (bpf_map_lookup_elem(map.get(), &key, value.data()) != 0) {
    return layout;
  }
  value.copy(reinterpret_cast<char*>(&layout), 2 * sizeof(std::uint32_t));
  if (layout.layout == ABI_LAYOUT && layout.size == sizeof(layout) &&
      value.size() == sizeof(layout)) {
    value.copy(reinterpret_cast<char*>(&layout), sizeof(layout));
  }
  return layout;
}

Result<void> Pins::Begin() const {
  RemoveFlat(directory_ + "/new");
  if (::mkdir((directory_ + "/new").c_str(), S_IRWXU) != 0) {
    return Fail(WithErrno("cannot make " + directory_ + "/new", errno));
  }
  return {};
}

Result<void> Pins::PinLayout(const abi_layout& layout) const {
  const UniqueFd map(bpf_map_create(BPF_MAP_TYPE_ARRAY, kLayout, sizeof(std::uint32_t),
                                    sizeof(layout), 1, nullptr));
  const std::uint32_t key = 0;
  if (!map.valid() || bpf_map_update_elem(map.get(), &key, &layout, BPF_ANY) != 0 ||
      bpf_obj_pin(map.get(), NewPathOf(kLayout).c_str()) != 0) {
    return Fail(WithErrno("cannot pin what the maps in " + directory_ + " are", errno));
  }
  return {};
}

Result<void> Pins::Complete(const abi_layout& layout) const {
  if (auto pinned = PinLayout(layout); !pinned) {
    return pinned;
  }
  RemoveFlat(directory_ + "/current");
  if (::rename((directory_ + "/new").c_str(), (directory_ + "/current").c_str()) != 0) {
    return Fail(WithErrno("cannot rename " + directory_ + "/new", errno));
  }
  return {};
}

bool Pins::Remove() const {
  const bool had_new = RemoveFlat(directory_ + "/new");
  const bool had_current = RemoveFlat(directory_ + "/current");
  ::rmdir(directory_.c_str());
  return had_new || had_current;
}

}  // namespace sched_exporter
