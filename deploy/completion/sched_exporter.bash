# bash completion for sched_exporter. Flags, commands and the values of a flag that has a fixed set
# are those that the program's own --help tells.
# shellcheck shell=bash

_sched_exporter() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local program=${COMP_WORDS[0]} help word command='' kind
  # "--flag=value" comes as three words.
  if [[ $current == '=' ]]; then
    current=
  elif [[ $previous == '=' ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  help=$("$program" --help 2>/dev/null) || return 0
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ $word == [a-z]* && $help == *$'\n  '"$word "* && $help == *Subcommands:*$'\n  '"$word "* ]]; then
      command=$word
      help=$("$program" "$command" --help 2>/dev/null) || return 0
      break
    fi
  done

  kind=
  # Anything else would be no word for sed's expression.
  if [[ $previous =~ ^--[a-z.-]+$ ]]; then
    kind=$(sed -nE "s/^ +(-[a-z],)?${previous//./\\.} ([^ ]+)( .*)?$/\\2/p" <<<"$help")
  fi
  case $kind in
    *:\{*\}*)
      kind=${kind#*\{}
      kind=${kind%%\}*}
      mapfile -t COMPREPLY < <(compgen -W "${kind//,/ }" -- "$current")
      return 0
      ;;
    FILE* | PATH*)
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      compopt -o filenames 2>/dev/null
      return 0
      ;;
    DIR*)
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      compopt -o filenames 2>/dev/null
      return 0
      ;;
    [A-Z]*) return 0 ;;
  esac

  local words
  words=$(awk '
    /^[^ ]/ { section = $1; next }
    section == "Options:" && match($0, /^ +(-[a-z],)?--[a-z.-]+/) {
      word = substr($0, RSTART, RLENGTH); sub(/^.*--/, "--", word); print word
    }
    section == "Subcommands:" && /^  [^ ]/ { print $1 }
  ' <<<"$help")
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  if [[ -n $command && $current != -* ]]; then
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
    compopt -o filenames 2>/dev/null
  fi
}

complete -F _sched_exporter sched_exporter
