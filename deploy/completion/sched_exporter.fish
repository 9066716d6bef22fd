# fish completion for sched_exporter, from what its own --help tells.

function __sched_exporter_command
    set -l names (sched_exporter --help 2>/dev/null | sed -n '/^Subcommands:/,$s/^  \([a-z-]*\) .*/\1/p')
    for word in (commandline -opc)[2..-1]
        if contains -- $word $names
            echo $word
            return
        end
    end
end

function __sched_exporter_flags
    sched_exporter (__sched_exporter_command) --help 2>/dev/null |
        string match -rg '^ +(?:-[a-z],)?(--[a-z.-]+)'
end

function __sched_exporter_commands
    sched_exporter --help 2>/dev/null |
        sed -n '/^Subcommands:/,$s/^  \([a-z-]*\)  *\(.*\)/\1\t\2/p'
end

complete -c sched_exporter -n 'test -z "$(__sched_exporter_command)"' -a '(__sched_exporter_commands)'
complete -c sched_exporter -n 'string match -q -- "-*" (commandline -ct)' -a '(__sched_exporter_flags)'
