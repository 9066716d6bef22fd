#!/bin/bash
# The man page and the completions of bash, zsh and fish have exactly the flags that --help prints, of
# the program and of each subcommand.
set -euo pipefail
# shellcheck source=tests/deploy/support.sh
source "$(dirname "$(readlink -f "$0")")/support.sh"
completion=$source/deploy/completion
PATH=$build:$PATH

flags() { grep -oE '(^|[ ,])--[a-z][a-z.-]*' | grep -oE -- '--.*' | sort -u; }
help_flags() { sched_exporter "$@" --help | grep -E '^ +(-[a-z],)?--' | sed -E 's/^( +[^ ]+).*/\1/' | flags; }
help_commands() { sched_exporter --help | sed -n '/^Subcommands:/,$s/^  \([a-z-]*\) .*/\1/p'; }

# same WHAT EXPECTED GOT
same() {
  [[ -n $2 ]] || fail "$1: --help shows none"
  [[ $2 == "$3" ]] || fail "$1: $(diff <(echo "$2") <(echo "$3") | grep '^[<>]' | tr '\n' ' ')"
}

# The man page as its readers see it: a flag at the beginning of a line.
man=$(zcat "$build/deploy/sched_exporter.8.gz" | man --warnings=all --local-file - 2>/dev/null | col -bx)
# man_flags [COMMAND]
man_flags() {
  local section=OPTIONS
  [[ $# -eq 0 ]] || section="   $1"
  awk -v section="$section" '/^(   )?[^ ]/ { inside = $0 == section; next } inside && /^       -/' <<<"$man" |
    sed -E 's/^( +(-[a-z], )?[^ ]+).*/\1/' | flags
}

# bash_words WORD...: what Tab offers in bash behind these words, the last of which is begun.
bash_words() {
  bash -c "source '$completion/sched_exporter.bash'; COMP_WORDS=(sched_exporter \"\$@\"); COMP_CWORD=\$#
    _sched_exporter; printf '%s\n' \"\${COMPREPLY[@]}\"" bash "$@" | sort -u
}

# zsh_words WORD...: the same. The functions that zsh's own completion brings print what they get.
zsh_words() {
  zsh -f -o extendedglob -c "compadd() { shift; print -l -- \$@ }; _files() {}
    _describe() { print -l -- \${\${(P)2}%%:*} }
    words=(sched_exporter \"\$@\"); CURRENT=\$#words; PREFIX=\$words[-1]
    () { $(<"$completion/sched_exporter.zsh")
    }" zsh "$@" | sort -u
}

fish_words() {
  fish --no-config -c "source '$completion/sched_exporter.fish'; complete -C 'sched_exporter $*'" |
    cut -f1 | sort -u
}

mapfile -t commands < <(help_commands)
for shell in bash zsh fish; do
  offered=$("${shell}_words" '' | grep -xE '[a-z-]+' | grep -v '^-' || true)
  same "commands in $shell" "$(printf '%s\n' "${commands[@]}" | sort)" "$offered"
done
for command in "" "${commands[@]}"; do
  subject=(${command:+"$command"})
  name=${command:-the program}
  expected=$(help_flags "${subject[@]}")
  same "the man page's flags of $name" "$expected" "$(man_flags "${subject[@]}")"
  for shell in bash zsh fish; do
    same "$shell's flags of $name" "$expected" "$("${shell}_words" "${subject[@]}" -- | grep -- '^--' | sort -u)"
  done
done
same 'values of --log.level in bash' $'debug\nerror\ninfo\nwarn' "$(bash_words --log.level '')"
same 'values of --log.level= in bash' 'warn' "$(bash_words --log.level = w)"
for word in --a/b '--[' '--log.level*'; do
  said=$(bash_words "$word" '' 2>&1 >/dev/null)
  [[ -z $said ]] || fail "bash's completion behind $word prints: $said"
done
