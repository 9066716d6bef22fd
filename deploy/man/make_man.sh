#!/bin/bash
# Writes the man page: the template with what --help says of the flags, of the program's own and of
# each subcommand's.
#   make_man.sh BINARY TEMPLATE OUTPUT
set -euo pipefail
binary=$1
template=$2
output=$3

# section TITLE: the paragraphs of one section of a help text as roff. A line begins with two spaces
# and a name, whose description follows in column 31 or, after a long name, in the next line.
section() {
  awk -v title="$1" '
    function roff(text) {
      gsub(/\\/, "\\e", text)
      gsub(/-/, "\\-", text)
      return text
    }
    /^[^ ]/ { inside = $0 == title ":"; next }
    inside && /^  [^ ]/ {
      name = $0
      description = ""
      if (match(name, /[^ ]   *[A-Z]/) && RSTART + RLENGTH - 1 == 31) {
        description = substr($0, 31)
        name = substr($0, 1, RSTART)
      }
      sub(/^ +/, "", name)
      sub(/,--/, ", --", name)
      printf ".TP\n.B %s\n", roff(name)
      if (description != "") print roff(description)
      next
    }
    inside && NF { sub(/^ +/, ""); print roff($0) }
  '
}

# commands: a section for each subcommand with its positional arguments and flags.
commands() {
  local name
  for name in "${subcommands[@]}"; do
    printf '.SS %s\n' "${name//-/\\-}"
    "$binary" "$name" --help | sed -n '1{s/-/\\-/g; s/$/./; p}'
    "$binary" "$name" --help | section Positionals
    "$binary" "$name" --help | section Options
  done
}

mapfile -t subcommands < <("$binary" --help |
  awk '/^[^ ]/ { inside = $0 == "Subcommands:"; next } inside && /^  [^ ]/ { print $1 }')
[[ ${#subcommands[@]} -gt 0 ]]
version=$("$binary" --version)
trap 'rm -f "$output.new"' EXIT
while IFS= read -r line; do
  case $line in
    @OPTIONS@) "$binary" --help | section Options ;;
    @COMMANDS@) commands ;;
    *) printf '%s\n' "${line//@VERSION@/$version}" ;;
  esac
done <"$template" >"$output.new"
mv "$output.new" "$output"
