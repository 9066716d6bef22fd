#!/bin/bash
# Holds what the hot paths cost against counts.txt: instructions and calls of helpers of on_switch, and
# the instructions that callgrind counts for sweeps, reports and texts of a made-up host. Counts, not
# times: they are the same on a busy machine. Fails where one has grown by more than 5 %.
#   guard.sh [--build DIR]            counts and compares; DIR is build/release by default
#   guard.sh [--build DIR] --update   writes counts.txt anew
#   guard.sh --compare OLD NEW        compares two files
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
repository=$(cd "$here/../.." && pwd)
build=$repository/build/release
counts=$here/counts.txt
tolerance=5 # per cent

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# instructions_of PART: within MeasuredWork() of bench_counts.
instructions_of() {
  local log=$work/$1.log
  if ! valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no \
    --toggle-collect=MeasuredWork "$build/bench/bench_counts" "$1" >"$log" 2>&1; then
    cat "$log" >&2
    return 1
  fi
  sed -n 's/.*Collected : \([0-9]*\)$/\1/p' "$log"
}

# count: all figures, "NAME COUNT" each. Those of compiled code are of this processor's kind.
count() {
  local part
  "$build/bench/bench_counts" hook
  if [[ $(uname -m) != x86_64 ]]; then
    echo "guard.sh: callgrind's counts are those of x86-64; only the hook's are looked at" >&2
    return
  fi
  for part in ledger_apply ledger_report text_classic text_openmetrics gzip; do
    echo "callgrind.$part $(instructions_of "$part")"
  done
}

# compare OLD NEW: a line for each figure; fails where one has grown, or has no partner.
compare() {
  awk -v tolerance="$tolerance" -v machine="$(uname -m)" '
    /^#/ || NF != 2 { next }
    NR == FNR { old[$1] = $2; next }
    {
      seen[$1] = 1
      if ($2 == 0) { verdict = "nothing was counted"; bad++ }
      else if (!($1 in old)) { verdict = "new: not in the file"; bad++ }
      else if ($2 > old[$1] * (1 + tolerance / 100)) { verdict = "GROWN"; bad++ }
      else if ($2 < old[$1] * (1 - tolerance / 100)) verdict = "less: keep it with --update"
      else verdict = "ok"
      change = $1 in old && old[$1] > 0 ? sprintf("%+.1f %%", 100 * ($2 / old[$1] - 1)) : ""
      printf "%-32s %12s -> %12s %9s  %s\n", $1, old[$1], $2, change, verdict
    }
    END {
      for (name in old)
        if (!(name in seen) && (machine == "x86_64" || name !~ /^callgrind/)) {
          printf "%-32s %12s -> not counted\n", name, old[name]
          bad++
        }
      exit bad > 0
    }' "$1" "$2"
}

# update NEW: counts.txt with these figures under its old head.
update() {
  grep '^#' "$counts" >"$work/counts.txt"
  cat "$1" >>"$work/counts.txt"
  cp "$work/counts.txt" "$counts"
}

action=guard
while [[ $# -gt 0 ]]; do
  case $1 in
    --build) build=$(readlink -f "$2") && shift ;;
    --update) action=update ;;
    --compare) compare "$2" "$3" && exit || exit 1 ;;
    *) echo "usage: guard.sh [--build DIR] [--update] | --compare OLD NEW" >&2 && exit 2 ;;
  esac
  shift
done

count >"$work/new"
status=0
compare "$counts" "$work/new" || status=$?
if [[ $action == update ]]; then
  update "$work/new"
elif [[ $status -ne 0 ]]; then
  echo "A hot path costs over $tolerance % more than ${counts#"$repository"/} says. If that is worth it:"
  echo "  sudo tests/bench/guard.sh --update     # and the commit says why"
  exit 1
fi
