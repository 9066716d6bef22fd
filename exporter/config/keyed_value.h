#pragma once

#include <string>

#include "exporter/config/findings.h"
#include "exporter/config/yaml_tree.h"

namespace sched_exporter {

/// A value with what a finding about it needs.
struct KeyedValue {
  const YamlNode& node;
  Place place;
  std::string path;  ///< The dotted path of its key.
};

/// Adds the finding "expected `expected`, got …" and `hint` where it isn't empty.
void RefuseValue(const KeyedValue& value, const std::string& expected, const std::string& hint,
                 Findings& findings);

}  // namespace sched_exporter
