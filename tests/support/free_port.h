#pragma once

namespace sched_exporter::test_support {

/// A TCP port of 127.0.0.1 that nobody has at the moment; 0 where there is none.
int FreePort();

}  // namespace sched_exporter::test_support
