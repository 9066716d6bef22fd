#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "exporter/config/keyed_value.h"

namespace sched_exporter {

enum class ListMayBe { kEmpty, kNotEmpty };

struct ListLimits {
  std::size_t items;
  std::size_t bytes;  ///< Of each item.
  ListMayBe may_be;
};

/// The scalars of the list `value`, whatever they look like: unquoted numbers and words are text.
/// What isn't one becomes a finding and is left out.
std::vector<std::reference_wrapper<const YamlNode>> ReadTexts(const KeyedValue& value,
                                                              const ListLimits& limits,
                                                              Findings& findings);

}  // namespace sched_exporter
