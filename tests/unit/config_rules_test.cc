// What the config says of groups, series and labels: process_names, filters, labels, kubernetes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "exporter/config/expression_reader.h"
#include "exporter/config/loader.h"
#include "exporter/config/pod_list_url.h"
#include "exporter/config/rule_reader.h"
#include "tests/support/peer_configs.h"

namespace sched_exporter {
namespace {

using testing::HasSubstr;

/// The config that `text` means, or a failed test.
Config Parsed(const std::string& text) {
  const Result<Config> config = ParseConfig(text, "x.yml");
  EXPECT_TRUE(config) << text << ": " << config.error().message;
  return config.value_or(Config{});
}

/// The error that `text` is refused with, or "" when it isn't.
std::string ErrorOf(const std::string& text) {
  const Result<Config> config = ParseConfig(text, "x.yml");
  return config ? "" : config.error().message;
}

std::string Repeated(const std::string& text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) {
    all += text;
  }
  return all;
}

/// The group that the rules of `text` give, "-" for none.
std::string GroupOf(const std::string& text, const std::string& comm,
                    const std::vector<std::string>& arguments) {
  const std::shared_ptr<const GroupRules> rules = Parsed(text).naming.rules;
  if (rules == nullptr) {
    return "no rules";
  }
  ProcessFacts facts;
  facts.comm = comm;
  facts.arguments = arguments;
  const GroupPtr group = rules->Match(facts);
  return group == nullptr ? "-" : group->name;
}

// The examples of its README; the names are those that it gave.
TEST(ConfigRules, FilesOfProcessExporterLoad) {
  const std::string all = test_support::kPackaged;
  EXPECT_EQ(GroupOf(all, "nginx", {"nginx: worker"}), "nginx");
  EXPECT_EQ(GroupOf(all, "cat", {"/bin/cat"}), "cat");
  EXPECT_EQ(GroupOf(all, "kthreadd", {}), "-");
  const std::string readme = test_support::kFromReadme;
  EXPECT_EQ(GroupOf(readme, "bash", {"-bash"}), "-bash");
  EXPECT_EQ(GroupOf(readme, "x", {"/usr/lib/postgres", "-D"}), "postgres");
  EXPECT_EQ(GroupOf(readme, "prometheus", {"prometheus"}), "-");
  EXPECT_EQ(GroupOf(readme, "process-exporte",
                    {"/usr/local/bin/process-exporter", "-config.path", "a.yml"}),
            "/usr/local/bin/process-exporter:a.yml");
  EXPECT_EQ(GroupOf(readme, "upstart", {"/sbin/upstart", "--user"}), "upstart:-user");
}

TEST(ConfigRules, UnquotedValuesAreTheirText) {
  EXPECT_EQ(GroupOf("process_names: [{comm: [1, yes, 0x10, 1.50], name: 5}]", "0x10", {}), "5");
  EXPECT_EQ(GroupOf("process_names: [{comm: [yes]}]", "yes", {}), "yes");
  EXPECT_EQ(GroupOf("process_names: [{cmdline: [300], name: '~'}]", "", {"sleep", "300"}), "~");
}

TEST(ConfigRules, MissingValuesAreLeftOut) {
  EXPECT_EQ(
      GroupOf("process_names:\n  - comm: [a]\n    name:\n    exe:\n    cmdline: ~\n", "a", {}),
      "a");
  EXPECT_EQ(GroupOf("process_names: [{comm: [a], name: ''}]", "a", {"/b/c"}), "c");
  EXPECT_EQ(GroupOf("process_names:\n", "a", {}), "no rules");
  EXPECT_EQ(GroupOf("process_names: []\n", "a", {}), "-");
  EXPECT_EQ(GroupOf("process_names: [{comm: [a], drop: false, labels: {}}]", "a", {}), "a");
}

TEST(ConfigRules, AllKeysAreRead) {
  const Config config = Parsed(R"(
process_names:
  - name: "{{.Pod}}"
    cgroup: [kubepods]
    unit: [a]
    namespace: [b, bb]
    pod: [c]
    container: [d]
    user: [e]
    labels: {team: "a\nb", zone: 5}
  - comm: [x]
    drop: true
)");
  ASSERT_NE(config.naming.rules, nullptr);
  EXPECT_EQ(config.naming.rules->size(), 2U);
  ProcessFacts facts{"x", {}, "e", 1, 1, "/kubepods/1", "a", "bb", "c", "d"};
  const GroupPtr group = config.naming.rules->Match(facts);
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(*group, (Group{"c", {{"team", "a\\x0ab"}, {"zone", "5"}}, false}));
  for (std::string* text : {&facts.user, &facts.cgroup, &facts.unit, &facts.pod_namespace,
                            &facts.pod, &facts.container}) {
    const std::string kept = std::exchange(*text, "-");
    EXPECT_TRUE(config.naming.rules->Match(facts)->is_other) << kept;
    *text = kept;
  }
  EXPECT_THAT(config.naming.rules->Explain(facts)[0], HasSubstr("rule 1 (line 3)"));
}

TEST(ConfigRules, CompareByValue) {
  const std::string text = "process_names: [{comm: [a]}]\n";
  EXPECT_EQ(Parsed(text).naming, Parsed(text).naming);
  EXPECT_FALSE(Parsed(text).naming == Parsed("process_names: [{comm: [b]}]").naming);
  EXPECT_FALSE(Parsed(text).naming == NamingConfig{});
  EXPECT_EQ(Parsed("filters: {groups: {include: [a]}}").filters,
            Parsed("filters: {groups: {include: [a]}}").filters);
}

/// A list of `count` items that are `item`.
std::string List(const std::string& item, std::size_t count) {
  return "[" + Repeated(item + ", ", count) + "]";
}

TEST(ConfigRules, NumbersAreLimited) {
  EXPECT_EQ(ErrorOf("process_names: " + List("{comm: [a]}", kMaxRules)), "");
  EXPECT_EQ(ErrorOf("process_names: " + List("{comm: [a]}", kMaxRules + 1)),
            "x.yml:1:16: process_names: expected at most 1000 rules, got 1001");
  const auto rule = [](const std::string& keys) { return "process_names: [{" + keys + "}]"; };
  EXPECT_EQ(ErrorOf(rule("cmdline: " + List("a", kMaxExpressionsInList))), "");
  EXPECT_EQ(ErrorOf(rule("cmdline: " + List("a", kMaxExpressionsInList + 1))),
            "x.yml:1:27: process_names.cmdline: expected at most 100 items, got 101");
  EXPECT_EQ(ErrorOf(rule("comm: " + List("a", kMaxNamesInList))), "");
  EXPECT_THAT(ErrorOf(rule("comm: " + List("a", kMaxNamesInList + 1))), HasSubstr("got 1001"));
  const std::string longest(kMaxExpressionBytes, 'a');
  EXPECT_EQ(ErrorOf(rule("pod: [" + longest + "]")), "");
  EXPECT_THAT(ErrorOf(rule("pod: [" + longest + "a]")), HasSubstr("expected at most 4096 bytes"));
  const std::string value(kMaxLabelBytes, 'v');
  EXPECT_EQ(ErrorOf(rule("comm: [a], labels: {team: " + value + "}")), "");
  EXPECT_THAT(ErrorOf(rule("comm: [a], labels: {team: " + value + "v}")),
              HasSubstr("process_names.labels.team: expected a text of 1 to 256 bytes"));
}

TEST(ConfigRules, ExpressionsOfAllTheFileAreLimited) {
  const std::string most = List("{cmdline: " + List("a", 100) + "}", kMaxExpressions / 100);
  EXPECT_EQ(ErrorOf("process_names: " + most), "");
  EXPECT_THAT(ErrorOf("process_names: " + most + "\nfilters: {groups: {include: [a]}}"),
              HasSubstr("x.yml:2:30: filters.groups.include: expected at most 5000 regular "
                        "expressions in the whole file, got more"));
  EXPECT_THAT(ErrorOf("filters: {groups: {include: " + List(std::string(4096, 'a'), 33) + "}}"),
              HasSubstr("expected at most 131072 bytes of regular expressions"));
  EXPECT_THAT(ErrorOf("filters: {groups: {include: " + List("'\\pL{30}'", 100) + "}}"),
              HasSubstr("expected at most 1000000 instructions of compiled regular expressions"));
}

TEST(ConfigRules, MegabytesOfExpensiveExpressionsAreRefusedSoon) {
  for (const std::string item :
       {"'\\pL{30}'", "'(\\pL{10}){100}'", "'.{0,1000}'", "'(?<a>'", "'\\q'"}) {
    const auto begin = std::chrono::steady_clock::now();
    const std::string rule = "{cmdline: " + List(item, 100) + "}";
    EXPECT_NE(ErrorOf("process_names: " + List(rule, 400'000 / rule.size())), "") << item;
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30)) << item;
  }
  const std::string classes = "'" + Repeated("\\pL|", 1'000) + "'";
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_NE(ErrorOf("process_names: [{cmdline: " + List(classes, 90) + "}]"), "");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

TEST(ConfigRules, ConstantNamesFitTheLimitOfGroups) {
  const std::string two =
      "process_names: [{name: a, comm: [a]}, {name: b, comm: [b]},"
      " {name: a, comm: [c]}, {name: other, comm: [d]}]\n";
  EXPECT_EQ(ErrorOf("limits: {groups: 2}\n" + two), "");
  // The limit counts wherever it stands in the file.
  EXPECT_EQ(ErrorOf(two + "limits: {groups: 1}\n"),
            "x.yml:1:16: process_names: expected at most 1 groups with constant names "
            "(limits.groups), got 2");
}

TEST(ConfigRules, LabelsToOmit) {
  EXPECT_TRUE(Config{}.labels.Has(LabelSwitch::kProcessComm));
  const LabelsConfig labels = Parsed("labels: {omit: [process.comm, cgroup.unit]}").labels;
  EXPECT_FALSE(labels.Has(LabelSwitch::kProcessComm));
  EXPECT_FALSE(labels.Has(LabelSwitch::kCgroupUnit));
  EXPECT_TRUE(labels.Has(LabelSwitch::kProcessInfoUnit));
}

TEST(ConfigRules, PodListsComeByHttp) {
  for (const char* url : {"http://127.0.0.1:10255/pods", "http://[::1]:1/", "http://localhost:1/",
                          "http://192.0.2.1:65535/a?b=c"}) {
    EXPECT_TRUE(IsPodListUrl(url)) << url;
  }
  for (const char* url : {"",
                          "https://a:1/",
                          "http://a/",
                          "http://a:1",
                          "http://:1/",
                          "http://a:0/",
                          "http://node.example:1/",
                          "http://127.0.0.1:65536/",
                          "http://a:+1/",
                          "http://a:/",
                          "http://u@a:1/",
                          "http://u:p@a:1/",
                          "http://a b:1/",
                          "http://a:1/ b",
                          "http://a:1/#b",
                          "http://a:1/\xc3\xa4",
                          "http://a:1/\n",
                          "http://[]:1/",
                          "http://[::1]/",
                          "HTTP://a:1/",
                          "http://a:1:2/"}) {
    EXPECT_FALSE(IsPodListUrl(url)) << url;
  }
}

}  // namespace
}  // namespace sched_exporter
