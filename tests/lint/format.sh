#!/bin/bash
# Every C and C++ file is as clang-format 14 writes it (.clang-format, and bpf/.clang-format for the
# kernel style there). `format.sh --fix` writes it so.
set -euo pipefail
cd "$(dirname "$0")/../.."
mode=(--dry-run -Werror)
[[ ${1:-} != --fix ]] || mode=(-i)
find bpf exporter tests '(' -name '*.h' -o -name '*.cc' -o -name '*.c' ')' -print0 |
  xargs -0 clang-format-14 --style=file "${mode[@]}"
