#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "exporter/identity/cgroups.h"
#include "exporter/rules/pattern.h"

namespace sched_exporter {

/// "`key`    `value`\n", the values below each other.
std::string Row(const std::string& key, const std::string& value);

/// Printable text between quotes.
std::string InQuotes(std::string_view printable);

/// "2026-11-21 12:21:23 UTC".
std::string TimeText(std::uint64_t unix_ns);

/// As the config and /proc/mounts name it.
std::string NameOf(Hierarchy hierarchy);

/// Which part of `filter`, the config's `key`, takes `name` out.
std::string ReasonOf(const NameFilter& filter, std::string_view name, const std::string& key);

}  // namespace sched_exporter
