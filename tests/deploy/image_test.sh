#!/bin/bash
# The container image, really built from a clean Debian without a registry, by buildah with chroot
# isolation; its program runs as the image's user with the capabilities of README and is scraped, and
# its HEALTHCHECK tells when it is gone. All but downloads and objects of the compiler is removed.
#
# Not among the tests that ctest runs: it compiles everything once more. By hand:
#   sudo tests/deploy/image_test.sh
set -euo pipefail
# shellcheck source=tests/deploy/support.sh
source "$(dirname "$(readlink -f "$0")")/support.sh"
# shellcheck source=deploy/packages.sh
source "$source/deploy/packages.sh"
need_root 'builds an image'
install_missing buildah curl debootstrap iproute2 jq util-linux
alone "$0" "$@"

work=$(mktemp -d)
exporter_log=$work/exporter.log
: >"$exporter_log"
buildah=(buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs)
export BUILDAH_ISOLATION=chroot
root=
clean_up() {
  [[ -z $exporter ]] || kill "$exporter" 2>/dev/null || true
  # Before anything is removed: the host's /proc and /sys are mounted in there.
  if [[ -n $root ]]; then
    umount --recursive --lazy "$root/proc" "$root/sys" 2>/dev/null || true
    ! mountpoint --quiet "$root/proc" && ! mountpoint --quiet "$root/sys" || return
  fi
  "${buildah[@]}" unmount --all >/dev/null 2>&1 || true
  "${buildah[@]}" rm --all >/dev/null 2>&1 || true
  rm -rf --one-file-system "$work"
}
trap clean_up EXIT

# The base of both stages. Downloaded packages and ccache's objects are kept between runs.
mkdir -p "$cache/archives/partial" "$cache/ccache" "$work/base"
clean_root "$work/base"
cp /etc/resolv.conf "$work/base/etc/"
echo 'Dir::Cache::archives "/archives";' >"$work/base/etc/apt/apt.conf.d/01cache"
container=$("${buildah[@]}" from scratch)
"${buildah[@]}" add --quiet "$container" "$work/base" / >/dev/null
"${buildah[@]}" run --volume "$cache/archives:/archives" "$container" -- \
  sh -c 'apt-get -q update && apt-get -q -y install --no-install-recommends ccache' >"$work/base.log" 2>&1 ||
  fail "the base: $(tail -n 1 "$work/base.log")"
"${buildah[@]}" commit --quiet --rm "$container" localhost/base >/dev/null
base_size=$(du -sm --apparent-size "$work/base" | cut -f1)
rm -rf "$work/base"

begin=$SECONDS
"${buildah[@]}" build --format docker --tag localhost/sched_exporter \
  --build-arg BUILD_BASE=localhost/base --build-arg RUNTIME_BASE=localhost/base --build-arg REVISION=a1b2c3 \
  --volume "$cache/archives:/archives" --volume "$cache/ccache:/root/.cache/ccache" \
  "$source" >"$work/build.log" 2>&1 || fail "the build: $(tail -n 3 "$work/build.log")"
echo "built in $((SECONDS - begin)) s"

"${buildah[@]}" inspect --type image localhost/sched_exporter >"$work/image.json"
# of FILTER: of the image's configuration.
of() { jq --raw-output ".Docker.config | $1" "$work/image.json"; }
is() { [[ $(of "$1") == "$2" ]] || fail "$1 is $(of "$1"), not $2"; }
container=$("${buildah[@]}" from localhost/sched_exporter)
root=$("${buildah[@]}" mount "$container")
version=$(chroot "$root" sched_exporter --version | cut -d' ' -f2)
is '.Labels["org.opencontainers.image.title"]' sched_exporter
is '.Labels["org.opencontainers.image.version"]' "$version"
is '.Labels["org.opencontainers.image.revision"]' a1b2c3
is '.Labels["org.opencontainers.image.licenses"]' Apache-2.0
is '.ExposedPorts | keys | join(" ")' 10140/tcp
is '.Entrypoint | join(" ")' /usr/bin/sched_exporter
user=$(of .User)
[[ $user =~ ^[1-9][0-9]*:[1-9][0-9]*$ ]] || fail "the image's user is \"$user\", no numbers other than 0"

for program in cc gcc g++ c++ clang clang-14 cmake ninja ld as bpftool make setcap; do
  [[ -z $(find "$root" -xdev -name "$program" '(' -type f -o -type l ')' -perm /111 -print -quit) ]] ||
    fail "$program is in the image"
done
left=$(find "$root/usr/include" "$root/src" "$root/usr/lib" "$root/var/lib/apt/lists" "$root/tmp" -xdev \
  '(' -name '*.h' -o -name '*.a' -o -name '*_Packages*' -o -name '*.deb' ')' -print -quit 2>/dev/null || true)
[[ -z $left ]] || fail "left in the image: ${left#"$root"}"
echo "files of the image: $(du -xsm --apparent-size "$root" | cut -f1) MB, of its base: $base_size MB"

# In the container as a runtime would: the image's user, the bounding set, and what the
# file of the program has; no ambient ones. The host's PID namespace, /proc and /sys.
bounding=-all,+bpf,+perfmon,+sys_ptrace
mount --rbind /proc "$root/proc"
mount --rbind /sys "$root/sys"
run=(chroot "$root" setpriv "--reuid=${user%:*}" "--regid=${user#*:}" --clear-groups "--bounding-set=$bounding")
[[ -z $(ss -Htan 'sport = :10140') ]] || fail 'something listens on port 10140, where the image does'
"${run[@]}" /usr/bin/sched_exporter --allow-second-instance >"$exporter_log" 2>&1 &
exporter=$!
mapfile -t check < <(of '.Healthcheck.Test[]')
[[ ${check[0]} == CMD ]] || fail "HEALTHCHECK is of the kind \"${check[0]}\""
await 'HEALTHCHECK succeeds' "${run[@]}" "${check[@]:1}"
grep -q "^Uid:[[:space:]]*${user%:*}" "/proc/$exporter/status" || fail 'it runs as another user'
count_probes curl -sS --fail http://127.0.0.1:10140/metrics
sees_roots_process curl -sS --fail http://127.0.0.1:10140/metrics
stop_exporter
status=0
"${run[@]}" "${check[@]:1}" >"$work/gone" 2>&1 || status=$?
[[ $status -eq 1 ]] || fail "HEALTHCHECK of an exporter that is gone ends with $status"

# Without the capabilities it says what is missing.
status=0
chroot "$root" setpriv --reuid=65532 --regid=65532 --clear-groups --bounding-set=-all \
  /usr/bin/sched_exporter >"$work/refused" 2>&1 || status=$?
grep -q 'needs CAP_BPF and CAP_PERFMON' "$work/refused" ||
  fail "without capabilities it ends with $status: $(cat "$work/refused")"
echo passed
