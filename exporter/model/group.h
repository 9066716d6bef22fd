#pragma once

#include <map>
#include <memory>
#include <string>

namespace sched_exporter {

/// A set of processes with one name. Two groups with the same name and labels are one.
struct Group {
  std::string name;                           ///< Printable, not empty.
  std::map<std::string, std::string> labels;  ///< Constant ones from its rule; printable.
  /// It has no series of its own and is in those of `other`; then `name` is kOtherName.
  bool is_other = false;

  bool operator==(const Group&) const = default;
};

using GroupPtr = std::shared_ptr<const Group>;

/// The name of what has no series of its own.
inline constexpr char kOtherName[] = "other";

}  // namespace sched_exporter
