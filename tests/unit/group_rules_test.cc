#include "exporter/rules/group_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/base/text.h"

namespace sched_exporter {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;

std::vector<Pattern> Patterns(const std::vector<std::string>& texts) {
  std::vector<Pattern> patterns;
  patterns.reserve(texts.size());
  for (const std::string& text : texts) {
    patterns.push_back(*Pattern::Compile(text));
  }
  return patterns;
}

/// `rule` with a name, as the config makes it.
GroupRule Named(const std::string& name, GroupRule rule) {
  std::vector<std::string> captures;
  for (const Pattern& pattern : rule.cmdline) {
    for (const std::string& capture : pattern.CaptureNames()) {
      captures.push_back(capture);
    }
  }
  rule.name = *NameTemplate::Parse(name, captures);
  return rule;
}

GroupRule Comm(std::vector<std::string> comm) {
  GroupRule rule;
  rule.comm = std::move(comm);
  return rule;
}

GroupRule Exe(std::vector<std::string> exe) {
  GroupRule rule;
  rule.exe = std::move(exe);
  return rule;
}

GroupRule Cmdline(const std::vector<std::string>& cmdline) {
  GroupRule rule;
  rule.cmdline = Patterns(cmdline);
  return rule;
}

GroupRule Drop(GroupRule rule) {
  rule.drop = true;
  return rule;
}

ProcessFacts Process(const std::string& comm, std::vector<std::string> arguments) {
  ProcessFacts facts;
  facts.comm = comm;
  facts.arguments = std::move(arguments);
  return facts;
}

/// The name of the group, or "-" for none.
std::string NameOf(const GroupRules& rules, const ProcessFacts& facts) {
  const GroupPtr group = rules.Match(facts);
  return group == nullptr ? "-" : group->name;
}

std::string NameOf(const GroupRule& rule, const ProcessFacts& facts) {
  return NameOf(GroupRules({rule}), facts);
}

TEST(GroupRules, CommIsOneOfTheList) {
  const GroupRule rule = Named("{{.Comm}}", Comm({"bash", "sh"}));
  EXPECT_EQ(NameOf(rule, Process("bash", {})), "bash");
  EXPECT_EQ(NameOf(rule, Process("sh", {"/bin/bash"})), "sh");
  EXPECT_EQ(NameOf(rule, Process("zsh", {"bash"})), "-");
  EXPECT_EQ(NameOf(rule, Process("bash ", {})), "-");
}

// With the argv[0] of the first column process-exporter 0.7.10 was seen to do the same.
TEST(GroupRules, ExeIsThePathOrItsLastPart) {
  struct Case {
    std::string argument;
    std::string by_name;
    std::string by_path;
  };
  for (const Case& c : std::vector<Case>{{"foo", "x", "-"},
                                         {"/bin/foo", "x", "x"},
                                         {"/usr/bin/foo", "x", "-"},
                                         {"./foo", "x", "-"},
                                         {"/bin/foo/", "x", "-"},
                                         {"/bin/food", "-", "-"},
                                         {"-foo", "-", "-"},
                                         {"", "-", "-"},
                                         {"foo bar", "-", "-"}}) {
    const ProcessFacts facts = Process("foo", {c.argument, "foo"});
    EXPECT_EQ(NameOf(Named("x", Exe({"foo"})), facts), c.by_name) << c.argument;
    EXPECT_EQ(NameOf(Named("x", Exe({"/bin/foo"})), facts), c.by_path) << c.argument;
  }
  EXPECT_EQ(NameOf(Named("x", Exe({"."})), Process("foo", {""})), "x");
  EXPECT_EQ(NameOf(Named("x", Exe({""})), Process("foo", {""})), "-");
}

// process-exporter keeps only the last of those that end alike, against what it documents.
TEST(GroupRules, ExesThatEndAlikeAllCount) {
  const GroupRule rule = Named("{{.ExeFull}}", Exe({"/bin/foo", "/usr/bin/foo"}));
  EXPECT_EQ(NameOf(rule, Process("", {"/bin/foo"})), "/bin/foo");
  EXPECT_EQ(NameOf(rule, Process("", {"/usr/bin/foo"})), "/usr/bin/foo");
  EXPECT_EQ(NameOf(rule, Process("", {"foo"})), "-");
  EXPECT_EQ(NameOf(Named("x", Exe({"foo", "/bin/foo"})), Process("", {"/opt/foo"})), "x");
}

TEST(GroupRules, ProcessesWithoutArgumentsHaveNoExeAndNoCommandLine) {
  const ProcessFacts kernel_thread = Process("kthreadd", {});
  EXPECT_EQ(NameOf(Named("x", Exe({"kthreadd"})), kernel_thread), "-");
  EXPECT_EQ(NameOf(Named("x", Cmdline({".+"})), kernel_thread), "-");
  EXPECT_EQ(NameOf(Named("x", Cmdline({".*"})), kernel_thread), "x");
  EXPECT_EQ(NameOf(Named("{{.ExeBase}}", Comm({"kthreadd"})), kernel_thread), "kthreadd");
}

TEST(GroupRules, AllExpressionsOfTheCommandLineMustMatch) {
  const GroupRule rule = Named("x", Cmdline({"^mono", "KeePass"}));
  EXPECT_EQ(NameOf(rule, Process("mono", {"mono", "--verify-all", "/lib/KeePass.exe"})), "x");
  EXPECT_EQ(NameOf(rule, Process("mono", {"mono", "wdmrc.exe"})), "-");
  EXPECT_EQ(NameOf(rule, Process("vi", {"vi", "KeePass"})), "-");
  // Arguments are joined by one space each, empty ones too.
  EXPECT_EQ(NameOf(Named("x", Cmdline({"^a  b c$"})), Process("", {"a", "", "b c"})), "x");
}

TEST(GroupRules, CapturesNameTheGroup) {
  const GroupRule postgres =
      Named("{{.ExeBase}}:{{.Matches.Path}}", Cmdline({"-D\\s+.+?(?P<Path>[^/]+)(?:$|\\s)"}));
  EXPECT_EQ(NameOf(postgres, Process("postmaster", {"/usr/bin/postmaster", "-D", "/data/pg"})),
            "postmaster:pg");
  const GroupRule twice =
      Named("{{.Matches.a}}{{.Matches.b}}", Cmdline({"(?P<a>1.)(?P<b>x)?", "(?P<a>2.)"}));
  EXPECT_EQ(NameOf(twice, Process("", {"11", "22"})), "22");
}

TEST(GroupRules, AllMatchersMustMatch) {
  GroupRule rule = Named("x", Cmdline({"--user"}));
  rule.comm = {"systemd"};
  rule.exe = {"/lib/systemd/systemd"};
  rule.user = Patterns({"^alice$", "^bob$"});
  ProcessFacts facts = Process("systemd", {"/lib/systemd/systemd", "--user"});
  facts.user = "bob";
  EXPECT_EQ(NameOf(rule, facts), "x");
  facts.user = "bobby";
  EXPECT_EQ(NameOf(rule, facts), "-");
  facts.user = "alice";
  facts.comm = "(systemd)";
  EXPECT_EQ(NameOf(rule, facts), "-");
}

TEST(GroupRules, OneExpressionOfEachOtherMatcherMustMatch) {
  const std::vector<std::pair<std::vector<Pattern> GroupRule::*, std::string ProcessFacts::*>>
      matchers = {{&GroupRule::cgroup, &ProcessFacts::cgroup},
                  {&GroupRule::unit, &ProcessFacts::unit},
                  {&GroupRule::pod_namespace, &ProcessFacts::pod_namespace},
                  {&GroupRule::pod, &ProcessFacts::pod},
                  {&GroupRule::container, &ProcessFacts::container},
                  {&GroupRule::user, &ProcessFacts::user}};
  for (const auto& [patterns, text] : matchers) {
    GroupRule rule = Named("x", {});
    rule.*patterns = Patterns({"^web-", "^$", "api$"});
    ProcessFacts facts;
    for (const auto& [value, name] : std::vector<std::pair<std::string, std::string>>{
             {"web-1", "x"}, {"the api", "x"}, {"a web-1", "-"}, {"", "-"}}) {
      facts.*text = value;
      EXPECT_EQ(NameOf(rule, facts), name) << value;
    }
  }
}

TEST(GroupRules, TheFirstRuleThatMatchesWins) {
  const GroupRules rules({Named("shells", Comm({"bash"})), Named("users", Comm({"bash", "vi"}))});
  EXPECT_EQ(NameOf(rules, Process("bash", {})), "shells");
  EXPECT_EQ(NameOf(rules, Process("vi", {})), "users");
  EXPECT_EQ(NameOf(rules, Process("cat", {})), "-");
  EXPECT_EQ(NameOf(GroupRules({}), Process("cat", {})), "-");
}

TEST(GroupRules, HostileBytesDoNotEscape) {
  const GroupRule all = Named("all", Cmdline({".+"}));
  for (const std::string& argument : {"\xff"s, "\n\xfe"s, "\xed\xa0\x80"s, "a\xc3"s}) {
    EXPECT_EQ(NameOf(all, Process("x", {argument})), "all");
  }
  // Go's dot doesn't match a newline either.
  EXPECT_EQ(NameOf(all, Process("x", {"\n"})), "-");
  EXPECT_EQ(NameOf(Named("{{.ExeBase}}", all), Process("x", {"/bin/\xff\n"})), "\\xff\\x0a");
}

TEST(GroupRules, OtherHasNoSeriesOfItsOwn) {
  const GroupRules rules({Drop(Named("gone", Comm({"sleep"}))), Named("other", Comm({"cat"})),
                          Named("{{.Comm}}", Cmdline({".+"}))});
  for (const char* comm : {"sleep", "cat", "other"}) {
    const GroupPtr group = rules.Match(Process(comm, {"x"}));
    ASSERT_NE(group, nullptr) << comm;
    EXPECT_TRUE(group->is_other) << comm;
    EXPECT_EQ(group->name, kOtherName) << comm;
    EXPECT_TRUE(group->labels.empty()) << comm;
  }
  EXPECT_FALSE(rules.Match(Process("dog", {"x"}))->is_other);
  EXPECT_THAT(rules.constant_groups(), ElementsAre());
}

TEST(GroupRules, ConstantGroupsAreSharedAndKnown) {
  GroupRule labelled = Named("web", Comm({"nginx"}));
  labelled.labels = {{"team", "a\nb\\"}};
  const GroupRules rules({Named("web", Comm({"apache2"})), labelled,
                          Named("web", Comm({"lighttpd"})), Named("{{.Comm}}", Comm({"bash"}))});
  const GroupPtr apache = rules.Match(Process("apache2", {}));
  const GroupPtr nginx = rules.Match(Process("nginx", {}));
  EXPECT_EQ(apache, rules.Match(Process("lighttpd", {})));
  EXPECT_THAT(rules.constant_groups(), ElementsAre(apache, nginx));
  EXPECT_THAT(nginx->labels, ElementsAre(testing::Pair("team", "a\\x0ab\\\\")));
  EXPECT_EQ(*rules.Match(Process("bash", {})), (Group{"bash", {}, false}));
}

TEST(GroupRules, SayWhatTheyNeed) {
  EXPECT_EQ(GroupRules({Named("{{.Comm}}", Comm({"a"}))}).needs(), RuleNeeds{});
  EXPECT_EQ(GroupRules({Named("x", Exe({"a"}))}).needs(), RuleNeeds{.arguments = true});
  EXPECT_EQ(GroupRules({Named("x", Cmdline({"a"}))}).needs(), RuleNeeds{.arguments = true});
  EXPECT_EQ(GroupRules({Drop(Named("{{.PID}}", Comm({"a"})))}).needs(), RuleNeeds{});
  GroupRule rule = Named("{{.StartTime}}", {});
  rule.unit = rule.pod = rule.user = Patterns({"a"});
  GroupRule cgroup;
  cgroup.cgroup = Patterns({"a"});
  const RuleNeeds needs{.user = true, .cgroup = true, .unit = true, .pods = true, .process = true};
  EXPECT_EQ(GroupRules({rule, Named("x", cgroup)}).needs(), needs);
}

TEST(GroupRules, AreEqualByTheirRules) {
  const GroupRule rule = Named("x", Cmdline({"a"}));
  EXPECT_EQ(GroupRules({rule}), GroupRules({Named("x", Cmdline({"a"}))}));
  EXPECT_FALSE(GroupRules({rule}) == GroupRules({Named("x", Cmdline({"b"}))}));
  EXPECT_FALSE(GroupRules({rule}) == GroupRules({Named("y", Cmdline({"a"}))}));
}

TEST(GroupRules, ExplainWhatMatchedAndWhatDidNot) {
  GroupRule pods = Named("{{.Pod}}", {});
  pods.pod = Patterns({"web"});
  GroupRule php = Named("php-{{.Matches.pool}}", Cmdline({"pool (?P<pool>\\w+)"}));
  php.comm = {"php-fpm"};
  php.line = 9;
  const GroupRules rules({Named("sh", Comm({"sh"})), Named("x", Exe({"/bin/sh"})), pods,
                          Named("y", Cmdline({"master"})), php, Named("never", Comm({"php-fpm"}))});
  EXPECT_THAT(rules.Explain(Process("php-fpm", {"php-fpm:\n", "pool www"})),
              ElementsAre("rule 1 (line 0): no match: comm is \"php-fpm\"",
                          "rule 2 (line 0): no match: exe is \"php-fpm:\\x0a\"",
                          "rule 3 (line 0): no match: pod of nothing",
                          "rule 4 (line 0): no match: cmdline is \"php-fpm:\\x0a pool www\"",
                          "rule 5 (line 9): matches comm \"php-fpm\", cmdline \"php-fpm:\\x0a pool "
                          "www\": group \"php-www\""));
  EXPECT_THAT(GroupRules({Drop(Named("x", Comm({"a"})))}).Explain(Process("a", {})),
              ElementsAre("rule 1 (line 0): matches comm \"a\": dropped, in group \"other\""));
  const std::string longer(1000, 'x');
  EXPECT_LT(rules.Explain(Process(longer, {longer}))[0].size(), 300U);
}

}  // namespace
}  // namespace sched_exporter
