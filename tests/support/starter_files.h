#pragma once

#include <cerrno>
#include <string>

#include "tests/support/starter_plan.h"

namespace sched_exporter::test_support {

// The files in the starter's directory. Names of programs begin with the starter's own.

inline std::string RecordsFile(const std::string& directory) { return directory + "/records"; }

/// A copy of test_child.
inline std::string ProgramFile(const std::string& directory, const std::string& comm) {
  return directory + "/" + comm + "_e";
}

/// A link to it.
inline std::string LinkFile(const std::string& directory, const std::string& comm, int index) {
  return directory + "/" + comm + "_" + std::to_string(index);
}

inline std::string ScriptFile(const std::string& directory, const std::string& comm) {
  return directory + "/" + comm + "_s";
}

/// A file that exec refuses with `error`: a missing one, one without the right to be executed, or
/// one in no format that the kernel knows. A script without interpreter is ENOENT's second way.
inline std::string RefusedFile(const std::string& directory, int error, bool script) {
  switch (error) {
    case EACCES:
      return directory + "/forbidden";
    case ENOEXEC:
      return directory + "/shapeless";
    default:
      return directory + (script ? "/orphan" : "/missing");
  }
}

/// What the child calls exec with.
inline std::string FileOfChild(const std::string& directory, const std::string& comm,
                               const ChildRecord& record) {
  const bool script = record.how == How::kScript;
  if (record.fate == Fate::kFails) {
    return RefusedFile(directory, record.value, script);
  }
  return script ? ScriptFile(directory, comm) : LinkFile(directory, comm, record.file);
}

}  // namespace sched_exporter::test_support
