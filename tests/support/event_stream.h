#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/base/result.h"
#include "tests/support/starter.h"

namespace sched_exporter::test_support {

/// Lines of the exporter's event stream, each an object. Fails on the first that is not valid JSON
/// in UTF-8, and on a last line without end.
Result<std::vector<nlohmann::json>> ParseEvents(std::string_view text);

/// The whole of a file; empty where it isn't there.
std::string ReadFile(const std::string& path);

/// What happened to each process, in order, one line each, e.g. {"exec NAME", "exit NAME SIGKILL"}.
using Histories = std::map<pid_t, std::vector<std::string>>;

/// By the stream, of processes in this cgroup.
Histories HistoriesOf(const std::vector<nlohmann::json>& events, const std::string& cgroup);

/// By the starter. Children that had the same pid follow each other.
Histories HistoriesOf(const StarterReport& report, const std::string& starter_comm);

/// Up to ten processes whose histories differ.
std::vector<std::string> HistoryDifferences(const Histories& wanted, const Histories& got);

}  // namespace sched_exporter::test_support
