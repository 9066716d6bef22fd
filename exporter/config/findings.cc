#include "exporter/config/findings.h"

#include <algorithm>

namespace sched_exporter {
namespace {

std::string EscapedByte(char c) {
  static constexpr char kHexDigits[] = "0123456789abcdef";
  switch (c) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    case '"':
    case '\\':
      return {'\\', c};
    default:
      break;
  }
  if (c >= ' ' && c <= '~') {
    return {c};
  }
  const auto byte = static_cast<unsigned char>(c);
  return {'\\', 'x', kHexDigits[byte >> 4], kHexDigits[byte & 15]};
}

}  // namespace

void Findings::Add(Place place, std::string_view key_path, std::string_view text) {
  std::string line(key_path);
  if (!line.empty()) {
    line += ": ";
  }
  line += text;
  findings_.push_back({place, std::move(line)});
}

std::string Findings::Shown(std::string_view text) const {
  return has_values() ? Quoted(text) : "something else";
}

Error Findings::ToError() const {
  std::vector<Finding> sorted = findings_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Finding& a, const Finding& b) { return a.place < b.place; });
  const std::size_t shown = std::min(sorted.size(), kMaxFindings);
  Error error;
  for (std::size_t i = 0; i < shown; ++i) {
    const Finding& finding = sorted[i];
    error.message += (i == 0 ? "" : "\n") + name_ + ":" + std::to_string(finding.place.line) + ":" +
                     std::to_string(finding.place.column) + ": " + finding.text;
  }
  if (shown < sorted.size()) {
    error.message += "\n" + name_ + ": and " + std::to_string(sorted.size() - shown) + " more";
  }
  return error;
}

std::string Escaped(std::string_view text) {
  std::string all;
  for (const char c : text) {
    const std::string escaped = EscapedByte(c);
    if (all.size() + escaped.size() > kMaxEchoedChars) {
      return all + "...";
    }
    all += escaped;
  }
  return all;
}

std::string Quoted(std::string_view text) { return '"' + Escaped(text) + '"'; }

std::string InAscii(std::string_view text) {
  std::string ascii;
  for (const char c : text) {
    ascii += c >= ' ' && c <= '~' ? std::string(1, c) : EscapedByte(c);
  }
  return ascii;
}

std::string Joined(const std::vector<std::string_view>& words) {
  std::string joined;
  for (const std::string_view word : words) {
    joined += joined.empty() ? "" : ", ";
    joined += word;
  }
  return joined;
}

}  // namespace sched_exporter
