#!/bin/bash
# clang-tidy over the exporter with .clang-tidy's checks.
#   tidy.sh BUILD_DIR [FILE...]   BUILD_DIR has compile_commands.json and the generated headers;
#                                 TIDY_JOBS=1 looks at one file at a time, and not at as many as
#                                 there are CPUs
set -euo pipefail
build=$(readlink -f "$1")
shift
cd "$(dirname "$0")/../.."
if [[ $# -eq 0 ]]; then
  mapfile -t files < <(find exporter -name '*.cc' | sort)
  set -- "${files[@]}"
fi
# The commands are GCC's: clang doesn't know all of its warnings.
printf '%s\0' "$@" |
  xargs -0 -n 1 -P "${TIDY_JOBS:-$(nproc)}" clang-tidy-14 -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option
