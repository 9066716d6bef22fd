#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "exporter/base/text.h"
#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// A comm up to its NUL as PrintableText().
inline std::string PrintableComm(const Comm& comm) {
  const auto* const end = std::find(comm.begin(), comm.end(), '\0');
  return PrintableText({comm.data(), static_cast<std::size_t>(end - comm.begin())});
}

}  // namespace sched_exporter
