#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/base/result.h"

namespace sched_exporter {

/// Most findings that one error message holds; the rest is only counted.
inline constexpr std::size_t kMaxFindings = 20;

/// Most characters of a user's value that a finding echoes.
inline constexpr std::size_t kMaxEchoedChars = 64;

/// A place in the config file. Both count from 1; columns count bytes.
struct Place {
  std::size_t line = 1;
  std::size_t column = 1;

  bool operator==(const Place&) const = default;
  bool operator<(const Place& other) const {
    return line != other.line ? line < other.line : column < other.column;
  }
};

/// What findings say of a value that they refuse: the value, or only what kind it is, where it may
/// be a secret in the wrong place.
enum class Echo { kValues, kKinds };

/// Collects everything that is wrong with a config file, so that a user sees it at once.
class Findings {
 public:
  /// `name` stands for the file in each finding.
  explicit Findings(std::string name, Echo echo = Echo::kValues)
      : name_(std::move(name)), echo_(echo) {}

  /// Notes that the value of `key_path` (empty for the whole file) at `place` is not as `text`
  /// says.
  void Add(Place place, std::string_view key_path, std::string_view text);

  bool has_values() const { return echo_ == Echo::kValues; }
  /// `text` as Quoted(), or "something else".
  std::string Shown(std::string_view text) const;

  bool empty() const { return findings_.empty(); }

  /// All findings, one a line in the order of the file, at most kMaxFindings of them.
  Error ToError() const;

 private:
  struct Finding {
    Place place;
    std::string text;
  };

  std::string name_;
  Echo echo_;
  std::vector<Finding> findings_;
};

/// `text` with all but printable ASCII escaped, cut to kMaxEchoedChars: a config file must not be
/// able to write control sequences to a terminal or lines into a log.
std::string Escaped(std::string_view text);

/// The same in double quotes.
std::string Quoted(std::string_view text);

/// `text`, a line that is printable already, with what isn't ASCII escaped and nothing cut: the
/// words of another stage, which echo a value themselves.
std::string InAscii(std::string_view text);

/// `words` separated by ", ".
std::string Joined(const std::vector<std::string_view>& words);

}  // namespace sched_exporter
