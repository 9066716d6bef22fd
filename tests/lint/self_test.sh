#!/bin/bash
# The checks of this directory find what they are for: each gets a small tree with one fault.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

faults=0

# fresh: a tree without a fault.
fresh() {
  rm -rf "${tree:?}"/*
  mkdir -p "$tree"/{bpf,deploy,tests,exporter/{base,model,config,kernel,http,app}}
  printf 'struct {\n} tasks SEC(".maps");\n\nSEC("iter/task")\nint each_task(void *ctx)\n' \
    >"$tree/bpf/a.bpf.c"
}

# expect STATUS WHAT CHECK: the check ends with 0 or 1 on the tree.
expect() {
  local status=0
  "$here/$3" "$tree" >/dev/null || status=$?
  if [[ $status -ne $1 ]]; then
    echo "$3 ended with $status, not $1: $2"
    faults=$((faults + 1))
  fi
}

# arrow STATUS STAGE INCLUDE
arrow() {
  fresh
  echo "#include $3" >"$tree/exporter/$2/a.cc"
  expect "$1" "exporter/$2 includes $3" include_arrows.sh
}

arrow 0 app '"exporter/kernel/source.h"'
arrow 0 kernel '"exporter/model/snapshot.h"'
arrow 0 kernel '"bpf/abi.h"'
arrow 0 config '<yaml-cpp/yaml.h>'
arrow 1 base '"exporter/model/snapshot.h"'
arrow 1 config '"exporter/model/snapshot.h"'
arrow 1 http '"exporter/model/snapshot.h"'
arrow 1 kernel '"exporter/config/config.h"'
arrow 1 model '"bpf/abi.h"'
arrow 1 app '<bpf/libbpf.h>'
arrow 1 app '<prometheus/registry.h>'
arrow 1 kernel '"tests/support/cgroup.h"'
fresh
mkdir "$tree/exporter/new"
expect 1 'a stage that nobody knows' include_arrows.sh

fresh
expect 0 'nothing wrong' text.sh
printf '//\n%.0s' {1..400} >"$tree/exporter/base/long.cc"
expect 1 'a file of 400 lines' text.sh
fresh
echo '} sixteen_is_a_lot SEC(".maps");' >>"$tree/bpf/a.bpf.c"
expect 1 'a map with a name of 16 characters' text.sh
fresh
printf 'SEC("tp_btf/x")\nint BPF_PROG(sixteen_is_a_lot, int a)\n' >>"$tree/bpf/a.bpf.c"
expect 1 'a program with a name of 16 characters' text.sh
fresh
echo '// TODO: write it' >"$tree/exporter/base/a.cc"
expect 1 'a word for work that is left' text.sh

[[ $faults -eq 0 ]]
