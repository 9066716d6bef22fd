#!/bin/bash
# The Debian package in a clean Debian: it installs with what it depends on, the command line of its
# unit serves with the unit's user and capabilities, it upgrades and keeps the config, is removed, and
# purged without a trace.
set -euo pipefail
# shellcheck source=tests/deploy/support.sh
source "$(dirname "$(readlink -f "$0")")/support.sh"
begin "$0" "$@"

enter=(chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive)
in_root() { "${enter[@]}" "$@"; }
apt() { in_root apt-get -q -y -o Dpkg::Use-Pty=0 "$@" </dev/null >"$work/apt.log" 2>&1 ||
  fail "apt-get $*: $(grep -m1 -E '^(E|Err|dpkg: error)' "$work/apt.log" || tail -n 1 "$work/apt.log")"; }
is_there() { in_root test -e "$1" || fail "$2: $1 is missing"; }
is_gone() { ! in_root test -e "$1" || fail "$2: $1 is still there"; }

# package VERSION: makes it; prints the file.
package() {
  cpack -G DEB --config "$build/CPackConfig.cmake" -B "$work/$1" \
    -D "CPACK_DEBIAN_PACKAGE_VERSION=$1" >"$work/cpack.log" 2>&1 || fail "cpack: $(tail -n 1 "$work/cpack.log")"
  echo "$work/$1"/*.deb
}

# install FILE [OPTION...]
install() {
  cp "$1" "$root/tmp/package.deb"
  shift
  apt install --no-install-recommends "$@" /tmp/package.deb
  rm "$root/tmp/package.deb"
}

# What apt and dpkg themselves keep of what they did is no trace of the package.
files() {
  (cd "$root" && find . -xdev '(' -path ./tmp -o -path ./var/cache -o -path ./var/lib/apt \
    -o -path ./var/log -prune -o -path ./var/lib/dpkg ')' -prune -o -print | sort)
  (cd "$root" && find ./var/log -name '*sched*')
}

# unit KEY: the last value of it in the installed unit.
unit() { sed -n "s/^$1=//p" "$root/lib/systemd/system/sched_exporter.service" | tail -n 1; }

# start_unit: its command line as systemd would begin it: its capabilities and no others, a user that
# is nobody's, no new privileges, nothing writable but the directory of logs.
start_unit() {
  local word words=() command=() user=61184
  confined $user "$(unit AmbientCapabilities)"
  [[ $(unit CapabilityBoundingSet) == "$(unit AmbientCapabilities)" ]] ||
    fail "the unit bounds other capabilities than it gives"
  # shellcheck source=/dev/null
  ARGS=$(source "$root$(unit EnvironmentFile | sed 's/^-//')" && echo "$ARGS")
  read -ra words <<<"$(unit ExecStart)"
  for word in "${words[@]}"; do
    # shellcheck disable=SC2206 # systemd splits $ARGS, too
    if [[ $word == "\$ARGS" ]]; then command+=($ARGS); else command+=("$word"); fi
  done
  mkdir -p "$root/var/log/$(unit LogsDirectory)"
  chown "$user:$user" "$root/var/log/$(unit LogsDirectory)"
  mount --bind "$root/var/log" "$root/var/log"
  mount -o remount,bind,ro "$root"
  "${enter[@]}" "${confine[@]}" "${command[@]}" >"$exporter_log" 2>&1 &
  exporter=$!
}

clean_root "$root"
mount --bind "$root" "$root"
furnish "$root"
apt update
files >"$work/before"
cp "$root/etc/passwd" "$work/passwd"

first=$(package "$("$build/sched_exporter" --version | cut -d' ' -f2)")
install "$first"
for file in /usr/bin/sched_exporter /etc/sched_exporter/config.yml /etc/default/sched-exporter \
  /usr/share/bash-completion/completions/sched_exporter /etc/systemd/system/multi-user.target.wants/sched_exporter.service; do
  is_there "$file" 'install'
done
dpkg-deb --contents "$first" | grep '/usr/share/man/man8/sched_exporter.8.gz' >/dev/null ||
  fail 'no man page'
in_root sched_exporter --config.check --config.file=/etc/sched_exporter/config.yml >/dev/null

port=$(free_port)
echo "ARGS=\"--web.listen-address=127.0.0.1:$port --allow-second-instance\"" >"$root/etc/default/sched-exporter"
sed -i 's/^  output: none/  output: file/' "$root/etc/sched_exporter/config.yml"
start_unit
await "the unit's command line serves" curl -sS --fail "http://127.0.0.1:$port/readyz"
in_root sched_exporter "--web.listen-address=127.0.0.1:$port" health >/dev/null
count_probes curl -sS --fail "http://127.0.0.1:$port/metrics"
await 'events are in the file' test -s "$root/var/log/sched_exporter/events.json"
stop_exporter
umount "$root/var/log"
mount -o remount,bind,rw "$root"

# From here on there seems to be a systemd, which notes what it is told.
mkdir -p "$root/run/systemd/system"
cat >"$root/usr/bin/systemctl" <<'EOF'
#!/bin/sh
echo "$*" >>/run/systemctl.log
case "$*" in *is-enabled*) echo enabled ;; esac
EOF
chmod 755 "$root/usr/bin/systemctl"
was_said() {
  grep -q -- "$1" "$root/run/systemctl.log" || fail "$2: systemd was not told \"$1\""
  : >"$root/run/systemctl.log"
}

echo '# edited' >>"$root/etc/sched_exporter/config.yml"
install "$(package 99.0)"
was_said 'restart .*sched_exporter.service' 'upgrade'
in_root dpkg-query --list sched-exporter | grep ' 99\.0 ' >/dev/null || fail 'the upgrade installed no 99.0'
[[ $(tail -n 1 "$root/etc/sched_exporter/config.yml") == '# edited' ]] || fail 'the upgrade lost the config'

# A version with another default asks, or keeps the old one where nobody can answer.
dpkg-deb -R "$(echo "$work"/99.0/*.deb)" "$work/unpacked"
sed -i 's/^Version: .*/Version: 99.1/' "$work/unpacked/DEBIAN/control"
echo '# a new default' >>"$work/unpacked/etc/sched_exporter/config.yml"
dpkg-deb -b "$work/unpacked" "$work/changed.deb" >/dev/null
install "$work/changed.deb" -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold
[[ $(tail -n 1 "$root/etc/sched_exporter/config.yml") == '# edited' ]] ||
  fail 'the upgrade to a new default lost the config'
is_there /etc/sched_exporter/config.yml.dpkg-dist 'upgrade to a new default'

apt remove sched-exporter
was_said 'stop .*sched_exporter.service' 'remove'
is_gone /usr/bin/sched_exporter 'remove'
is_gone /lib/systemd/system/sched_exporter.service 'remove'
is_there /etc/sched_exporter/config.yml 'remove'
install "$first" -o Dpkg::Options::=--force-confold
was_said 'start .*sched_exporter.service' 'install'
apt purge sched-exporter
apt autoremove --purge
rm -r "$root"/run/systemctl.log "$root/usr/bin/systemctl" "$root/run/systemd"
files >"$work/after"
diff "$work/before" "$work/after" | grep '^[<>]' >"$work/traces" || true
[[ ! -s $work/traces ]] || fail "purge left or took: $(head -n 5 "$work/traces" | tr '\n' ' ')"
cmp -s "$root/etc/passwd" "$work/passwd" || fail 'purge left a user'
