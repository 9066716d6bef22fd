#include "tests/support/confined_thread.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <thread>

#include "exporter/base/unique_fd.h"

namespace sched_exporter::test_support {
namespace {

bool RaiseLoopback() {
  const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  return ::ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
}

/// seccomp(2); filters belong to a thread and what it starts.
bool ForbidBpf(int error) {
  const auto failure =
      static_cast<__u32>(SECCOMP_RET_ERRNO | (static_cast<unsigned>(error) & SECCOMP_RET_DATA));
  std::array<sock_filter, 4> filter = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, failure),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program = {filter.size(), filter.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

bool InThread(const std::function<bool()>& prepare, const std::function<void()>& body) {
  bool prepared = false;
  std::thread thread([&] {
    prepared = prepare();
    if (prepared) {
      body();
    }
  });
  thread.join();
  return prepared;
}

}  // namespace

bool InPrivateNetwork(const std::function<void()>& body) {
  return InThread([] { return unshare(CLONE_NEWNET) == 0 && RaiseLoopback(); }, body);
}

bool WithBpfForbidden(int error, const std::function<void()>& body) {
  return InThread([error] { return ForbidBpf(error); }, body);
}

}  // namespace sched_exporter::test_support
