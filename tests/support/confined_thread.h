#pragma once

#include <functional>

namespace sched_exporter::test_support {

/// Runs `body` in a thread in a network namespace of its own with loopback up: programs that it
/// starts share ports and abstract sockets with each other only. False where the kernel refuses.
bool InPrivateNetwork(const std::function<void()>& body);

/// Runs `body` in a thread where bpf(2) fails with `error`, as under a container's seccomp profile;
/// programs that it starts inherit that. False where the kernel refuses the filter.
bool WithBpfForbidden(int error, const std::function<void()>& body);

}  // namespace sched_exporter::test_support
