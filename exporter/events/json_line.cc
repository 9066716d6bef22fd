#include "exporter/events/json_line.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "exporter/base/clock.h"
#include "exporter/base/code_names.h"
#include "exporter/base/text.h"
#include "exporter/events/event_text.h"
#include "exporter/model/lifecycle.h"

namespace sched_exporter {
namespace {

std::string NineDigits(std::uint64_t ns) {
  std::array<char, 16> digits{};
  std::snprintf(digits.data(), digits.size(), "%09u", static_cast<unsigned>(ns % kNsPerSecond));
  return digits.data();
}

/// RFC 3339.
std::string Rfc3339(std::uint64_t unix_ns) {
  const auto seconds = static_cast<std::time_t>(unix_ns / kNsPerSecond);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  return std::string(text.data()) + "." + NineDigits(unix_ns) + "Z";
}

/// Digits that a double, with which the JSON library would write it, doesn't always have.
std::string SecondsText(std::uint64_t ns) {
  std::string fraction = NineDigits(ns);
  while (fraction.size() > 1 && fraction.back() == '0') {
    fraction.pop_back();
  }
  return std::to_string(ns / kNsPerSecond) + "." + fraction;
}

/// The text of an object, member by member.
class ObjectText {
 public:
  void Add(std::string_view key, const nlohmann::ordered_json& value) {
    using Json = nlohmann::ordered_json;
    AddRaw(key, value.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  void AddSeconds(std::string_view key, std::uint64_t ns) { AddRaw(key, SecondsText(ns)); }

  std::string End() { return std::move(text_) + "}\n"; }

 private:
  void AddRaw(std::string_view key, std::string_view value) {
    text_.append(text_.empty() ? "{\"" : ",\"").append(key).append("\":").append(value);
  }

  std::string text_;
};

void AddResult(ObjectText& object, const LifecycleEvent& event) {
  if (event.type == LifecycleEvent::Type::kExecFailed) {
    object.Add("errno", ErrnoName(event.code));
  }
  if (event.type != LifecycleEvent::Type::kExit) {
    return;
  }
  if (event.code < kSignalBase) {
    object.Add("exit_code", event.code);
  } else if (event.code != kOtherCode) {  // which nobody told
    object.Add("signal", SignalName(event.code - kSignalBase));
  }
  object.AddSeconds("run_seconds", event.run_ns);
  if (event.wait_ns) {
    object.AddSeconds("wait_seconds", *event.wait_ns);
  }
  object.AddSeconds("lifetime_seconds", event.lifetime_ns);
}

void AddArguments(ObjectText& object, const ProgramImage& image) {
  object.Add("args", PrintableArguments(image));
  if (image.arguments_cut) {
    object.Add("args_cut", true);
  }
}

void AddExe(ObjectText& object, const ProgramImage& image) {
  if (!image.file.empty()) {
    object.Add("exe", PrintableText(image.file));
  }
  if (image.file_cut) {
    object.Add("exe_cut", true);
  }
}

}  // namespace

std::string JsonLine(const LifecycleEvent& event, bool arguments) {
  ObjectText object;
  object.Add("time", Rfc3339(event.time_unix_ns));
  object.Add("event", EventName(event.type));
  if (event.type == LifecycleEvent::Type::kLost) {
    object.Add("buffer", event.buffer);
    object.Add("lost", event.lost);
    return object.End();
  }
  object.Add("pid", event.pid);
  object.Add("ppid", event.ppid);
  object.Add("uid", event.uid);
  object.Add("comm", event.comm);
  object.Add("group", event.group);
  if (event.image != nullptr) {
    AddExe(object, *event.image);
  }
  object.Add("cgroup", event.cgroup);
  for (const auto& [label, value] : event.cgroup_labels) {
    object.Add(label, value);
  }
  AddResult(object, event);
  // Arguments of an exec that fails are not read.
  if (arguments && event.image != nullptr && event.type != LifecycleEvent::Type::kExecFailed) {
    AddArguments(object, *event.image);
  }
  return object.End();
}

}  // namespace sched_exporter
