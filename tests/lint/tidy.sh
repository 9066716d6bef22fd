#!/bin/bash
# clang-tidy over the exporter with .clang-tidy's checks.
#   tidy.sh BUILD_DIR [FILE...]   BUILD_DIR has compile_commands.json and the generated headers;
#                                 TIDY_JOBS=2 looks at two files at a time
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
  xargs -0 -n 1 -P "${TIDY_JOBS:-1}" clang-tidy-14 -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option
