#!/bin/bash
# Dependencies between the stages of exporter/ point one way:
#   base <- model <- {rules, kernel, identity, ledger, events, live, metrics} <- app, config on rules, http
#   on base alone
# and each library from outside has one user.
#   include_arrows.sh [SOURCE_DIR]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"

# What a stage may include besides itself.
declare -A allowed=(
  [base]=''
  [model]='base'
  [rules]='base model'
  [config]='base rules'
  [kernel]='base model'
  [identity]='base model'
  [ledger]='base model'
  [events]='base model'
  [live]='base model'
  [metrics]='base model'
  [http]='base'
  [app]='base model rules config kernel identity ledger events live metrics http'
)

# Who may include what is not ours: a regular expression, and the stages.
outside=(
  '<yaml-cpp/' 'config'
  '<bpf/|"[a-z_]+\.skel\.h"' 'kernel'
  '"bpf/' 'kernel app'
  '<prometheus/' 'metrics'
  '<civetweb|<CivetServer' 'http'
  '<zlib' 'http app'
  '<cereal/' 'base'
  '<openssl/|<crypt\.h' 'http'
  '<CLI/|<spdlog/|<fmt/' 'app'
  '<nlohmann/' 'events identity live app'
  '<re2/' 'rules'
  '<cap-ng' 'kernel app'
  '<seccomp\.h>' 'app'
)

contains() { [[ " $1 " == *" $2 "* ]]; }

faults=0
fault() {
  echo "$1"
  faults=$((faults + 1))
}

# check_line STAGE PLACE INCLUDED
check_line() {
  local i
  if [[ $3 =~ ^\"exporter/([a-z_]+)/ ]]; then
    local target=${BASH_REMATCH[1]}
    [[ $target == "$1" ]] || contains "${allowed[$1]}" "$target" ||
      fault "$2: stage $1 must not include stage $target"
  elif [[ $3 == \"tests/* ]]; then
    fault "$2: the program must not include tests"
  fi
  for ((i = 0; i < ${#outside[@]}; i += 2)); do
    if [[ $3 =~ ^(${outside[i]}) ]]; then
      contains "${outside[i + 1]}" "$1" ||
        fault "$2: only ${outside[i + 1]} may include $3"
    fi
  done
}

for directory in exporter/*/; do
  stage=$(basename "$directory")
  if [[ ! -v allowed[$stage] ]]; then
    fault "$directory: an unknown stage; say in $0 what it may include"
    continue
  fi
  while IFS=: read -r file number text; do
    check_line "$stage" "$file:$number" "${text#*include }"
  done < <(grep -rnE '^#include ' "$directory" || true)
done

while IFS=: read -r file number text; do
  fault "$file:$number: the BPF side must not include the exporter: $text"
done < <(grep -rnE '^#include "(exporter|tests)/' bpf || true)

[[ $faults -eq 0 ]]
