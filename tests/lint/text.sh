#!/bin/bash
# What grep can hold: files are short, the kernel doesn't cut names of maps and programs, and nothing
# is left half done.
#   text.sh [SOURCE_DIR]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"

max_lines=400
max_name=15 # BPF_OBJ_NAME_LEN is 16 with the final zero

faults=0
fault() {
  echo "$1"
  faults=$((faults + 1))
}

mapfile -t sources < <(find bpf exporter tests deploy -name '*.h' -o -name '*.cc' -o -name '*.c' \
  -o -name '*.sh' -o -name '*.js' -o -name '*.css' -o -name CMakeLists.txt)

for file in "${sources[@]}"; do
  lines=$(wc -l <"$file")
  [[ $lines -lt $max_lines ]] || fault "$file: $lines lines; less than $max_lines are wanted"
done

# Maps are declared as `} name SEC(".maps")`, programs as `int BPF_PROG(name,` or `int name(`.
names() {
  grep -ohE '[a-z_0-9]+ SEC\("\.maps"\)' "$@" | sed 's/ .*//'
  grep -hA1 -E '^SEC\("' "$@" | sed -nE 's/^int (BPF_PROG\()?([a-z_0-9]+).*/\2/p'
}
found=0
while read -r name; do
  found=$((found + 1))
  [[ ${#name} -le $max_name ]] || fault "bpf: $name has more than $max_name characters"
done < <(names bpf/*)
[[ $found -gt 0 ]] || fault "bpf: no map or program found; has the way to declare them changed?"

words='\b(TODO|FIXME|XXX|HACK|for now)\b'
while IFS= read -r line; do
  fault "$line"
done < <(grep -nE "$words" "${sources[@]}" ./*.md config/* docs/*.md docs/*/*.md 2>/dev/null |
  grep -v '^tests/lint/' || true)

[[ $faults -eq 0 ]]
