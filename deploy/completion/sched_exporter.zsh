#compdef sched_exporter
# zsh completion for sched_exporter, from what its own --help tells.

local -a commands flags
local line section command
for line in ${(f)"$($words[1] --help 2>/dev/null)"}; do
  [[ $line == [^\ ]* ]] && section=$line
  if [[ $section == Subcommands: && $line == (#b)'  '([a-z-]##)' '##(*) ]]; then
    commands+=("$match[1]:$match[2]")
    (( $words[(I)$match[1]] > 0 && $words[(I)$match[1]] < CURRENT )) && command=$match[1]
  fi
done
for line in ${(f)"$($words[1] $command --help 2>/dev/null)"}; do
  [[ $line =~ '^ +(-[a-z],)?(--[a-z.-]+)' ]] && flags+=($match[2])
done
if [[ $PREFIX == -* ]]; then
  compadd -- $flags
elif [[ -z $command ]]; then
  _describe command commands
  _files
else
  _files
fi
