#!/bin/bash
# clang-tidy over the exporter with .clang-tidy's checks. Most of its time goes to the headers of libraries, so
# the files of a stage are looked at as one, and to the analyzer's last paths through a few functions: at a sixth of its
# limit for these the stage `config` takes 18 s of CPU time instead of 53.
#   tidy.sh BUILD_DIR [FILE...]   BUILD_DIR has compile_commands.json and the generated headers; FILEs are looked
#                                 at one by one
#   TIDY_JOBS=1                   not as many at a time as there are CPUs
set -euo pipefail
build=$(readlink -f "$1")
shift
cd "$(dirname "$0")/../.."
jobs=${TIDY_JOBS:-$(nproc)}
# The commands are GCC's: clang doesn't know all of its warnings.
tidy=(clang-tidy-14 --quiet --extra-arg=-Wno-unknown-warning-option)
for argument in -Xclang -analyzer-config -Xclang max-nodes=40000; do
  tidy+=("--extra-arg=$argument")
done

if [[ $# -gt 0 ]]; then
  printf '%s\0' "$@" | xargs -0 -n 1 -P "$jobs" "${tidy[@]}" -p "$build"
  exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp .clang-tidy "$work"

# flags_of FILE: its compiler's, as compile_commands.json has them.
flags_of() {
  sed -n "\\#-c $PWD/$1\"#s/^[^-]* \\(-.*\\) -o .*/\\1/p" "$build/compile_commands.json"
}

# look_at STAGE: all its files in one; what is found is told with the place in the file of its own.
look_at() {
  local file lines=0 places='' status=0 flags
  for file in exporter/"$1"/*.cc; do
    cat "$file" >>"$work/$1.cc"
    places+="$lines $file "
    lines=$((lines + $(wc -l <"$file")))
  done
  read -ra flags < <(flags_of "$file")
  [[ ${#flags[@]} -gt 0 ]] || { echo "$file is not in $build/compile_commands.json" && return 1; }
  "${tidy[@]}" "$work/$1.cc" -- "${flags[@]}" >"$work/$1.log" 2>&1 || status=$?
  awk -v whole="$work/$1.cc" -v places="$places" '
    BEGIN { count = split(places, place, " ") }
    index($0, whole ":") == 1 {
      split(substr($0, length(whole) + 2), part, ":")
      for (i = 1; i < count && place[i] < part[1]; i += 2) at = i
      rest = substr($0, length(whole) + 2 + length(part[1]))
      $0 = place[at + 1] ":" part[1] - place[at] rest
    }
    { print }' "$work/$1.log"
  return "$status"
}

export -f look_at flags_of
export build work
# shellcheck disable=SC2016 # $1 is the inner shell's
find exporter -name '*.cc' -printf '%h\n' | sort | uniq -c | sort -rn | awk '{ print $2 }' | xargs -n 1 basename |
  xargs -n 1 -P "$jobs" bash -c 'tidy=('"${tidy[*]}"'); look_at "$1"' bash
