#!/bin/bash
# What is pinned outlives the exporter: fails where the BPF side has changed and nobody has said what that means to an
# exporter that finds programs of before.
#   layout.sh [--same | --new]
#     --same   the new exporter can go on with the old programs: only notes the change
#     --new    it can't: ABI_LAYOUT in bpf/abi.h has been counted up
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
noted=tests/lint/layout.txt

layout=$(sed -n 's/^#define ABI_LAYOUT \([0-9]*\)$/\1/p' bpf/abi.h)
# Those of portable mode are never pinned.
sum=$(find bpf -name "*.[ch]" ! -name "portable*" -print0 | sort -z | xargs -0 cat | sha256sum | cut -d ' ' -f 1)
read -r noted_layout noted_sum <"$noted"

case ${1-} in
  --same | --new)
    [[ $1 == --same || $layout -gt $noted_layout ]] || { echo "ABI_LAYOUT is still $layout" >&2 && exit 1; }
    [[ $1 == --new || $layout -eq $noted_layout ]] || { echo "ABI_LAYOUT is $layout now" >&2 && exit 1; }
    echo "$layout $sum" >"$noted"
    ;;
  '')
    if [[ "$layout $sum" != "$noted_layout $noted_sum" ]]; then
      echo "bpf/ has changed. Can an exporter of this version go on with programs and maps of the one before?" >&2
      echo "If it can: tests/lint/layout.sh --same. If not: count ABI_LAYOUT up, and tests/lint/layout.sh --new." >&2
      exit 1
    fi
    ;;
  *) echo "usage: layout.sh [--same | --new]" >&2 && exit 2 ;;
esac
