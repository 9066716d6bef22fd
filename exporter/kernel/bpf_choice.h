#pragma once

#include <string>

namespace sched_exporter {

/// Which programs work for the exporter, as the command line says it.
struct BpfChoice {
  /// "auto" takes "portable" only where the kernel has no BTF, which "full" can't do without.
  std::string mode = "auto";
  /// A file with the kernel's BTF, for kernels that have none of their own; empty: none.
  std::string btf_path;
};

}  // namespace sched_exporter
