# shellcheck shell=bash disable=SC2034
# What the tests of deploy/ share. Sourced by them; $source is the source tree, $build the build tree
# of the release build.

source=$(dirname "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")")
build=${SCHED_EXPORTER_BUILD:-$source/build/release}
# Clean roots and downloaded packages stay here for the next run.
cache=$source/build/deploy_cache

# An exporter that a test runs, and what it writes.
exporter=
exporter_log=/dev/null

# fail LINE
fail() {
  printf '%s: %s\n' "$(basename "$0")" "$1" >&2
  [[ -z $exporter ]] || tail -n 3 "$exporter_log" >&2
  exit 1
}

# alone SCRIPT ARGUMENTS...: begins the script again in a mount namespace of its own, so that no mount
# outlives it.
alone() {
  [[ $EUID -eq 0 ]] || fail "mounts file systems; run it as root or with sudo"
  [[ -n ${SCHED_EXPORTER_ALONE:-} ]] ||
    SCHED_EXPORTER_ALONE=1 exec unshare --mount --propagation private "$@"
}

# begin SCRIPT ARGUMENTS...: alone(), with $work to write in and $root for a root file system. Nothing stays.
begin() {
  alone "$@"
  work=$(mktemp -d)
  root=$work/root
  exporter_log=$work/exporter.log
  : >"$exporter_log"
  trap clean_up EXIT
}

clean_up() {
  [[ -z $exporter ]] || kill "$exporter" 2>/dev/null || true
  umount --recursive --lazy "$root" 2>/dev/null || true
  rm -rf --one-file-system "$work"
}

# await WHAT COMMAND...: until it succeeds, for two minutes at most: the machine may be busy.
await() {
  local what=$1 deadline=$((SECONDS + 120))
  shift
  until "$@" >/dev/null 2>&1; do
    [[ -z $exporter ]] || kill -0 "$exporter" 2>/dev/null || fail "the exporter ended; $what"
    [[ $SECONDS -lt $deadline ]] || fail "waited 120 s in vain: $what"
    sleep 0.05
  done
}

# free_port: a port that nobody has.
free_port() {
  local port
  while true; do
    port=$((20000 + RANDOM % 10000))
    [[ -n $(ss -Htan "sport = :$port") ]] || break
  done
  echo "$port"
}

# The mirror that apt uses here, for the suite that the packages are built on.
suite=bookworm
mirror() {
  # shellcheck disable=SC2016 # these are apt's variables
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $suite" | sed -n 1p
}

# clean_root DIRECTORY: Debian's smallest system. Made by debootstrap at the first time.
clean_root() {
  local tarball=$cache/$suite.tar made
  mkdir -p "$cache/archives" "$1"
  if [[ ! -s $tarball || -n $(find "$tarball" -mtime +7) ]]; then
    made=$(mktemp -d -p "$cache")
    if ! debootstrap --variant=minbase "$suite" "$made" "$(mirror)" >"$cache/debootstrap.log" 2>&1; then
      rm -rf "$made"
      fail "debootstrap failed (is the network there?): $(tail -n 1 "$cache/debootstrap.log")"
    fi
    rm -f "$made"/var/cache/apt/archives/*.deb
    chmod 755 "$made"
    tar -C "$made" -cf "$tarball.new" .
    mv "$tarball.new" "$tarball"
    rm -rf "$made"
  fi
  tar -C "$1" -xf "$tarball"
}

# furnish DIRECTORY: what a root needs to install packages and to run an exporter: the host's /proc
# and /sys, some devices, the names of hosts, and the packages that were downloaded before.
furnish() {
  local root=$1 place
  for place in null zero full random urandom; do
    [[ -e $root/dev/$place ]] || : >"$root/dev/$place"
    mount --bind "/dev/$place" "$root/dev/$place"
  done
  mount --rbind /proc "$root/proc"
  mount --rbind /sys "$root/sys"
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  mount --bind "$cache/archives" "$root/var/cache/apt/archives"
}

# confined UID CAPABILITIES: sets `confine` to a setpriv command for a user that is nobody's, with these
# capabilities (as in a unit: CAP_A CAP_B) and no way to others.
confine=()
confined() {
  local list
  list=-all,$(tr 'A-Z ' 'a-z,' <<<"$2" | sed 's/cap_/+/g')
  [[ $list == -all,+* ]] || fail "no capabilities in \"$2\""
  confine=(setpriv "--reuid=$1" "--regid=$1" --clear-groups --no-new-privs
    "--bounding-set=$list" "--inh-caps=$list" "--ambient-caps=$list")
}

# stop_exporter: it ends as it should.
stop_exporter() {
  kill "$exporter"
  wait "$exporter" || fail "the exporter ended with $?"
  exporter=
}

# count_probes COMMAND...: runs a program with a name of its own 50 times and fails if the exporter
# does not count exactly these. COMMAND prints its metrics.
count_probes() {
  local directory name counted
  name=probe$RANDOM
  directory=$(mktemp -d)
  cp /bin/true "$directory/$name"
  for _ in {1..50}; do "$directory/$name"; done
  counted=$("$@" | sed -n "s/^sched_group_execs_total{group=\"$name\"} //p")
  rm -rf "$directory"
  [[ $counted == 50 ]] || fail "50 execs of $name were counted as \"$counted\""
}

# sees_roots_process COMMAND...: fails if the exporter does not know the program, the user and the
# cgroup of a process that belongs to root. COMMAND prints its metrics.
sees_roots_process() {
  local sleeper info hierarchy=/sys/fs/cgroup cgroup=sched_exporter_deploy.$$
  [[ -f $hierarchy/cgroup.procs ]] || hierarchy=/sys/fs/cgroup/cpuacct
  mkdir "$hierarchy/$cgroup"
  (echo "$BASHPID" >"$hierarchy/$cgroup/cgroup.procs" && exec sleep 600) &
  sleeper=$!
  await 'a process sleeps' grep -qx sleep "/proc/$sleeper/comm"
  info=$("$@" | grep "^sched_process_info{pid=\"$sleeper\"," || true)
  kill "$sleeper"
  wait "$sleeper" 2>/dev/null || true
  await 'its cgroup is empty' rmdir "$hierarchy/$cgroup"
  [[ $info == *'exe="/'*'/sleep"'* ]] || fail "no exe of root's process: $info"
  [[ $info == *'user="root"'* ]] || fail "no user of root's process: $info"
  [[ $info == *"cgroup=\"/$cgroup\""* ]] || fail "root's process is in /$cgroup: $info"
}
