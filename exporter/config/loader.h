#pragma once

#include <string>
#include <string_view>

#include "exporter/base/result.h"
#include "exporter/config/config.h"

namespace sched_exporter {

/// Largest config file that is read, in bytes.
inline constexpr std::size_t kMaxConfigBytes = 1'048'576;

/// Parses `text` strictly. On error the message holds every finding, one a line, each as
/// `name:line:col: key.path: expected …, got …`; `name` stands for the file.
Result<Config> ParseConfig(std::string_view text, const std::string& name);

/// Reads and parses the file at `path`; errors as ParseConfig's, or why it can't be read.
Result<Config> LoadConfig(const std::string& path);

}  // namespace sched_exporter
