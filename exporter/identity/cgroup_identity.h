#pragma once

#include <string>
#include <string_view>

namespace sched_exporter {

/// What the path of a cgroup tells of who is in it. Empty where it doesn't tell.
/// docs/identity.md has the shapes that are known.
///
/// A name in a path is a claim of whoever made the directory. Below user@UID.service that is the
/// user: pods and containers of a rootless engine look there as they do for root, and so does a
/// directory that the user gave such a name. No path tells the two apart; `owner_uid` tells that
/// they are there. Who was given a subtree otherwise (Delegate=, a writable cgroup in a container)
/// may name what is below it, too.
struct CgroupIdentity {
  /// Innermost systemd unit, as systemctl shows it: "nginx.service", "session-3.scope". The host's
  /// alone, not of a systemd in a container. Scopes that an engine makes for one container or its
  /// monitor (docker-ID.scope, libpod-conmon-ID.scope) are passed over: users don't know them.
  std::string unit;
  /// Innermost slice, "system.slice", of the host's systemd. Slices that are one pod's are passed
  /// over likewise: what holds them is "kubepods-burstable.slice".
  std::string slice;
  /// Whose session or systemd it is in digits: of user-UID.slice or user@UID.service.
  std::string owner_uid;
  /// "docker", "containerd", "cri-o" or "podman" where `container_id` is of a shape that only this
  /// one makes.
  std::string runtime;
  /// Of the innermost container, 64 hex digits.
  std::string container_id;
  /// As the API server has it, with dashes: of the pod that the innermost container is in, or of
  /// the innermost pod where that has no container in it. Pods from files have 32 hex digits
  /// without dashes, which the API server calls kubernetes.io/config.hash.
  std::string pod_uid;
  /// "guaranteed", "burstable" or "besteffort", of the pod.
  std::string qos;

  bool operator==(const CgroupIdentity&) const = default;
};

/// Reads `path`, from the root of its hierarchy as in /proc/PID/cgroup or the directory tree. Any
/// bytes; takes time linear in them. It has to be whole: what a cut one tells may be of an outer
/// container. Every field but `qos` and `runtime` is a part of `path`, with '-' for the '_' of a
/// pod's UID.
CgroupIdentity IdentityOfCgroup(std::string_view path);

}  // namespace sched_exporter
