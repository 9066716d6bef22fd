#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/base/result.h"
#include "exporter/rules/process_facts.h"

namespace sched_exporter {

/// The name of a rule's group, with placeholders in the syntax of Go's text/template:
/// `{{.Comm}} {{.ExeBase}} {{.ExeFull}} {{.Username}} {{.Matches.NAME}} {{.PID}} {{.StartTime}}
/// {{.Cgroups}} {{.Unit}} {{.Namespace}} {{.Pod}} {{.Container}}`, spaces and trim markers
/// included. Nothing else of that language.
class NameTemplate {
 public:
  enum class Variable {
    kComm,
    kExeBase,
    kExeFull,
    kUsername,
    kMatch,
    kPid,
    kStartTime,
    kCgroups,
    kUnit,
    kNamespace,
    kPod,
    kContainer,
  };
  /// Captures of the rule's expressions, by name.
  using Captures = std::vector<std::pair<std::string, std::string>>;

  /// Longest name that Render() makes, in bytes.
  static constexpr std::size_t kMostBytes = 256;

  /// `captures` are the names that `.Matches` has. Fails with one line that says what was expected
  /// and what is there.
  static Result<NameTemplate> Parse(std::string_view text,
                                    const std::vector<std::string>& captures);

  /// The name, printable, cut to kMostBytes, and "(empty)" where nothing is left.
  std::string Render(const ProcessFacts& facts, const Captures& captures) const;

  /// As it was written.
  const std::string& text() const { return text_; }

  bool IsConstant() const;
  RuleNeeds needs() const;

  bool operator==(const NameTemplate&) const = default;

 private:
  struct Piece {
    bool is_variable = false;
    Variable variable = Variable::kComm;
    std::string text;  ///< Literal text, or the name of a capture.
    bool operator==(const Piece&) const = default;
  };

  /// The piece that `action`, the inside of "{{…}}", stands for.
  static Result<Piece> ParseAction(std::string_view action,
                                   const std::vector<std::string>& captures);
  static std::string ValueOf(const Piece& piece, const ProcessFacts& facts,
                             const Captures& captures);
  void AddText(std::string_view text);

  std::string text_;
  std::vector<Piece> pieces_;
};

}  // namespace sched_exporter
