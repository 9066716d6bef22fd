#include "exporter/rules/name_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/base/text.h"

namespace sched_exporter {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;
using testing::StartsWith;

ProcessFacts Postgres() {
  ProcessFacts facts;
  facts.comm = "postmaster";
  facts.arguments = {"/usr/bin/postmaster", "-D", "/data/pg"};
  facts.user = "postgres";
  facts.pid = 23;
  facts.start_unix_ns = 1795270575'500000000;
  facts.cgroup = "/system.slice/postgresql.service";
  facts.unit = "postgresql.service";
  facts.pod_namespace = "db";
  facts.pod = "pg-0";
  facts.container = "main";
  return facts;
}

/// The name that `text` gives to `facts`, or the error.
std::string Named(const std::string& text, const ProcessFacts& facts = Postgres(),
                  const NameTemplate::Captures& captures = {}) {
  std::vector<std::string> names;
  for (const auto& [name, value] : captures) {
    names.push_back(name);
  }
  const Result<NameTemplate> name = NameTemplate::Parse(text, names);
  return name ? name->Render(facts, captures) : "error: " + name.error().message;
}

struct Case {
  std::string text;
  std::string name;
};

TEST(NameTemplate, KnowsAllVariables) {
  for (const Case& c : std::vector<Case>{
           {"{{.Comm}}", "postmaster"},
           {"{{.ExeBase}}", "postmaster"},
           {"{{.ExeFull}}:{{.PID}}", "/usr/bin/postmaster:23"},
           {"{{.Username}}", "postgres"},
           {"{{.StartTime}}", "2026-11-21 14:16:15.5 +0000 UTC"},
           {"{{.Cgroups}}", "[/system.slice/postgresql.service]"},
           {"{{.Unit}}", "postgresql.service"},
           {"{{.Namespace}}/{{.Pod}}/{{.Container}}", "db/pg-0/main"},
       }) {
    EXPECT_EQ(Named(c.text), c.name) << c.text;
  }
}

// Each was given to process-exporter 0.7.10 with a process named "postmaster".
TEST(NameTemplate, ReadsSpacesAndTrimMarkersAsGo) {
  for (const Case& c : std::vector<Case>{
           {"plain", "plain"},
           {"{{ .Comm }}", "postmaster"},
           {"{{\t.Comm\n}}", "postmaster"},
           {"{{.Comm}}}", "postmaster}"},
           {"a }} b", "a }} b"},
           {"a { b", "a { b"},
           {"a  {{- .Comm }}  b", "apostmaster  b"},
           {"a  {{ .Comm -}}  b", "a  postmasterb"},
           {"a \n {{- .Comm -}} \t b", "apostmasterb"},
           {"{{.Comm -}}  {{- .Comm}}", "postmasterpostmaster"},
           {"a  {{.Comm}}  b", "a  postmaster  b"},
       }) {
    EXPECT_EQ(Named(c.text), c.name) << c.text;
  }
}

TEST(NameTemplate, RefusesAllElseOfTheLanguage) {
  for (const char* text : {"{{}}",
                           "{{ }}",
                           "{{-}}",
                           "{{- }}",
                           "{{-.Comm}}",
                           "{{.Comm-}}",
                           "{{.}}",
                           "{{.comm}}",
                           "{{.Cwd}}",
                           "{{Comm}}",
                           "{{. Comm}}",
                           "{{.Comm .PID}}",
                           "{{printf .Comm}}",
                           "{{(.Comm)}}",
                           "{{.Comm | printf}}",
                           "{{/* note */}}",
                           "{{\"text\"}}",
                           "{{if .Comm}}x{{end}}",
                           "{{.Matches}}",
                           "{{.Comm.Len}}",
                           "{{{.Comm}}}"}) {
    EXPECT_THAT(Named(text), StartsWith("error: expected in {{}} one of .Comm, .ExeBase, "))
        << text;
  }
  EXPECT_THAT(Named("a {{.Comm"), StartsWith("error: expected \"}}\" after \"{{\", got "));
  EXPECT_THAT(Named("{{"), StartsWith("error: expected \"}}\" after \"{{\", got "));
}

TEST(NameTemplate, ErrorsAreOneShortLine) {
  const std::string error = Named("{{\n" + std::string(5000, 'x') + "\x1b}}");
  EXPECT_EQ(PrintableText(error), error);
  EXPECT_LT(error.size(), 300U);
}

TEST(NameTemplate, CapturesAreThoseOfTheRule) {
  EXPECT_EQ(Named("{{.Matches.Path}}", Postgres(), {{"Path", "pg"}}), "pg");
  EXPECT_EQ(Named("{{.Matches.x}}", Postgres(), {{"x", "early"}, {"y", "y"}, {"x", "late"}}),
            "late");
  EXPECT_EQ(Named("{{.Matches.b}}", Postgres(), {{"a", "1"}, {"c", "2"}}),
            "error: expected one of .Matches.a, .Matches.c, got \".Matches.b\"");
  EXPECT_EQ(Named("{{.Matches.}}"),
            "error: expected no .Matches without a (?P<NAME>...) in cmdline, got \".Matches.\"");
}

TEST(NameTemplate, ExesAreThoseOfGo) {
  const std::vector<std::vector<std::string>> cases = {// argv[0], ExeBase, ExeFull
                                                       {"bash", "bash", "bash"},
                                                       {"/bin/bash", "bash", "/bin/bash"},
                                                       {"-bash", "-bash", "-bash"},
                                                       {"./a", "a", "./a"},
                                                       {"a/", "a", "a/"},
                                                       {"/", "/", "/"},
                                                       {"///", "/", "///"},
                                                       {"", ".", ""},
                                                       {"a b/c d", "c d", "a b/c d"}};
  for (const std::vector<std::string>& c : cases) {
    ProcessFacts facts;
    facts.arguments = {c[0]};
    EXPECT_EQ(Named("{{.ExeBase}}|{{.ExeFull}}", facts), c[1] + "|" + c[2]);
  }
  ProcessFacts kernel_thread;
  kernel_thread.comm = "kworker/0:1";
  EXPECT_EQ(Named("{{.ExeBase}}|{{.ExeFull}}", kernel_thread), "kworker/0:1|kworker/0:1");
}

TEST(NameTemplate, TimesAreThoseOfGo) {
  const std::vector<std::pair<std::uint64_t, std::string>> cases = {
      {0, "1970-01-01 00:00:00 +0000 UTC"},
      {1, "1970-01-01 00:00:00.000000001 +0000 UTC"},
      {1795270575'000000000, "2026-11-21 14:16:15 +0000 UTC"},
      {1795270570'150000000, "2026-11-21 14:16:10.15 +0000 UTC"},
      {1795270570'015000000, "2026-11-21 14:16:10.015 +0000 UTC"},
      {1709251199'999999999, "2024-02-29 23:59:59.999999999 +0000 UTC"},
      {UINT64_MAX, "2554-07-21 23:34:33.709551615 +0000 UTC"},
  };
  for (const auto& [ns, text] : cases) {
    ProcessFacts facts;
    facts.start_unix_ns = ns;
    EXPECT_EQ(Named("{{.StartTime}}", facts), text);
  }
}

TEST(NameTemplate, NamesArePrintableAndNeverEmpty) {
  ProcessFacts facts;
  EXPECT_EQ(Named("{{.Comm}}", facts), "(empty)");
  EXPECT_EQ(Named("", facts), "(empty)");
  facts.comm = "a\n\xff\\\x1b";
  EXPECT_EQ(Named("{{.Comm}}", facts), "a\\x0a\\xff\\\\\\x1b");
}

TEST(NameTemplate, NamesAreCutBetweenCharacters) {
  const auto cut = [](const std::string& comm) {
    ProcessFacts facts;
    facts.comm = comm;
    return Named("{{.Comm}}", facts);
  };
  const std::string most(NameTemplate::kMostBytes, 'x');
  EXPECT_EQ(cut(most), most);
  EXPECT_EQ(cut(most + "y"), most);
  EXPECT_EQ(cut(std::string(1'000'000, 'x')), most);
  const std::string less = most.substr(1);
  for (const std::string& last :
       {"\xc3\xa4"s, "\xe2\x82\xac"s, "\xf0\x9f\x90\xa7"s, "\n"s, "\\"s}) {
    EXPECT_EQ(cut(less + last), less) << last;
    const std::string fits = less.substr(PrintableText(last).size() - 1);
    EXPECT_EQ(cut(fits + last + last), fits + PrintableText(last)) << last;
  }
}

TEST(NameTemplate, SaysWhatItNeeds) {
  const auto needs = [](const std::string& text) {
    return NameTemplate::Parse(text, {"x"}).value_or(NameTemplate()).needs();
  };
  EXPECT_EQ(needs("a{{.Comm}}"), RuleNeeds{});
  for (const char* text : {"{{.ExeBase}}", "{{.ExeFull}}", "{{.Matches.x}}"}) {
    EXPECT_EQ(needs(text), RuleNeeds{.arguments = true}) << text;
  }
  EXPECT_EQ(needs("{{.Username}}"), RuleNeeds{.user = true});
  EXPECT_EQ(needs("{{.Cgroups}}"), RuleNeeds{.cgroup = true});
  EXPECT_EQ(needs("{{.Unit}}"), RuleNeeds{.unit = true});
  for (const char* text : {"{{.Namespace}}", "{{.Pod}}", "{{.Container}}"}) {
    EXPECT_EQ(needs(text), RuleNeeds{.pods = true}) << text;
  }
  for (const char* text : {"{{.PID}}", "{{.StartTime}}"}) {
    EXPECT_EQ(needs(text), RuleNeeds{.process = true}) << text;
  }
}

TEST(NameTemplate, IsConstantWithoutVariables) {
  EXPECT_TRUE(NameTemplate::Parse("web }}", {})->IsConstant());
  EXPECT_FALSE(NameTemplate::Parse("web {{.Comm}}", {})->IsConstant());
  EXPECT_EQ(NameTemplate::Parse("web {{ .Comm}}", {})->text(), "web {{ .Comm}}");
}

}  // namespace
}  // namespace sched_exporter
