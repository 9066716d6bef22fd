#!/bin/bash
# Installs what is missing, builds and runs the benchmarks, and writes their tables as Markdown to stdout and
# build/bench/tables.md, the figures alone to build/bench/figures.tsv. At the end it holds them against the budgets.
# Fails only where a benchmark could not run.
#   run.sh [--quick] [BENCHMARK...]   hook_cost throughput exec_cost scrape_cost walk_cost idle_cost; all by default
#     --quick                         a few minutes instead of half an hour, to see that all works
set -euo pipefail
exec </dev/null
cd "$(dirname "$(readlink -f "$0")")/../.."
# shellcheck source=deploy/packages.sh
source deploy/packages.sh

titles=(
  "hook_cost=The hook on sched_switch"
  "throughput=What loads lose"
  "exec_cost=What a child costs"
  "scrape_cost=A scrape as processes grow"
  "walk_cost=A sweep as tasks grow"
  "idle_cost=On a quiet machine"
)

# title_of BENCHMARK: fails where there is none.
title_of() {
  local title
  for title in "${titles[@]}"; do
    [[ $title != "$1="* ]] || { echo "${title#*=}" && return; }
  done
  return 1
}

options=()
benchmarks=()
for word; do
  if [[ $word == --quick ]]; then
    options+=("$word")
  else
    title_of "$word" >/dev/null || fail "no benchmark $word; there are ${titles[*]%%=*}"
    benchmarks+=("$word")
  fi
done
[[ ${#benchmarks[@]} -gt 0 ]] || benchmarks=("${titles[@]%%=*}")

need_root "the benchmarks load BPF programs"
install_missing "${build_packages[@]}" "${bench_packages[@]}"
use_ccache
{
  cmake --preset release -DSCHED_EXPORTER_TESTS=ON -DSCHED_EXPORTER_BENCH=ON >/dev/null
  cmake --build --preset release --target benchmarks
} >&2 || fail "the build failed; its output is above"

# What benchmarks raise, also where one is killed.
pid_max=$(</proc/sys/kernel/pid_max)
trap 'echo "$pid_max" >/proc/sys/kernel/pid_max' EXIT

mkdir -p build/bench
rm -f build/bench/figures.tsv
touch build/bench/figures.tsv
export SCHED_EXPORTER_FIGURES=$PWD/build/bench/figures.tsv

# version_of PACKAGE
version_of() {
  dpkg-query --show --showformat="$1 \${Version}" "$1"
}

# busy_percent: of all CPUs, in the two seconds to come.
busy_percent() {
  { head -n 1 /proc/stat && sleep 2 && head -n 1 /proc/stat; } |
    awk '{ all[NR] = $2 + $3 + $4 + $5 + $6 + $7 + $8 + $9; idle[NR] = $5 + $6 }
      END { printf "%.0f", 100 * (1 - (idle[2] - idle[1]) / (all[2] - all[1])) }'
}

# load: what else the machine does.
load() {
  echo "Before it: $(busy_percent) % of the CPUs busy, $(cut -d ' ' -f 4 /proc/loadavg | cut -d / -f 2) tasks."
}

machine() {
  echo "Linux $(uname -r), $(uname -m), $(nproc) CPUs ($(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1));" \
    "$(version_of libbpf-tools), $(version_of bpftrace), $(version_of prometheus-process-exporter)."
  [[ ${#options[@]} -eq 0 ]] || echo "A quick run: it shows that all works, not what it costs."
}

# run BENCHMARK: its section.
run() {
  printf '\n## %s\n\n%s\n\n' "$(title_of "$1")" "$(load)"
  "build/release/bench/bench_$1" "${options[@]}"
}

failed=()
tables() {
  local benchmark
  machine
  for benchmark in "${benchmarks[@]}"; do
    run "$benchmark" || failed+=("$benchmark")
  done
  printf '\n## Budgets\n\n'
  tests/bench/budgets.sh "$SCHED_EXPORTER_FIGURES"
  [[ ${#failed[@]} -eq 0 ]] || fail "could not run: ${failed[*]}"
}

tables | tee build/bench/tables.md
