#!/bin/bash
# Installs what is missing, builds and runs every test: all of them in the release build, unit and e2e
# again with a library and an exporter under ASan with UBSan, those in which threads meet under TSan, and the fuzz
# targets; then the kernel suite on other kernels.
# Ends with a line "N passed, N failed, N skipped"; the exit code is not zero if any failed.
set -euo pipefail
exec </dev/null
cd "$(dirname "$(dirname "$(readlink -f "$0")")")"
# shellcheck source=deploy/packages.sh
source deploy/packages.sh

need_root "the tests load BPF programs"
mapfile -t packages < <(packages_of "${test_programs[@]}")
install_missing "${build_packages[@]}" "${package_packages[@]}" "${test_packages[@]}" "${vm_packages[@]}" \
  "${packages[@]}"
use_ccache

passed=0
failed=0
skipped=0

# attribute NAME FILE: a number in the head of a report of ctest.
attribute() {
  grep -o -m1 "[[:space:]]$1=\"[0-9]*\"" "$2" | tr -cd 0-9
}

# count REPORT: adds up what ctest said.
count() {
  local total bad skips
  total=$(attribute tests "$1")
  bad=$(attribute failures "$1")
  skips=$(attribute skipped "$1")
  passed=$((passed + total - bad - skips))
  failed=$((failed + bad))
  skipped=$((skipped + skips))
}

# build PRESET TARGET [COMMAND...]: COMMAND in front.
build() {
  local preset=$1 target=$2
  shift 2
  "$@" cmake --preset "$preset" -DSCHED_EXPORTER_TESTS=ON >/dev/null ||
    fail "cannot configure the $preset build"
  "$@" cmake --build --preset "$preset" --target "$target" ||
    fail "the $preset build failed; its output is above"
}

# run_tests NAME PRESET LABELS NAMES [COMMAND...]: runs the tests of a build with such a label and such a name, COMMAND
# in front. It fails only without a report, build/report-NAME.xml, which tells of the tests.
run_tests() {
  local name=$1 preset=$2 labels=$3 names=$4 report=$PWD/build/report-$1.xml status=0
  shift 4
  printf '\n== %s\n' "$name"
  "$@" ctest --test-dir "build/$preset" --label-regex "$labels" --tests-regex "$names" --no-tests=error \
    --output-on-failure --output-junit "$report" -j"${CTEST_PARALLEL_LEVEL:-2}" || status=$?
  [[ -s $report ]] || fail "ctest made no report of the $name tests"
  if [[ $status -ne 0 && $(attribute failures "$report") -eq 0 ]]; then
    fail "ctest ended with $status in the $name tests"
  fi
}

all=.

# run_sanitized PRESET NAMES [COMMAND...]: the unit tests of this build, then the e2e tests with such a name, which are
# the release build's, with its exporter.
run_sanitized() {
  local preset=$1 names=$2
  shift 2
  run_tests "$preset-unit" "$preset" '^unit$' "$all" "$@"
  SCHED_EXPORTER_BINARY=$PWD/build/$preset/sched_exporter \
    run_tests "$preset-e2e" release '^e2e$' "$names" "$@"
}

# fuzz: all of the fuzz suite.
fuzz() {
  build fuzz all
  CTEST_PARALLEL_LEVEL=5 run_tests fuzz fuzz '^fuzz$' "$all"
}

# beside COMMAND...: begins it behind the tests, which leave a processor to wait most of the time:
# at the lowest priority, in a process group of its own, its output kept until `joined`.
beside_pid=
beside() {
  mkdir -p build
  set -m
  (renice --priority 19 --pid "$BASHPID" >/dev/null && "$@") >build/beside.log 2>&1 &
  set +m
  beside_pid=$!
}
trap '[[ -z $beside_pid ]] || kill -- "-$beside_pid" 2>/dev/null' EXIT

# joined: waits for it and shows what it said.
joined() {
  local status=0
  wait "$beside_pid" || status=$?
  beside_pid=
  printf '\n== beside it\n'
  cat build/beside.log
  [[ $status -eq 0 ]] || fail "what ran beside the tests failed; its output is above"
}

# TSan of GCC 12 knows only address spaces with little randomness.
fixed_addresses=()
if setarch --addr-no-randomize true 2>/dev/null; then
  fixed_addresses=(setarch --addr-no-randomize)
fi

export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

# While the tests of one build run, the next is built.
rm -f build/report-*.xml
build release all
beside build asan sanitized
run_tests release release "$all" "$all"
joined
# The kernel suite looks at the kernel's figures; what it runs of the exporter is in e2e, too.
beside build tsan sanitized "${fixed_addresses[@]}"
run_sanitized asan "$all"
joined
beside fuzz
# Where threads meet: clients that ask, events that come, files and signals that change what is served.
threads_meet='BasicAuth|EventsCommand|HealthCommand|HostileRequests|Kubernetes|LiveApi|Reload|Rotation|SelfMetrics'
threads_meet+='|Serving|Shutdown|Stream|Tls|WebConfigFile'
run_sanitized tsan "$threads_meet" "${fixed_addresses[@]}"
joined

printf '\n== vm\n'
tests/vm/run.sh || [[ -s build/report-vm.xml ]] || fail "the guests made no report"

for name in release asan-unit asan-e2e tsan-unit tsan-e2e fuzz vm; do
  count "build/report-$name.xml"
done
printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[[ $failed -eq 0 ]]
