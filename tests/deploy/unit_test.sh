#!/bin/bash
# The systemd unit: systemd finds nothing wrong with it, calls it safe, does not start it again with bad
# flags, and its filter lets through every system call that the exporter makes from its start to its
# end, with scrapes, events, a reload and a health check between them.
set -euo pipefail
# shellcheck source=tests/deploy/support.sh
source "$(dirname "$(readlink -f "$0")")/support.sh"
unit=$source/deploy/systemd/sched_exporter.service
# systemd's own scale: 0 is "cannot do anything", 10 "may do everything". Most of what is left is
# capabilities, networking and the host's processes, which the exporter is there for.
most_exposed=2.2

work=$(mktemp -d)
exporter_log=$work/exporter.log
: >"$exporter_log"
tracer=
clean_up() {
  # strace ends with the one that it runs.
  [[ -z $tracer ]] || pkill --parent "$tracer" || true
  [[ -z $tracer ]] || wait "$tracer" 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT

# systemd wants the program to be there; the one that was built stands in for it.
sed "s,/usr/bin/sched_exporter,$build/sched_exporter," "$unit" >"$work/sched_exporter.service"
findings=$(systemd-analyze verify --man=no "$work/sched_exporter.service" 2>&1) || fail "systemd-analyze: $findings"
[[ -z $findings ]] || fail "systemd-analyze verify: $findings"
systemd-analyze security --offline=true "--threshold=$(tr -d . <<<"$most_exposed")" "$unit" >"$work/security" 2>&1 ||
  fail "systemd-analyze security: $(tail -n 1 "$work/security")"

# A command line that it doesn't understand is none to try again.
status=0
"$build/sched_exporter" --no-such-flag >/dev/null 2>&1 || status=$?
grep -qx "RestartPreventExitStatus=$status" "$unit" ||
  fail "the unit starts again and again what ends with $status for an unknown flag"

# expand NAME...: system calls of groups (@NAME) and groups within them.
expand() {
  local name
  for name; do
    if [[ $name == @* ]]; then
      # shellcheck disable=SC2046 # a list of words
      expand $(systemd-analyze --no-pager syscall-filter "$name" | sed -n '2,$s/^ *\([@a-z0-9_-]*\).*/\1/p')
    else
      echo "$name"
    fi
  done
}
read -ra allow < <(sed -n 's/^SystemCallFilter=\([^~]\)/\1/p' "$unit")
read -ra deny < <(sed -n 's/^SystemCallFilter=~//p' "$unit")
comm -23 <(expand "${allow[@]}" | sort -u) <(expand "${deny[@]}" | sort -u) >"$work/allowed"
[[ $(wc -l <"$work/allowed") -gt 100 ]] || fail 'the filter of the unit cannot be read'

port=$(free_port)
printf 'events:\n  output: file\n  file: %s/events.json\n' "$work" >"$work/config.yml"
user=61184
confined $user "$(sed -n 's/^AmbientCapabilities=//p' "$unit")"
cp "$build/sched_exporter" "$work/"
chown $user "$work"
strace --follow-forks --quiet=all --output="$work/trace" "${confine[@]}" \
  "$work/sched_exporter" --config.file="$work/config.yml" --allow-second-instance --web.enable-lifecycle \
  --web.listen-address="127.0.0.1:$port" 2>"$exporter_log" &
tracer=$!
exporter=$tracer
await 'it serves under strace' curl -sS --fail "http://127.0.0.1:$port/readyz"
exporter=$(pgrep --parent "$tracer")
count_probes curl -sS --fail "http://127.0.0.1:$port/metrics"
curl -sS --fail --request POST "http://127.0.0.1:$port/-/reload" >/dev/null
kill -HUP "$exporter"
await 'it reloads' grep -q 'config reloaded' "$exporter_log"
await 'it writes events' test -s "$work/events.json"
kill "$exporter"
wait "$tracer" || fail "the exporter ended with $?"
exporter=
tracer=
# The exporter's own filter lets through what it calls; it is there by then.
sed -nE '1,/ seccomp\(SECCOMP_SET_MODE_FILTER,/!p' "$work/trace" >"$work/filtered"
grep -q ' bpf(BPF_' "$work/filtered" || fail 'strace saw no bpf() after the filter'
refused=$(grep -m 1 ' = -1 EPERM ' "$work/filtered" || true)
[[ -z $refused ]] || fail "the exporter's own filter refused a call of its own: $refused"
# From the exporter's own execve() on. What the kernel forbids this user anyway, the filter may.
sed -nE -e '1,/execve\(.*sched_exporter/d' -e '/ = -1 EPERM /d' -e 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' \
  "$work/trace" | sort -u >"$work/used"
grep -qx bpf "$work/used" || fail 'strace saw no bpf()'
forbidden=$(comm -23 "$work/used" "$work/allowed" | tr '\n' ' ')
[[ -z $forbidden ]] || fail "the unit's SystemCallFilter forbids what the exporter calls: $forbidden"
