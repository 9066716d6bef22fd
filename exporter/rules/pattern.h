#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/base/result.h"

namespace re2 {
class RE2;
}  // namespace re2

namespace sched_exporter {

/// A regular expression in RE2's syntax, found anywhere in a text unless it is anchored. Linear in
/// time, bounded in memory. Cheap to copy; may be used by several threads. Texts may be any bytes:
/// as in Go, one that is no UTF-8 counts as the character U+FFFD, so that no process escapes `.`.
class Pattern {
 public:
  /// Most memory of one compiled expression with what it caches while it matches.
  static constexpr std::int64_t kMostMemory = std::int64_t{1} << 20;

  /// Fails with RE2's reason, printable in one line.
  static Result<Pattern> Compile(const std::string& text);

  bool Matches(std::string_view text) const;

  /// As Matches(), of a text that is UTF-8.
  bool MatchesUtf8(std::string_view text) const;

  /// As Matches(); appends to `captures` the text of each named group, empty where it took no part
  /// in the match.
  bool Capture(std::string_view text,
               std::vector<std::pair<std::string, std::string>>& captures) const;

  /// Names of the capturing groups.
  std::vector<std::string> CaptureNames() const;

  /// As it was written.
  const std::string& text() const;

  /// How large it is when it is compiled, in instructions of RE2's machine.
  std::size_t instructions() const;

  bool operator==(const Pattern& other) const { return text() == other.text(); }

 private:
  explicit Pattern(std::shared_ptr<const re2::RE2> expression)
      : expression_(std::move(expression)) {}

  std::shared_ptr<const re2::RE2> expression_;
};

/// Which members of a view have series of their own, by name.
struct NameFilter {
  std::vector<Pattern> include;  ///< At least one must match; none: all do.
  std::vector<Pattern> exclude;  ///< None may match.

  bool Lets(std::string_view name) const;
  bool operator==(const NameFilter&) const = default;
};

}  // namespace sched_exporter
