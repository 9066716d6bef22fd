#pragma once

#include <string>
#include <string_view>

namespace sched_exporter {

/// Appends `value` as it stands between the quotes of a label, in both text formats.
void AppendEscaped(std::string& text, std::string_view value);

/// Appends `name="value"`, after a comma where `text` has something already.
void AppendLabel(std::string& text, std::string_view name, std::string_view value);

}  // namespace sched_exporter
