#!/bin/bash
# Boots Debian's kernels under QEMU, runs the kernel suite of the release build in each, and prints a table, which is in
# build/vm/table.md, too; build/report-vm.xml has the single tests. The exit code is not zero if a test failed or a
# guest did not come to its end.
#   run.sh [KERNEL...]   5.10 6.1 6.12 newest, which are x86-64's and the default; 6.1-arm64 6.12-arm64
# The environment may have GTEST_FILTER, and SCHED_EXPORTER_TEST_LOAD in percent (tests/support/workload.h).
set -euo pipefail
exec </dev/null
cd "$(dirname "$(readlink -f "$0")")/../.."
# shellcheck source=deploy/packages.sh
source deploy/packages.sh
readonly cache=$PWD/build/vm
# shellcheck source=tests/vm/kernels.sh
source tests/vm/kernels.sh
# shellcheck source=tests/vm/arm64.sh
source tests/vm/arm64.sh
# shellcheck source=tests/vm/guest.sh
source tests/vm/guest.sh
# shellcheck source=tests/vm/report.sh
source tests/vm/report.sh

readonly guests_at_a_time=3
readonly limit_s=600
# No test says nothing for so long, on the slowest machine that was tried.
readonly silence_s=120
readonly load_percent=${SCHED_EXPORTER_TEST_LOAD:-3}
readonly filter=${GTEST_FILTER:-*}

names=("$@")
[[ $# -gt 0 ]] || mapfile -t names < <(kernels_of amd64)
architectures=()
for name in "${names[@]}"; do
  kernel_named "$name" || fail "no kernel $name; there are $(printf '%s ' "${kernels[@]%% *}")"
  [[ " ${architectures[*]} " == *" $architecture "* ]] || architectures+=("$architecture")
done

install_missing "${build_packages[@]}" "${vm_packages[@]}" libgmock-dev libgtest-dev
[[ " ${architectures[*]} " != *' arm64 '* ]] || install_missing "${arm64_packages[@]}"
use_ccache
mkdir -p "$cache"
for name in "${names[@]}"; do
  get_kernel "$name"
done

# A guest's processors take turns in one thread: with one each, QEMU 7.2 lost interrupts of a halted one now and then, and
# a guest took longer.
readonly emulated=tcg,thread=single
# Not those of arm64: there, tasks that switch all the time took minutes so.
readonly emulated_arm64=tcg,thread=multi
accelerator=$emulated
! can_use_kvm || accelerator=kvm
build_amd64() {
  cmake --preset release -DSCHED_EXPORTER_TESTS=ON >/dev/null
  cmake --build "$1" --target kernel_tests
}
for architecture in "${architectures[@]}"; do
  of_architecture "$architecture"
  "build_$architecture" "$build" >&2 || fail "the build for $architecture failed; its output is above"
  make_initramfs "$architecture"
done

# Each in a process group of its own, so that none is left when this ends early.
pids=()
end_guests() {
  local pid
  for pid in "${pids[@]}"; do
    kill -- "-$pid" 2>/dev/null || true
  done
}
trap end_guests EXIT

running=0
for name in "${names[@]}"; do
  if [[ $running -eq $guests_at_a_time ]]; then
    wait -n || true
    running=$((running - 1))
  fi
  set -m
  boot "$name" &
  set +m
  pids+=($!)
  running=$((running + 1))
done
wait
trap - EXIT

for name in "${names[@]}"; do
  explain "$name"
done
printf '\n'
write_table "${names[@]}" | tee "$cache/table.md"
write_report "${names[@]}" >build/report-vm.xml
! grep -q 'status="fail"' build/report-vm.xml
