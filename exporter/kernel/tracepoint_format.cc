#include "exporter/kernel/tracepoint_format.h"

#include <charconv>
#include <optional>

#include "exporter/kernel/tracepoint.h"

namespace sched_exporter {
namespace {

/// The number behind `key` in a line such as
/// "\tfield:long prev_state;\toffset:32;\tsize:8;\tsigned:1;".
std::optional<std::uint32_t> NumberBehind(std::string_view line, std::string_view key) {
  const std::size_t found = line.find(key);
  if (found == std::string_view::npos) {
    return std::nullopt;
  }
  const char* const begin = line.data() + found + key.size();
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(begin, line.data() + line.size(), number);
  return error == std::errc() && end != begin ? std::optional(number) : std::nullopt;
}

/// The last word of the declaration, without the length of an array.
std::string_view FieldName(std::string_view line) {
  constexpr std::string_view kBegin = "field:";
  const std::size_t begin = line.find(kBegin);
  const std::size_t end = line.find(';');
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) {
    return {};
  }
  std::string_view declared = line.substr(begin + kBegin.size(), end - begin - kBegin.size());
  declared = declared.substr(0, declared.find('['));
  const std::size_t space = declared.rfind(' ');
  return space == std::string_view::npos ? declared : declared.substr(space + 1);
}

}  // namespace

Result<TracepointField> FindTracepointField(std::string_view format, std::string_view field) {
  while (!format.empty()) {
    const std::size_t end = format.find('\n');
    const std::string_view line = format.substr(0, end);
    format.remove_prefix(end == std::string_view::npos ? format.size() : end + 1);
    // The kernel writes "__data_loc char[] filename": the name is behind the brackets.
    const bool is_it = FieldName(line) == field ||
                       (line.find("__data_loc") != std::string_view::npos &&
                        line.find("] " + std::string(field) + ";") != std::string_view::npos);
    const auto offset = NumberBehind(line, "offset:");
    const auto size = NumberBehind(line, "size:");
    if (is_it && offset && size) {
      return TracepointField{*offset, *size};
    }
  }
  return Fail("the tracepoint has no field " + std::string(field));
}

Result<TracepointField> ReadTracepointField(const std::string& name, std::string_view field) {
  const auto format = ReadTracepointFile(name, "format");
  if (!format) {
    return tl::unexpected(format.error());
  }
  auto found = FindTracepointField(*format, field);
  return found ? found : Fail(found.error().message + ": " + name);
}

}  // namespace sched_exporter
