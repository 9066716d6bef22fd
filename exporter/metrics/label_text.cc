#include "exporter/metrics/label_text.h"

#include "exporter/metrics/series_sink.h"

namespace sched_exporter {
namespace {

/// What a label takes that needs no escapes.
std::size_t RoomOf(std::string_view name, std::string_view value) {
  constexpr std::string_view kMarks = ",=\"\"";
  return name.size() + value.size() + kMarks.size();
}

}  // namespace

void AppendEscaped(std::string& text, std::string_view value) {
  std::size_t done = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '"' || c == '\\' || c == '\n') {
      text.append(value, done, i - done).append(c == '\n' ? "\\n" : c == '"' ? "\\\"" : "\\\\");
      done = i + 1;
    }
  }
  text.append(value, done);
}

void AppendLabel(std::string& text, std::string_view name, std::string_view value) {
  text.append(text.empty() ? "" : ",").append(name).append("=\"");
  AppendEscaped(text, value);
  text += '"';
}

RowLabels::RowLabels(const Family& family, std::initializer_list<std::string_view> values,
                     const std::map<std::string, std::string>& more) {
  std::size_t room = 0;
  auto name = family.labels.begin();
  for (const std::string_view value : values) {
    room += RoomOf(*name++, value);
  }
  own_.reserve(room);
  name = family.labels.begin();
  for (const std::string_view value : values) {
    if (!value.empty()) {
      AppendLabel(own_, *name, value);
    }
    ++name;
  }
  room = 0;
  for (const auto& [label, value] : more) {
    room += RoomOf(label, value);
  }
  more_.reserve(room);
  for (const auto& [label, value] : more) {
    AppendLabel(more_, label, value);
  }
}

}  // namespace sched_exporter
