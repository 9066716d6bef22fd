#pragma once

#include <memory>
#include <string>

namespace sched_exporter {

/// What a process runs, as exec was given it. Bytes, not printable; arguments may hold secrets.
struct ProgramImage {
  std::string file;            ///< Path as exec got it; for a script, the script's.
  std::string arguments;       ///< Each ended by NUL, but for a last one that was cut.
  bool arguments_cut = false;  ///< There were more than the config lets in.
  bool file_cut = false;

  template <typename Archive>
  void serialize(Archive& archive) {
    archive(file, arguments, arguments_cut, file_cut);
  }
};

/// Forked children run the same as their parent, so that many processes share one.
using ProgramImagePtr = std::shared_ptr<const ProgramImage>;

}  // namespace sched_exporter
