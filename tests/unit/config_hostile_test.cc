// Config files that are wrong: by mistake (the pairs in tests/invalid_config), or on purpose.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "exporter/config/loader.h"

namespace sched_exporter {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string Repeated(const std::string& text, std::size_t count) {
  std::string all;
  all.reserve(text.size() * count);
  for (std::size_t i = 0; i < count; ++i) {
    all += text;
  }
  return all;
}

/// The error that `text` is refused with, or "" when it isn't.
std::string ErrorOf(const std::string& text) {
  const Result<Config> config = ParseConfig(text, "x.yml");
  return config ? "" : config.error().message;
}

std::vector<std::filesystem::path> InvalidConfigs() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(SOURCE_DIR "/tests/invalid_config")) {
    if (entry.path().extension() == ".yml") {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

class InvalidConfig : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(InvalidConfig, IsRefusedWithItsLiteralError) {
  std::filesystem::path expected = GetParam();
  expected.replace_extension(".error");
  const Result<Config> config = ParseConfig(ReadAll(GetParam()), GetParam().filename().string());
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().message + "\n", ReadAll(expected));
}

INSTANTIATE_TEST_SUITE_P(Files, InvalidConfig, testing::ValuesIn(InvalidConfigs()),
                         [](const auto& file) { return file.param.stem().string(); });

TEST(HostileConfig, BytesThatAreNotTextAreRefusedAtTheirPlace) {
  EXPECT_EQ(ErrorOf(std::string("maps:\n  t\0x: 1", 14)),
            "x.yml:2:4: expected printable text, got the character \"\\x00\"");
  // yaml-cpp takes this one for the end of the file.
  EXPECT_EQ(ErrorOf("maps: {}\n\x04junk"),
            "x.yml:2:1: expected printable text, got the character \"\\x04\"");
  EXPECT_EQ(ErrorOf("a\rb"), "x.yml:1:2: expected printable text, got the character \"\\r\"");
  EXPECT_EQ(ErrorOf("# \xc2\x9b"),
            "x.yml:1:3: expected printable text, got the character \"\\xc2\\x9b\"");
  // A lone continuation byte, overlong forms, a surrogate, beyond U+10FFFF, cut off.
  for (const char* bytes : {"\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xed\xa0\x80",
                            "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82"}) {
    EXPECT_THAT(ErrorOf(std::string("# ") + bytes),
                StartsWith("x.yml:1:3: expected UTF-8, got the byte \"\\x"));
  }
  EXPECT_EQ(ErrorOf("# \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\n"), "");
}

TEST(HostileConfig, EchoedValuesAreEscapedAndCut) {
  EXPECT_EQ(ErrorOf("collection: {walk: \"\\e[31m\\0\\n\\u202e\\\\\"}"),
            "x.yml:1:20: collection.walk: expected one of auto, batch, next_key, got "
            "\"\\x1b[31m\\x00\\n\\xe2\\x80\\xae\\\\\"");
  EXPECT_EQ(ErrorOf(std::string(1000, 'k') + ": 1"),
            "x.yml:1:1: expected a known key, got \"" + std::string(64, 'k') +
                "...\"; valid keys are collection, maps, limits, events, cgroup, process_names, "
                "children, filters, labels, kubernetes, histograms, live, openmetrics, "
                "persistence");
}

TEST(HostileConfig, OnlyTheFirstTwentyFindingsAreShown) {
  std::string text;
  for (int i = 0; i < 25; ++i) {
    text += "key" + std::to_string(i) + ": 1\n";
  }
  const std::string error = ErrorOf(text);
  EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 20);
  EXPECT_THAT(error, HasSubstr("\nx.yml:20:1: "));
  EXPECT_THAT(error, EndsWith("\nx.yml: and 5 more"));
}

TEST(HostileConfig, MegabytesOfNestingAreRefused) {
  for (const std::string unit :
       {"[", "- ",    "{",   "? ",  ": ", "a: ", "[{", "{a: ",         "[a,",    "-\n ",  "]",
        ",", "---\n", "&a ", "*a ", "!",  "\"",  "|",  "a: &a [*a]\n", "a: b\n", "\"a\","}) {
    const std::string text = Repeated(unit, kMaxConfigBytes / unit.size());
    EXPECT_THAT(ErrorOf(text), StartsWith("x.yml:")) << unit;
  }
  // Each level on a line of its own, indented one more: as deep as the size allows.
  std::string stairs;
  for (std::size_t depth = 0; stairs.size() + depth + 3 <= kMaxConfigBytes; ++depth) {
    stairs += std::string(depth, ' ') + "a:\n";
  }
  EXPECT_EQ(ErrorOf(stairs), "x.yml:17:17: expected at most 16 levels of nesting, got more");
}

TEST(HostileConfig, DepthAndNodesAreLimited) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_THAT(ErrorOf(nested(16)), HasSubstr("expected a mapping with the keys"));
  EXPECT_EQ(ErrorOf(nested(17)), "x.yml:1:17: expected at most 16 levels of nesting, got more");
  EXPECT_THAT(ErrorOf("[" + Repeated("a, ", 49'999) + "]"), HasSubstr("expected a mapping"));
  EXPECT_THAT(ErrorOf("[" + Repeated("a, ", 50'000) + "]"),
              HasSubstr("expected at most 50000 values, got more"));
}

TEST(HostileConfig, AliasBombIsRefusedUnexpanded) {
  std::string bomb = "a: &x0 [1]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string alias = "*x" + std::to_string(i - 1);
    bomb.append("a: &x").append(std::to_string(i));
    bomb.append(" [").append(alias).append(", ").append(alias).append("]\n");
  }
  EXPECT_THAT(ErrorOf(bomb), StartsWith("x.yml:1:1: expected a known key"));
}

TEST(HostileConfig, SizeIsLimited) {
  EXPECT_EQ(ErrorOf(std::string(kMaxConfigBytes, '\n')), "");
  EXPECT_EQ(ErrorOf(std::string(kMaxConfigBytes + 1, '\n')),
            "x.yml: expected at most 1048576 bytes, got more");
}

class ConfigFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "config_test.XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Path(const char* name) const { return (directory_ / name).string(); }

  static std::string LoadError(const std::string& path) {
    const Result<Config> config = LoadConfig(path);
    return config ? "" : config.error().message;
  }

 private:
  std::filesystem::path directory_;
};

TEST_F(ConfigFile, IsReadAndNamedInFindings) {
  std::ofstream(Path("a.yml")) << "maps: {tasks: 5}\n";
  std::ofstream(Path("b.yml")) << "maps: {tasks: x}\n";
  EXPECT_EQ(LoadConfig(Path("a.yml")).value_or(Config{}).maps.tasks, 5U);
  EXPECT_THAT(LoadError(Path("b.yml")), StartsWith(Path("b.yml") + ":1:15: maps.tasks: expected"));
}

TEST_F(ConfigFile, OnlyRegularFilesAreRead) {
  ASSERT_EQ(::mkfifo(Path("fifo").c_str(), 0600), 0);
  for (const std::string& path : {Path("fifo"), Path(""), std::string("/dev/zero")}) {
    EXPECT_EQ(LoadError(path), "cannot read config file " + path + ": not a regular file");
  }
  EXPECT_EQ(LoadError(Path("none")),
            "cannot open config file " + Path("none") + ": No such file or directory");
}

TEST_F(ConfigFile, IsNotReadBeyondTheLimit) {
  std::ofstream(Path("large")).close();
  std::filesystem::resize_file(Path("large"), std::uintmax_t{1} << 40);
  EXPECT_EQ(LoadError(Path("large")), Path("large") + ": expected at most 1048576 bytes, got more");
  // A regular file that claims to be empty and is not.
  EXPECT_THAT(LoadError("/proc/self/status"), StartsWith("/proc/self/status:1:"));
}

}  // namespace
}  // namespace sched_exporter
