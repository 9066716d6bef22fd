#include "exporter/rules/group_rules.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "exporter/base/text.h"
#include "exporter/rules/exe.h"

namespace sched_exporter {
namespace {

/// A matcher of which one expression must be found in one text. Where there is no such text (no
/// unit, no pod) nothing is found in it, not even the empty expression.
struct ExpressionMatcher {
  std::string_view key;
  std::vector<Pattern> GroupRule::*patterns;
  std::string ProcessFacts::*text;
};

constexpr std::array<ExpressionMatcher, 6> kExpressionMatchers{{
    {"user", &GroupRule::user, &ProcessFacts::user},
    {"unit", &GroupRule::unit, &ProcessFacts::unit},
    {"namespace", &GroupRule::pod_namespace, &ProcessFacts::pod_namespace},
    {"pod", &GroupRule::pod, &ProcessFacts::pod},
    {"container", &GroupRule::container, &ProcessFacts::container},
    {"cgroup", &GroupRule::cgroup, &ProcessFacts::cgroup},
}};

/// A process while rules are tried on it.
class Subject {
 public:
  explicit Subject(const ProcessFacts& facts) : facts_(facts) {}

  const ProcessFacts& facts() const { return facts_; }

  /// Made when the first rule asks.
  const std::string& command_line() {
    if (!command_line_) {
      command_line_.emplace();
      for (const std::string& argument : facts_.arguments) {
        command_line_->append(&argument == facts_.arguments.data() ? "" : " ").append(argument);
      }
    }
    return *command_line_;
  }

  /// The same as UTF-8, as expressions see it; made once, not for each of them.
  std::string_view command_line_text() {
    if (!text_) {
      text_ = IsUtf8(command_line()) ? command_line() : ReplacedInvalid(command_line());
    }
    return *text_;
  }

 private:
  const ProcessFacts& facts_;
  std::optional<std::string> command_line_;
  std::optional<std::string> text_;
};

/// What did not match.
struct Miss {
  std::string_view key;
  std::string_view text;
};

bool IsExe(const std::string& wanted, const ProcessFacts& facts) {
  const bool is_path = wanted.find('/') != std::string::npos;
  return wanted == (is_path ? ExeFullOf(facts) : ExeBaseOf(facts));
}

bool MatchesExe(const GroupRule& rule, const ProcessFacts& facts) {
  // Without arguments there is no argv[0], and nothing takes its place.
  return !facts.arguments.empty() &&
         std::any_of(rule.exe.begin(), rule.exe.end(),
                     [&facts](const std::string& wanted) { return IsExe(wanted, facts); });
}

bool AnyFound(const std::vector<Pattern>& patterns, const std::string& text) {
  return !text.empty() && std::any_of(patterns.begin(), patterns.end(),
                                      [&text](const Pattern& p) { return p.Matches(text); });
}

/// The first matcher of `rule` that does not match. Cheap ones are asked first.
std::optional<Miss> FirstMiss(const GroupRule& rule, Subject& subject) {
  const ProcessFacts& facts = subject.facts();
  if (!rule.comm.empty() &&
      std::find(rule.comm.begin(), rule.comm.end(), facts.comm) == rule.comm.end()) {
    return Miss{"comm", facts.comm};
  }
  if (!rule.exe.empty() && !MatchesExe(rule, facts)) {
    return Miss{"exe", facts.arguments.empty() ? std::string_view() : facts.arguments[0]};
  }
  for (const ExpressionMatcher& matcher : kExpressionMatchers) {
    const std::vector<Pattern>& patterns = rule.*matcher.patterns;
    if (!patterns.empty() && !AnyFound(patterns, facts.*matcher.text)) {
      return Miss{matcher.key, facts.*matcher.text};
    }
  }
  for (const Pattern& pattern : rule.cmdline) {
    if (!pattern.MatchesUtf8(subject.command_line_text())) {
      return Miss{"cmdline", subject.command_line()};
    }
  }
  return std::nullopt;
}

RuleNeeds NeedsOf(const GroupRule& rule) {
  RuleNeeds needs = rule.drop ? RuleNeeds{} : rule.name.needs();
  needs.arguments |= !rule.exe.empty() || !rule.cmdline.empty();
  needs.user |= !rule.user.empty();
  needs.cgroup |= !rule.cgroup.empty();
  needs.unit |= !rule.unit.empty();
  needs.pods |= !rule.pod_namespace.empty() || !rule.pod.empty() || !rule.container.empty();
  return needs;
}

RuleNeeds operator|(const RuleNeeds& a, const RuleNeeds& b) {
  return {a.arguments || b.arguments, a.user || b.user, a.cgroup || b.cgroup,
          a.unit || b.unit,           a.pods || b.pods, a.process || b.process};
}

const GroupPtr& DroppedGroup() {
  static const GroupPtr kDropped = std::make_shared<const Group>(Group{kOtherName, {}, true, true});
  return kDropped;
}

GroupPtr MakeGroup(std::string name, const std::map<std::string, std::string>& labels) {
  if (name == kOtherName) {
    return OtherGroup();
  }
  Group group{std::move(name), {}, false};
  for (const auto& [label, value] : labels) {
    group.labels.emplace(label, PrintableText(value));
  }
  return std::make_shared<const Group>(std::move(group));
}

std::string Shown(std::string_view text) {
  constexpr std::size_t kMostShown = 200;
  const bool is_cut = text.size() > kMostShown;
  return '"' + PrintableText(text.substr(0, kMostShown)) + (is_cut ? "...\"" : "\"");
}

/// "matches: comm "nginx", user "www-data"": each matcher of `rule` with what it matched.
std::string MatchText(const GroupRule& rule, Subject& subject) {
  std::string text;
  const auto add = [&text](bool is_there, std::string_view key, std::string_view value) {
    if (is_there) {
      text.append(text.empty() ? "matches " : ", ").append(key).append(" ").append(Shown(value));
    }
  };
  const ProcessFacts& facts = subject.facts();
  add(!rule.comm.empty(), "comm", facts.comm);
  add(!rule.exe.empty(), "exe", ExeFullOf(facts));
  for (const ExpressionMatcher& matcher : kExpressionMatchers) {
    add(!(rule.*matcher.patterns).empty(), matcher.key, facts.*matcher.text);
  }
  add(!rule.cmdline.empty(), "cmdline", subject.command_line());
  return text.empty() ? "matches everything" : text;
}

}  // namespace

GroupRules::GroupRules(std::vector<GroupRule> rules) : rules_(std::move(rules)) {
  for (const GroupRule& rule : rules_) {
    groups_.push_back(ConstantGroup(rule));
    needs_ = needs_ | NeedsOf(rule);
  }
}

GroupPtr GroupRules::ConstantGroup(const GroupRule& rule) {
  if (rule.drop) {
    return DroppedGroup();
  }
  if (!rule.name.IsConstant()) {
    return nullptr;
  }
  GroupPtr group = MakeGroup(rule.name.Render({}, {}), rule.labels);
  if (group->is_other) {
    return group;
  }
  const auto same = std::find_if(constant_groups_.begin(), constant_groups_.end(),
                                 [&group](const GroupPtr& known) { return *known == *group; });
  if (same != constant_groups_.end()) {
    return *same;
  }
  constant_groups_.push_back(group);
  return group;
}

GroupPtr GroupRules::Match(const ProcessFacts& facts) const {
  Subject subject(facts);
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (!FirstMiss(rules_[i], subject)) {
      return groups_[i] != nullptr ? groups_[i] : GroupOf(i, facts, subject.command_line());
    }
  }
  return nullptr;
}

GroupPtr GroupRules::GroupOf(std::size_t index, const ProcessFacts& facts,
                             std::string_view command_line) const {
  const GroupRule& rule = rules_[index];
  NameTemplate::Captures captures;
  for (const Pattern& pattern : rule.cmdline) {
    pattern.Capture(command_line, captures);
  }
  return MakeGroup(rule.name.Render(facts, captures), rule.labels);
}

std::vector<std::string> GroupRules::Explain(const ProcessFacts& facts) const {
  std::vector<std::string> lines;
  Subject subject(facts);
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const GroupRule& rule = rules_[i];
    const std::string title =
        "rule " + std::to_string(i + 1) + " (line " + std::to_string(rule.line) + "): ";
    if (const std::optional<Miss> miss = FirstMiss(rule, subject)) {
      lines.push_back(title + "no match: " + std::string(miss->key) +
                      (miss->text.empty() ? " of nothing" : " is " + Shown(miss->text)));
      continue;
    }
    const GroupPtr group =
        groups_[i] != nullptr ? groups_[i] : GroupOf(i, facts, subject.command_line());
    lines.push_back(title + MatchText(rule, subject) + ": " +
                    (rule.drop ? "dropped, in group \"other\"" : "group \"" + group->name + "\""));
    break;
  }
  return lines;
}

}  // namespace sched_exporter
