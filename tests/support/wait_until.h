#pragma once

#include <chrono>
#include <thread>

namespace sched_exporter::test_support {

/// Looks every 20 ms until `condition` holds; false where it doesn't in `patience`, which is only
/// spent by tests that fail.
template <typename Condition>
bool WaitUntil(const Condition& condition,
               std::chrono::seconds patience = std::chrono::seconds(60)) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace sched_exporter::test_support
