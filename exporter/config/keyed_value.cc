#include "exporter/config/keyed_value.h"

namespace sched_exporter {

void RefuseValue(const KeyedValue& value, const std::string& expected, const std::string& hint,
                 Findings& findings) {
  findings.Add(value.place, value.path,
               "expected " + expected + ", got " + Described(value.node, findings) +
                   (hint.empty() ? "" : "; " + hint));
}

}  // namespace sched_exporter
