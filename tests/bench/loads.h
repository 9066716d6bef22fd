#pragma once

#include <sys/types.h>

#include "tests/support/workload.h"

namespace sched_exporter::test_support {

/// Loads that run in processes of their own until `end` opens; each returns the parent's pid, which
/// is to be waited for. Those with `rounds` count in that memory what they have done.

/// `members` processes in a ring pass `tokens` bytes on, so that no cache keeps them all.
pid_t TokenRing(int members, int tokens, const Gate& end);

/// Like hackbench: `pairs` senders write 100 bytes to each of as many receivers in turn, over
/// socket pairs. A round is a message that was received.
pid_t Messages(int pairs, const Gate& end, volatile long* rounds);

/// One process for each of `parallel` starts small static programs one after another, by
/// posix_spawn, and waits for each. A round is a child.
pid_t ExecStorm(int parallel, const Gate& end, volatile long* rounds);

/// Ends a load; false, with a line on stderr, where it had ended before, so that nothing was
/// measured.
bool EndLoad(pid_t load, Gate& end);

}  // namespace sched_exporter::test_support
