#pragma once

namespace sched_exporter::test_support {

/// The config of Debian's package, and the examples in its README. Images without documentation
/// don't have the files.
inline constexpr char kPackagedFile[] =
    "/usr/share/doc/prometheus-process-exporter/examples/all.yaml";
inline constexpr char kPackaged[] =
    "process_names:\n"
    "  - name: \"{{.Comm}}\"\n"
    "    cmdline: \n"
    "    - '.+'";
inline constexpr char kFromReadme[] = R"(
process_names:
  # comm is the second field of /proc/<pid>/stat minus parens.
  - comm:
    - bash
  # exe is argv[0]. If no slashes, only basename of argv[0] need match.
  - exe:
    - postgres
    - /usr/local/bin/prometheus
  - name: "{{.ExeFull}}:{{.Matches.Cfgfile}}"
    exe:
    - /usr/local/bin/process-exporter
    cmdline:
    - -config.path\s+(?P<Cfgfile>\S+)
  - exe:
    - /sbin/upstart
    cmdline:
    - --user
    name: upstart:-user
)";

}  // namespace sched_exporter::test_support
