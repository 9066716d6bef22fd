// Whoever may make a cgroup chooses its name. Any bytes: no crash, and what is read out of them is
// a part of them that has the right form. Seeds: corpus/cgroup_path.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "exporter/identity/cgroup_identity.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

/// '_' and '-' are the same in a pod's UID.
std::string Dashed(std::string_view text) {
  std::string dashed(text);
  std::replace(dashed.begin(), dashed.end(), '_', '-');
  return dashed;
}

/// `x` stands for a hex digit.
bool HasForm(std::string_view text, std::string_view form) {
  const auto fits = [](char c, char of) {
    return of == 'x' ? (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') : c == of;
  };
  return std::equal(text.begin(), text.end(), form.begin(), form.end(), fits);
}

bool IsUnitText(std::string_view text) {
  constexpr std::string_view kAllowed =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:-_.\\@";
  return text.size() <= 255 && text.find_first_not_of(kAllowed) == std::string_view::npos;
}

void CheckContainer(const sched_exporter::CgroupIdentity& identity, std::string_view path) {
  const std::string& id = identity.container_id;
  const std::string& runtime = identity.runtime;
  Require(id.empty() || HasForm(id, std::string(64, 'x')));
  Require(path.find(id) != std::string_view::npos);
  Require(runtime.empty() || !id.empty());
  Require(runtime.empty() || runtime == "docker" || runtime == "containerd" || runtime == "cri-o" ||
          runtime == "podman");
}

void CheckPod(const sched_exporter::CgroupIdentity& identity, std::string_view path) {
  const std::string& uid = identity.pod_uid;
  const std::string& qos = identity.qos;
  Require(uid.empty() || HasForm(uid, std::string(32, 'x')) ||
          HasForm(uid, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"));
  Require(Dashed(path).find("pod" + uid) != std::string::npos || uid.empty());
  Require(uid.empty() == qos.empty());
  Require(qos.empty() || qos == "guaranteed" || path.find(qos) != std::string_view::npos);
}

void CheckUnits(const sched_exporter::CgroupIdentity& identity, std::string_view path) {
  for (const std::string& name : {identity.unit, identity.slice, identity.owner_uid}) {
    Require(IsUnitText(name));
    Require(path.find(name) != std::string_view::npos);
  }
  Require(identity.slice.empty() || identity.slice.ends_with(".slice"));
  Require(!identity.unit.ends_with(".slice"));
  Require(identity.owner_uid.find_first_not_of("0123456789") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view path(reinterpret_cast<const char*>(data), size);
  const sched_exporter::CgroupIdentity identity = sched_exporter::IdentityOfCgroup(path);
  CheckContainer(identity, path);
  CheckPod(identity, path);
  CheckUnits(identity, path);
  return 0;
}
