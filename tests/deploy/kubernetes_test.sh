#!/bin/bash
# The Kubernetes manifests: kubectl renders base and overlays, Debian's old one and the one that is
# installed here alike; what it renders is valid by the published schemas, and a planted fault is not.
# The NetworkPolicy lets Prometheus in.
# The exporter runs with the user, capabilities, flags and mounts that are in the DaemonSet, and counts;
# with one capability less it does not start.
# shellcheck disable=SC2154 # pod_* are what manifests.mjs says of the DaemonSet
set -euo pipefail
# shellcheck source=tests/deploy/support.sh
source "$(dirname "$(readlink -f "$0")")/support.sh"
begin "$0" "$@"
here=$source/tests/deploy
modules=$cache/node

# manifests COMMAND...: manifests.mjs with the packages that package-lock.json names.
manifests() { (cd "$modules" && node "$here/manifests.mjs" "$@"); }
if ! cmp -s "$here/package-lock.json" "$modules/package-lock.json"; then
  rm -rf "$modules"
  mkdir -p "$modules"
  cp "$here/package.json" "$work/"
  cp "$here/package-lock.json" "$work/"
  npm ci --prefix "$work" --no-audit --no-fund >"$work/npm.log" 2>&1 ||
    fail "npm ci (is the network there?): $(grep -m1 'npm error' "$work/npm.log" || tail -n 1 "$work/npm.log")"
  mv "$work/node_modules" "$modules/"
  cp "$here/package-lock.json" "$modules/"
fi
if grep -q '"resolved"' "$here/package-lock.json"; then
  fail 'package-lock.json names a registry; write it with npm install --omit-lockfile-registry-resolved'
fi

# Debian's kubectl, without its package: another one may be in its place.
old_kubectl=$cache/kubernetes-client/usr/bin/kubectl
if [[ ! -x $old_kubectl ]]; then
  (cd "$work" && apt-get -q -o APT::Sandbox::User=root download kubernetes-client >"$work/apt.log" 2>&1) ||
    fail "cannot download kubernetes-client: $(tail -n 1 "$work/apt.log")"
  dpkg-deb -x "$work"/kubernetes-client_*.deb "$cache/kubernetes-client"
fi
kubectls=("$old_kubectl")
if installed=$(command -v kubectl); then kubectls+=("$installed"); fi

# render NAME: base or overlays/X into $work/X.yaml, the same by each kubectl.
render() {
  local kubectl name=${1#overlays/}
  for kubectl in "${kubectls[@]}"; do
    "$kubectl" kustomize "$source/deploy/kubernetes/$1" >"$work/rendered.yaml" 2>"$work/kubectl.log" ||
      fail "$kubectl kustomize $1: $(tail -n 1 "$work/kubectl.log")"
    manifests validate "$work/rendered.yaml" >"$work/faults" || fail "$1: $(head -n 1 "$work/faults")"
    [[ $kubectl == "$old_kubectl" ]] || manifests same "$work/$name.yaml" "$work/rendered.yaml" ||
      fail "$1 is not the same by $old_kubectl and $kubectl"
    cp "$work/rendered.yaml" "$work/$name.yaml"
  done
}
overlays=("$source"/deploy/kubernetes/overlays/*/)
overlays=("${overlays[@]%/}")
overlays=("${overlays[@]##*/}")
render base
for overlay in "${overlays[@]}"; do
  render "overlays/$overlay"
  manifests admits "$work/$overlay.yaml" '{"app.kubernetes.io/name": "prometheus"}' ||
    fail "$overlay: the NetworkPolicy keeps Prometheus out"
  ! manifests admits "$work/$overlay.yaml" '{"app.kubernetes.io/name": "sched-exporter"}' ||
    fail "$overlay: the NetworkPolicy lets in more than Prometheus"
done

# finds CODE: the fault that it plants is found.
finds() {
  manifests mutate "$work/tls.yaml" "$1" >"$work/faulty.yaml"
  ! manifests validate "$work/faulty.yaml" >/dev/null || fail "no fault was found in: $1"
}
finds 'of("DaemonSet").spec.template.spec.hostPid = true'
finds 'of("DaemonSet").spec.template.spec.containers[0].securityContext.capabilities.add = "BPF"'
finds 'delete of("DaemonSet").spec.selector'
finds 'of("PodMonitor").spec.podMetricsEndpoints[0].tlsConfig.ca.secret.nam = "x"'
finds 'of("NetworkPolicy").spec.ingress[0].ports[0].protocol = 6'
finds 'of("Service").spec.ports = "metrics"'

# furnish_pod: the container's files. The host's programs stand in for the image's, and nothing can be
# written.
furnish_pod() {
  local kind from to mode place i
  mkdir -p "$root"
  mount -t tmpfs -o mode=755 tmpfs "$root"
  for place in bin etc lib lib64 sbin usr; do
    if [[ -L /$place ]]; then
      cp -P "/$place" "$root/$place"
    elif [[ -d /$place ]]; then
      mkdir "$root/$place"
      [[ $place == etc ]] || mount --bind "/$place" "$root/$place"
    fi
  done
  mkdir -p "$root"/{proc,sys,app,etc/sched_exporter}
  cp /etc/ld.so.cache "$root/etc/"
  install -m 755 "$build/sched_exporter" "$root/app/"
  setcap "$file_capabilities" "$root/app/sched_exporter"
  mount --rbind /proc "$root/proc"
  mount --rbind /sys "$root/sys"
  # The runtime's own mount shows the container only.
  mount -t tmpfs -o ro tmpfs "$root/sys/fs/cgroup"
  for ((i = 0; i < ${#pod_mounts[@]}; i += 4)); do
    kind=${pod_mounts[i]} from=${pod_mounts[i + 1]} to=$root${pod_mounts[i + 2]} mode=${pod_mounts[i + 3]}
    [[ $mode == ro || $overlay == persistence ]] || fail "$from is mounted writable"
    furnish_mount "$kind" "$from" "$to" "$mode"
  done
  mount -o remount,ro "$root"
}

# furnish_mount KIND FROM TO MODE
furnish_mount() {
  case $1 in
    hostPath)
      if [[ -f $2 ]]; then
        install -D /dev/null "$3"
      else
        mkdir -p "$3"
      fi
      # A host that is no node of a cluster has no logs of pods.
      if [[ $4 == rw ]]; then mkdir -p "$2"; fi
      if [[ -e $2 ]]; then mount --rbind "$2" "$3" && mount -o "remount,bind,$4" "$3"; fi
      ;;
    configMap)
      mkdir -p "$3"
      manifests file "$work/$overlay.yaml" "$(manifests_key)" >"$3/$(manifests_key)"
      ;;
    secret)
      mkdir -p "$3"
      cp "$work"/tls.crt "$work"/tls.key "$3/"
      chgrp "${pod_groups##*,}" "$3"/*
      chmod 440 "$3"/*
      ;;
    *) fail "a volume of the kind $1" ;;
  esac
}
manifests_key() { basename "$(printf '%s\n' "${pod_args[@]}" | sed -n 's/^--.*config\.file=//p')"; }

# pod_command OPTION...: sets `command` to the exporter as the runtime begins it: the pod's user and
# bounding set, capabilities by the file, a cgroup namespace of its own, the host's PID namespace.
# setpriv still has capabilities when it calls exec, as runc has where containerd asks it to. Docker has
# none left there, and so has the shell between them.
pod_command() {
  local bounding
  bounding=-all,$(tr 'A-Z ' 'a-z,' <<<"$pod_added" | sed 's/\([a-z_]*\)/+\1/g')
  command=(unshare --cgroup chroot "$root" setpriv "--reuid=$pod_user" "--regid=$pod_group"
    "--bounding-set=$bounding" "$@")
  if [[ -n $pod_groups ]]; then command+=("--groups=$pod_groups"); else command+=(--clear-groups); fi
  [[ $pod_escalation == true ]] || command+=(--no-new-privs)
  # shellcheck disable=SC2016 # the shell's own
  command+=(sh -c 'exec "$@"' sh /app/sched_exporter --allow-second-instance "--web.listen-address=127.0.0.1:$port" "${pod_args[@]}")
}

# refused WHY NEEDS CAPABILITIES [OPTION...]: with these it does not start, and says what it needs.
refused() {
  local status=0 command=() why=$1 needs=$2 pod_added=$3
  shift 3
  pod_command "$@"
  timeout 20 "${command[@]}" >"$work/refused" 2>&1 || status=$?
  [[ $status -eq 1 ]] || fail "$why: it ended with $status: $(tail -n 1 "$work/refused")"
  grep -qF "needs $needs" "$work/refused" || fail "$why: $(tail -n 1 "$work/refused")"
}

# The image's file capabilities: what the Dockerfile gives, the DaemonSet allows, and nothing else.
file_capabilities=$(sed -nE 's/.*setcap ([a-z_,]+=p) .*/\1/p' "$source/Dockerfile")
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=sched-exporter \
  -addext subjectAltName=DNS:sched-exporter -keyout "$work/tls.key" -out "$work/tls.crt" 2>/dev/null
for overlay in "${overlays[@]}"; do
  assignments=$(manifests pod "$work/$overlay.yaml")
  eval "$assignments"
  # The node's BPF file system is root's.
  non_root=true
  [[ $overlay != persistence ]] || non_root=false
  [[ "$pod_dropped $pod_non_root $pod_read_only $pod_host_pid $pod_privileged" == "ALL $non_root true true false" ]] ||
    fail "$overlay: the pod has other privileges than documented"
  [[ $file_capabilities == "$(tr 'A-Z ' 'a-z,' <<<"$pod_added" | sed 's/\([a-z_]*\)/cap_\1/g')=p" ]] ||
    fail "$overlay: the DaemonSet adds $pod_added, the image's file has $file_capabilities"
  port=$(free_port)
  furnish_pod
  pod_command
  "${command[@]}" >"$exporter_log" 2>&1 &
  exporter=$!
  url=$pod_scheme://sched-exporter:$port
  curl=(curl -sS --fail --cacert "$work/tls.crt" --resolve "sched-exporter:$port:127.0.0.1")
  await "$overlay: it serves" "${curl[@]}" "$url/readyz"
  for probe in "${pod_probes[@]}"; do "${curl[@]}" "$url$probe" >/dev/null; done
  count_probes "${curl[@]}" "$url/metrics"
  sees_roots_process "${curl[@]}" "$url/metrics"
  stop_exporter
  if [[ $overlay == persistence ]]; then
    [[ -e /sys/fs/bpf/sched_exporter/current/layout && -s /run/sched_exporter/totals ]] ||
      fail "$overlay: nothing stays when the pod ends"
    "$build/sched_exporter" detach >/dev/null
  fi
  if [[ $overlay == plain ]]; then
    refused 'allowPrivilegeEscalation: false' 'CAP_BPF and CAP_PERFMON' "$pod_added" --no-new-privs
    refused 'without CAP_BPF' 'CAP_BPF; it has CAP_PERFMON' "${pod_added/BPF /}"
    refused 'without CAP_PERFMON' 'CAP_PERFMON; it has CAP_BPF' "${pod_added/PERFMON /}"
  fi
  umount --recursive --lazy "$root"
done
