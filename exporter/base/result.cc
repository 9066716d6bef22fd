#include "exporter/base/result.h"

#include <system_error>

namespace sched_exporter {

std::string WithErrno(std::string_view what, int error) {
  return std::string(what) + ": " + std::generic_category().message(error);
}

}  // namespace sched_exporter
