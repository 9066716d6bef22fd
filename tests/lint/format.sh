#!/bin/bash
# Every C++ file is as clang-format 14 writes it by .clang-format, every BPF file by bpf/.clang-format,
# which is the kernel's style. `format.sh --fix` writes it so.
set -euo pipefail
cd "$(dirname "$0")/../.."
mode=(--dry-run -Werror)
[[ ${1:-} != --fix ]] || mode=(-i)

# style STYLE FILES...: the files are find's conditions.
style() {
  local style=$1
  shift
  find "$@" -print0 | xargs -0 clang-format-14 --style="$style" "${mode[@]}"
}

status=0
style file:bpf/.clang-format bpf tests '(' -path 'bpf/*.h' -o -name '*.bpf.c' ')' || status=1
style file exporter tests '(' -name '*.h' -o -name '*.cc' ')' || status=1
exit $status
