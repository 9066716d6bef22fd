#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/model/group.h"
#include "exporter/rules/name_template.h"
#include "exporter/rules/pattern.h"
#include "exporter/rules/process_facts.h"

namespace sched_exporter {

/// One rule: all matchers that are there must match. `comm` and `exe` are lists of which one must
/// be equal; `cmdline` is a list of expressions that must all match; the others are lists of
/// expressions of which one must match.
struct GroupRule {
  std::vector<std::string> comm;
  std::vector<std::string> exe;  ///< argv[0]: with a slash all of it, else its last part.
  std::vector<Pattern> cmdline;  ///< On argv joined by spaces; named groups fill `.Matches`.
  std::vector<Pattern> cgroup;   ///< On the path.
  std::vector<Pattern> unit;
  std::vector<Pattern> pod_namespace;
  std::vector<Pattern> pod;
  std::vector<Pattern> container;
  std::vector<Pattern> user;
  NameTemplate name;
  std::map<std::string, std::string> labels;  ///< Constant labels of the group.
  bool drop = false;                          ///< No series of its own; it is in `other`.
  std::size_t line = 0;                       ///< Of the config, for Explain().

  bool operator==(const GroupRule&) const = default;
};

/// The naming rules of the config: the first rule that matches names the group of a process.
/// Immutable; may be used by several threads.
class GroupRules {
 public:
  explicit GroupRules(std::vector<GroupRule> rules);

  /// The group of the first rule that matches; null where none does. A rule named "other", and one
  /// with `drop`, gives a group with is_other.
  GroupPtr Match(const ProcessFacts& facts) const;

  /// For each rule up to the first that matches, one printable line that says what it matched or
  /// which matcher did not and on what text.
  std::vector<std::string> Explain(const ProcessFacts& facts) const;

  /// Groups of rules whose name is constant and which don't drop: they have series, always.
  const std::vector<GroupPtr>& constant_groups() const { return constant_groups_; }

  const RuleNeeds& needs() const { return needs_; }
  std::size_t size() const { return rules_.size(); }

  bool operator==(const GroupRules& other) const { return rules_ == other.rules_; }

 private:
  GroupPtr ConstantGroup(const GroupRule& rule);
  GroupPtr GroupOf(std::size_t index, const ProcessFacts& facts,
                   std::string_view command_line) const;

  std::vector<GroupRule> rules_;
  /// For each rule its group; null where the name has to be made for each process.
  std::vector<GroupPtr> groups_;
  std::vector<GroupPtr> constant_groups_;
  RuleNeeds needs_;
};

}  // namespace sched_exporter
