// `sched_exporter probe` against what others say of this kernel: sysfs, bpftool, /proc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/utsname.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/exporter.h"
#include "tests/support/temp_directory.h"

namespace sched_exporter::test_support {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kBtf[] = "/sys/kernel/btf/vmlinux";

/// What `probe --format=json` printed, behind a command in front of it.
struct Probed {
  int exit_code = -1;
  json all;
  std::map<std::string, json> features;

  bool Found(const std::string& feature) const { return features.at(feature).at("found") == true; }
  std::string Detail(const std::string& feature) const {
    return features.at(feature).at("detail").get<std::string>();
  }
};

Probed Probe(std::vector<std::string> prefix = {}) {
  prefix.insert(prefix.end(), {ExporterBinary(), "probe", "--format=json"});
  const Ended ended = RunProgram(prefix);
  Probed probed{ended.exit_code, json::parse(ended.output, nullptr, false), {}};
  EXPECT_TRUE(probed.all.is_object()) << ended.output;
  for (const json& feature : probed.all.is_object() ? probed.all.at("features") : json::array()) {
    probed.features[feature.at("feature").get<std::string>()] = feature;
  }
  return probed;
}

/// What bpftool printed as JSON.
json Bpftool(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"bpftool", "--json"});
  const Ended ended = RunProgram(arguments);
  json all = json::parse(ended.output.substr(0, ended.output.rfind('}') + 1), nullptr, false);
  EXPECT_FALSE(all.is_discarded()) << ended.output.substr(0, 1000);
  return all;
}

/// The kernel's types as bpftool reads them, by id.
class Types {
 public:
  Types() : all_(Bpftool({"btf", "dump", "file", kBtf}).at("types")) {}

  std::size_t size() const { return all_.size(); }

  const json& Get(std::size_t id) const { return all_.at(id - 1); }

  const json* Find(const std::string& kind, const std::string& name) const {
    for (const json& type : all_) {
      if (type.at("kind") == kind && type.at("name") == name) {
        return &type;
      }
    }
    return nullptr;
  }

  /// In bytes; -1 where there is no such field. Looks into unnamed members, too.
  std::int64_t Offset(const json& structure, const std::string& field) const {
    for (const json& member : structure.at("members")) {
      const std::int64_t at = member.at("bits_offset").get<std::int64_t>() / 8;
      if (member.at("name") == field) {
        return at;
      }
      const json& type = Get(member.at("type_id").get<std::size_t>());
      if (member.at("name") == "(anon)" && type.contains("members")) {
        if (const std::int64_t inner = Offset(type, field); inner >= 0) {
          return at + inner;
        }
      }
    }
    return -1;
  }

  /// How many arguments a tracepoint hands to programs, and a context of their own before them.
  std::size_t TracepointArguments(const std::string& name) const {
    const json& function = FunctionOf(name);
    return function.at("params").size();
  }

  bool SecondIsPointer(const std::string& name) const {
    const json& parameter = FunctionOf(name).at("params").at(1);
    return Get(parameter.at("type_id").get<std::size_t>()).at("kind") == "PTR";
  }

 private:
  const json& FunctionOf(const std::string& tracepoint) const {
    const json& pointer =
        Get(Find("TYPEDEF", "btf_trace_" + tracepoint)->at("type_id").get<std::size_t>());
    return Get(pointer.at("type_id").get<std::size_t>());
  }

  json all_;
};

std::string At(std::int64_t offset) { return "at " + std::to_string(offset); }

TEST(ProbeCommand, TellsTheTypesThatBpftoolReads) {
  if (!std::filesystem::exists(kBtf)) {
    GTEST_SKIP() << "this kernel has no BTF";
  }
  const Probed probed = Probe();
  const Types types;
  ASSERT_TRUE(probed.Found("BTF"));
  EXPECT_THAT(probed.Detail("BTF"),
              AllOf(HasSubstr(std::to_string(types.size()) + " types"), HasSubstr(kBtf)));
  const json& task = *types.Find("STRUCT", "task_struct");
  EXPECT_EQ(probed.Detail("task_struct.on_cpu"), At(types.Offset(task, "on_cpu")));
  EXPECT_EQ(probed.Detail("task_struct.se.sum_exec_runtime"),
            At(types.Offset(task, "se") +
               types.Offset(*types.Find("STRUCT", "sched_entity"), "sum_exec_runtime")));
  const json& info = *types.Find("STRUCT", "sched_info");
  EXPECT_EQ(probed.Found("task_struct.sched_info.run_delay"), types.Offset(info, "run_delay") >= 0);
  EXPECT_EQ(probed.Found("task_struct.__state"), types.Offset(task, "__state") >= 0);
  EXPECT_EQ(probed.Found("exit tells group_dead"),
            types.TracepointArguments("sched_process_exit") > 2);
  EXPECT_EQ(probed.Found("mark_victim tells the task"), types.SecondIsPointer("mark_victim"));
}

TEST(ProbeCommand, TellsTheFeaturesThatBpftoolFinds) {
  const Probed probed = Probe();
  const json features = Bpftool({"feature", "probe", "kernel"});
  EXPECT_EQ(probed.Found("ring buffer"),
            features.at("map_types").at("have_ringbuf_map_type").get<bool>());
  // bpftool tries a function's begin, which takes the same as its end.
  EXPECT_EQ(probed.Found("end of execve()"),
            features.at("program_types").at("have_tracing_prog_type").get<bool>());
  const auto has = [&](const char* helper) {
    const json& helpers = features.at("helpers").at("socket_filter_available_helpers");
    return std::find(helpers.begin(), helpers.end(), helper) != helpers.end();
  };
  EXPECT_EQ(probed.Found("helper task_pt_regs"), has("bpf_task_pt_regs"));
  EXPECT_EQ(probed.Found("maps accounted to cgroup"), has("bpf_ktime_get_coarse_ns"));
}

TEST(ProbeCommand, FullModeIsWhatTheExporterStartsWith) {
  const Probed probed = Probe();
  const auto exporter = Exporter::Start();
  EXPECT_EQ(probed.all.at("mode") == "full", exporter.has_value());
  EXPECT_EQ(probed.exit_code, 0);
  utsname names{};
  uname(&names);
  EXPECT_EQ(probed.all.at("kernel"), names.release);
  EXPECT_EQ(probed.all.at("machine"), names.machine);
}

TEST(ProbeCommand, SaysOfEachRowWhatPrivilegesAreMissing) {
  const TempDirectory directory;
  std::filesystem::permissions(directory.path(), std::filesystem::perms(0755));
  const std::string binary = directory.path() + "/sched_exporter";
  std::filesystem::copy_file(ExporterBinary(), binary);
  const Ended ended = RunProgram({"setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
                                  "--inh-caps=-all", binary, "probe", "--format=json"});
  const json all = json::parse(ended.output, nullptr, false);
  ASSERT_TRUE(all.is_object()) << ended.output;
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_EQ(all.at("mode"), "none");
  EXPECT_THAT(all.at("reason").get<std::string>(), HasSubstr("CAP_BPF"));
  std::map<std::string, json> features;
  for (const json& feature : all.at("features")) {
    features[feature.at("feature").get<std::string>()] = feature;
  }
  for (const char* feature : {"tp_btf programs", "task iterator", "ring buffer", "batch look-up",
                              "test run on a CPU", "end of execve()"}) {
    EXPECT_TRUE(features.at(feature).at("found").is_null()) << features.at(feature);
    EXPECT_THAT(features.at(feature).at("detail").get<std::string>(), HasSubstr("not permitted"));
  }
  EXPECT_EQ(features.at("CAP_BPF").at("found"), false);
  // What anybody may read is told all the same.
  EXPECT_EQ(features.at("BTF").at("found"), std::filesystem::exists(kBtf));
}

TEST(ProbeCommand, SeesThatItIsInAContainer) {
  const Probed probed = Probe({"unshare", "--pid", "--fork"});
  EXPECT_EQ(probed.exit_code, 1);
  EXPECT_FALSE(probed.Found("host's PID namespace"));
  EXPECT_EQ(probed.all.at("mode"), "none");
}

TEST(ProbeCommand, WithoutBtfThereIsPortableMode) {
  // All places where libbpf looks for it.
  const std::string hide =
      "for at in /sys/kernel/btf /boot /lib/modules /usr/lib/modules /usr/lib/debug; do "
      "if [ -d $at ]; then mount -t tmpfs none $at || exit 99; fi; done; exec \"$@\"";
  const Probed probed = Probe({"unshare", "--mount", "sh", "-c", hide, "sh"});
  EXPECT_FALSE(probed.Found("BTF"));
  EXPECT_FALSE(probed.Found("task iterator"));
  const bool has_v2 = std::filesystem::exists("/sys/fs/cgroup/unified/cgroup.procs") ||
                      std::filesystem::exists("/sys/fs/cgroup/cgroup.controllers");
  EXPECT_EQ(probed.all.at("mode"), has_v2 ? "portable" : "none");
  EXPECT_EQ(probed.exit_code, has_v2 ? 0 : 1);
}

TEST(ProbeCommand, TextIsATable) {
  const Ended ended = RunProgram({ExporterBinary(), "probe"});
  std::istringstream lines(ended.output);
  std::string line;
  std::getline(lines, line);
  EXPECT_THAT(line, testing::StartsWith("Linux "));
  std::getline(lines, line);
  std::getline(lines, line);
  const std::size_t found = line.find("FOUND");
  const std::size_t consequence = line.find("CONSEQUENCE");
  ASSERT_NE(found, std::string::npos);
  ASSERT_NE(consequence, std::string::npos);
  std::size_t rows = 0;
  while (std::getline(lines, line) && !line.empty()) {
    ++rows;
    ASSERT_GT(line.size(), consequence) << line;
    EXPECT_EQ(line.substr(found - 2, 2), "  ") << line;
    EXPECT_NE(line[found], ' ') << line;
    EXPECT_EQ(line.substr(consequence - 2, 2), "  ") << line;
    EXPECT_NE(line[consequence], ' ') << line;
  }
  EXPECT_EQ(rows, Probe().features.size());
  std::getline(lines, line);
  EXPECT_THAT(line, testing::StartsWith("mode: "));
}

}  // namespace
}  // namespace sched_exporter::test_support
