#!/bin/bash
# Installs what is missing, builds and runs every test: all of them in the release build, those
# that run our code again under ASan with UBSan, and under TSan, and the fuzz targets for a moment.
# Ends with a line "N passed, N failed, N skipped"; the exit code is not zero if any failed.
set -euo pipefail
exec </dev/null
cd "$(dirname "$(dirname "$(readlink -f "$0")")")"
# shellcheck source=deploy/packages.sh
source deploy/packages.sh

need_root "the tests load BPF programs"
install_missing "${build_packages[@]}" "${test_packages[@]}"
use_ccache

passed=0
failed=0
skipped=0

# attribute NAME FILE: a number in the head of a report of ctest.
attribute() {
  grep -o -m1 "[[:space:]]$1=\"[0-9]*\"" "$2" | tr -cd 0-9
}

# count FILE: adds up a report of ctest.
count() {
  local total bad skips
  total=$(attribute tests "$1")
  bad=$(attribute failures "$1")
  skips=$(attribute skipped "$1")
  passed=$((passed + total - bad - skips))
  failed=$((failed + bad))
  skipped=$((skipped + skips))
}

# suite PRESET LABELS TARGET [COMMAND...]: builds the target and runs the tests with such a label,
# COMMAND in front.
suite() {
  local preset=$1 labels=$2 target=$3 report status=0
  shift 3
  report=$PWD/build/$preset/ctest.xml
  printf '\n== %s\n' "$preset"
  "$@" cmake --preset "$preset" -DSCHED_EXPORTER_TESTS=ON >/dev/null ||
    fail "cannot configure the $preset build"
  "$@" cmake --build --preset "$preset" --target "$target" ||
    fail "the $preset build failed; its output is above"
  rm -f "$report"
  "$@" ctest --test-dir "build/$preset" --label-regex "$labels" --no-tests=error \
    --output-on-failure --output-junit "$report" -j2 || status=$?
  [[ -s $report ]] || fail "ctest made no report of the $preset tests"
  count "$report"
  if [[ $status -ne 0 && $failed -eq 0 ]]; then
    fail "ctest ended with $status in the $preset tests"
  fi
}

# TSan of GCC 12 knows only address spaces with little randomness.
fixed_addresses=()
if setarch --addr-no-randomize true 2>/dev/null; then
  fixed_addresses=(setarch --addr-no-randomize)
fi

export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

suite release '.' all
# The kernel suite looks at the kernel's figures; what it runs of the exporter is in e2e, too.
suite asan '^(unit|e2e)$' e2e_and_unit
suite tsan '^(unit|e2e)$' e2e_and_unit "${fixed_addresses[@]}"
suite fuzz '^fuzz$' all

printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[[ $failed -eq 0 ]]
