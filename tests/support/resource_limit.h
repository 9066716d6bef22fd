#pragma once

#include <sys/resource.h>

#include <csignal>

namespace sched_exporter::test_support {

/// While it lives this process has another soft limit (setrlimit(2)). With RLIMIT_FSIZE no file can
/// grow beyond it, as on a full disk; with RLIMIT_NOFILE at 0 none can be opened.
class ResourceLimit {
 public:
  ResourceLimit(__rlimit_resource resource, rlim_t limit)
      : resource_(resource), handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(resource_, &before_);
    const rlimit lower{limit, before_.rlim_max};
    ::setrlimit(resource_, &lower);
  }
  ~ResourceLimit() {
    ::setrlimit(resource_, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  ResourceLimit(const ResourceLimit&) = delete;
  ResourceLimit& operator=(const ResourceLimit&) = delete;

 private:
  __rlimit_resource resource_;
  rlimit before_{};
  void (*handler_)(int);
};

}  // namespace sched_exporter::test_support
