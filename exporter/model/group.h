#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

namespace sched_exporter {

/// A set of processes with one name. Two groups with the same name and labels are one.
struct Group {
  std::string name;                           ///< Printable, not empty.
  std::map<std::string, std::string> labels;  ///< Constant ones from its rule; printable.
  /// It has no series of its own and is in those of `other`; then `name` is kOtherName.
  bool is_other = false;
  /// Its processes have no series of their own either; then is_other, too.
  bool is_dropped = false;

  bool operator==(const Group&) const = default;

  template <typename Archive>
  void serialize(Archive& archive) {
    archive(name, labels, is_other, is_dropped);
  }
};

using GroupPtr = std::shared_ptr<const Group>;

/// A group of its name alone.
inline GroupPtr MakeGroup(std::string name) {
  Group group;
  group.name = std::move(name);
  return std::make_shared<const Group>(std::move(group));
}

/// The name of what has no series of its own.
inline constexpr char kOtherName[] = "other";

/// The group of all that is in `other`; the same object each time.
inline const GroupPtr& OtherGroup() {
  static const GroupPtr kOther = std::make_shared<const Group>(Group{kOtherName, {}, true});
  return kOther;
}

}  // namespace sched_exporter
