#include "exporter/ledger/code_series.h"

#include <cstdint>
#include <map>

namespace sched_exporter {
namespace {

using Codes = std::map<std::uint32_t, std::uint64_t>;

/// `series` counts those that `to` and its like have; none is added beyond `max`, but the one for
/// all other codes.
void AddCodes(Codes& to, const Codes& addition, std::size_t& series, std::size_t max) {
  for (const auto& [code, count] : addition) {
    const bool room = to.contains(code) || series < max;
    const auto [entry, added] = to.try_emplace(room ? code : kOtherCode);
    series += added ? 1 : 0;
    entry->second += count;
  }
}

}  // namespace

void CodeSeries::AddTo(Lifecycle& sum, const Lifecycle& addition, std::size_t max_codes) {
  sum.execs += addition.execs;
  sum.forks += addition.forks;
  sum.thread_starts += addition.thread_starts;
  sum.oom_kills += addition.oom_kills;
  AddCodes(sum.exits, addition.exits, exits_, max_codes);
  AddCodes(sum.exec_failures, addition.exec_failures, failures_, max_codes);
  sum.lifetimes += addition.lifetimes;
}

void CodeSeries::Release(const Lifecycle& sum) {
  exits_ -= sum.exits.size();
  failures_ -= sum.exec_failures.size();
}

}  // namespace sched_exporter
