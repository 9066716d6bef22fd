#!/bin/bash
# The guard finds what it is for: each figure of counts.txt is planted 6 % larger, 4 % larger, and left out.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
new=$(mktemp)
log=$(mktemp)
trap 'rm -f "$new" "$log"' EXIT
faults=0

# expect STATUS WHAT: the guard ends with 0 or 1 on the planted figures.
expect() {
  local status=0
  "$here/guard.sh" --compare "$here/counts.txt" "$new" >"$log" || status=$?
  if [[ $status -ne $1 ]]; then
    echo "guard.sh ended with $status, not $1: $2"
    cat "$log"
    faults=$((faults + 1))
  fi
}

# plant NAME PERCENT: the figures with one of them larger, rounded away from the old one.
plant() {
  awk -v name="$1" -v percent="$2" '
    function ceil(x) { return x == int(x) ? x : int(x) + 1 }
    /^#/ { next }
    $1 == name { $2 = percent > 5 ? ceil($2 * (1 + percent / 100)) : int($2 * (1 + percent / 100)) }
    { print }' "$here/counts.txt" >"$new"
}

mapfile -t names < <(awk '!/^#/ { print $1 }' "$here/counts.txt")
[[ ${#names[@]} -ge 6 ]] || { echo "counts.txt has only ${#names[@]} figures" && exit 1; }
for name in "${names[@]}"; do
  plant "$name" 6
  expect 1 "$name has grown by 6 %"
  grep -q "^$name .*GROWN" "$log" || { echo "the guard does not name $name" && faults=$((faults + 1)); }
  plant "$name" 4
  expect 0 "$name has grown by 4 %"
  plant "$name" -100
  expect 1 "$name counts nothing"
  grep -v "^$name " "$here/counts.txt" >"$new"
  if [[ $name != callgrind.* || $(uname -m) == x86_64 ]]; then
    expect 1 "$name was not counted"
  fi
done
grep -v '^#' "$here/counts.txt" >"$new"
expect 0 'the same figures'
echo 'hook.unknown 1' >>"$new"
expect 1 'a figure that is not in counts.txt'

[[ $faults -eq 0 ]]
