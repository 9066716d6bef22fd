#pragma once

#include <map>
#include <string>

#include "exporter/config/findings.h"
#include "exporter/config/keyed_value.h"

namespace sched_exporter {

/// Largest cost of a bcrypt hash: beyond it each first request of a user takes seconds.
inline constexpr int kMaxBcryptCost = 14;

/// Reads a mapping of names to bcrypt hashes. What is wrong becomes a finding without the value,
/// which may be a password that was not hashed.
std::map<std::string, std::string> ReadUsers(const KeyedValue& users, Findings& findings);

}  // namespace sched_exporter
