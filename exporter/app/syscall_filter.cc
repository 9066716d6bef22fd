#include "exporter/app/syscall_filter.h"

#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <seccomp.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <vector>

namespace sched_exporter {
namespace {

using Filter = std::unique_ptr<void, decltype(&seccomp_release)>;

/// Whatever the arguments. Where libraries may choose among calls, or will in another version, all
/// of them are here. Those that an architecture doesn't have are left out there by libseccomp.
constexpr int kAllowed[] = {
    // Files: /proc, cgroups, users, config, certificates, time zone; events and what is kept.
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(read), SCMP_SYS(readv),
    SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwrite64),
    SCMP_SYS(pwritev), SCMP_SYS(lseek), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(fstat),
    SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(readlink),
    SCMP_SYS(readlinkat), SCMP_SYS(getdents), SCMP_SYS(getdents64), SCMP_SYS(access),
    SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(getcwd), SCMP_SYS(fadvise64),
    SCMP_SYS(fcntl), SCMP_SYS(flock), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(ftruncate),
    SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
    // Memory.
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
    // Threads and signals.
    SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(membarrier),
    SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(getcpu), SCMP_SYS(exit),
    SCMP_SYS(exit_group), SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(rt_sigpending), SCMP_SYS(sigaltstack),
    // Waiting and time.
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep),
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time),
    // Connections.
    SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(connect), SCMP_SYS(shutdown), SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
    // Who and where we are.
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
    SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrusage),
    SCMP_SYS(getrlimit), SCMP_SYS(getrandom)};

/// bpf(): work with the maps, programs and links that are there.
constexpr std::uint32_t kBpfCommands[] = {
    BPF_MAP_LOOKUP_ELEM,  BPF_MAP_UPDATE_ELEM,  BPF_MAP_DELETE_ELEM,
    BPF_MAP_GET_NEXT_KEY, BPF_MAP_LOOKUP_BATCH, BPF_MAP_LOOKUP_AND_DELETE_BATCH,
    BPF_MAP_UPDATE_BATCH, BPF_MAP_DELETE_BATCH, BPF_OBJ_GET_INFO_BY_FD,
    BPF_ITER_CREATE,      BPF_PROG_TEST_RUN};

/// ioctl(): is it a terminal, how wide is it; sockets that don't block; the end of perf buffers.
constexpr std::uint32_t kIoctls[] = {TCGETS, TIOCGWINSZ, FIONBIO, PERF_EVENT_IOC_DISABLE};

/// What glibc tries first and does without.
constexpr int kNotThere[] = {SCMP_SYS(clone3), SCMP_SYS(close_range), SCMP_SYS(epoll_pwait2)};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/// LeakSanitizer stops and reads all threads from a process of its own.
constexpr int kForSanitizers[] = {
    SCMP_SYS(clone),          SCMP_SYS(fork),  SCMP_SYS(ptrace), SCMP_SYS(prctl),
    SCMP_SYS(wait4),          SCMP_SYS(kill),  SCMP_SYS(tgkill), SCMP_SYS(personality),
    SCMP_SYS(prlimit64),      SCMP_SYS(pipe2), SCMP_SYS(ioctl),  SCMP_SYS(process_vm_readv),
    SCMP_SYS(set_tid_address)};
#else
constexpr std::initializer_list<int> kForSanitizers = {};
#endif

/// The kernel takes these arguments as 32 bits, and callers may leave anything in the others.
constexpr std::uint64_t kLowWord = 0xFFFF'FFFF;

/// Namespaces that a new thread could have of its own, and what only processes are begun with.
constexpr std::uint64_t kNoThreadsFlags = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                          CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                          CLONE_NEWNET | CLONE_VFORK | CLONE_PTRACE;

scmp_arg_cmp HasBits(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

scmp_arg_cmp Is(unsigned argument, std::uint64_t value) {
  return HasBits(argument, kLowWord, value);
}

/// A call that is allowed where all of `arguments` hold.
struct Rule {
  int call = 0;
  std::vector<scmp_arg_cmp> arguments = {};
};

std::vector<Rule> RulesByArguments() {
  constexpr std::uint64_t kTypeOfSocket = kLowWord & ~std::uint64_t{SOCK_NONBLOCK | SOCK_CLOEXEC};
  std::vector<Rule> rules = {
      {SCMP_SYS(clone), {HasBits(0, CLONE_THREAD | kNoThreadsFlags, CLONE_THREAD)}},
      {SCMP_SYS(mmap), {HasBits(2, PROT_EXEC, 0)}},
      {SCMP_SYS(mprotect), {HasBits(2, PROT_EXEC, 0)}},
      {SCMP_SYS(prctl), {Is(0, PR_SET_NAME)}},
      {SCMP_SYS(prlimit64), {Is(0, 0), {2, SCMP_CMP_EQ, 0, 0}}},             // asks, sets nothing
      {SCMP_SYS(tgkill), {Is(0, static_cast<std::uint32_t>(::getpid()))}}};  // abort()
  for (const int family : {AF_INET, AF_INET6}) {
    rules.push_back(
        {SCMP_SYS(socket),
         {Is(0, static_cast<std::uint32_t>(family)), HasBits(1, kTypeOfSocket, SOCK_STREAM)}});
  }
  for (const std::uint32_t command : kBpfCommands) {
    rules.push_back({SCMP_SYS(bpf), {Is(0, command)}});
  }
  for (const std::uint32_t command : kIoctls) {
    rules.push_back({SCMP_SYS(ioctl), {Is(1, command)}});
  }
  return rules;
}

/// 0, or what libseccomp says is wrong, negative.
int AddRules(scmp_filter_ctx filter) {
  std::vector<Rule> rules = RulesByArguments();
  for (const int call : kForSanitizers) {
    rules.push_back({call});
  }
  for (const int call : kAllowed) {
    rules.push_back({call});
  }
  for (const Rule& rule : rules) {
    const auto count = static_cast<unsigned>(rule.arguments.size());
    if (const int error =
            seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, rule.call, count, rule.arguments.data());
        error != 0) {
      return error;
    }
  }
  for (const int call : kNotThere) {
    if (const int error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), call, 0); error != 0) {
      return error;
    }
  }
  return 0;
}

/// False where the kernel can't give a filter to all threads, or an outer filter hides that it can.
bool SetAttributes(scmp_filter_ctx filter) {
  // What the kernel then does to speculation is for programs that run somebody else's code, and
  // costs others on this CPU, too (arch_seccomp_spec_mitigate() in arch/x86/kernel/cpu/bugs.c).
  seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
  seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
  seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
  return seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0;
}

}  // namespace

Result<void> FilterSystemCalls() {
  const std::string what = "cannot filter system calls";
  const Filter filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release);
  if (filter == nullptr) {
    return Fail(what + ": out of memory");
  }
  if (!SetAttributes(filter.get())) {
    spdlog::warn(
        "runs without a filter of system calls: this kernel has no CONFIG_SECCOMP_FILTER, or a "
        "seccomp profile forbids seccomp()");
    return {};
  }
  if (const int error = AddRules(filter.get()); error != 0) {
    return Fail(WithErrno(what, -error));
  }
  const int error = seccomp_load(filter.get());
  return error == 0 ? Result<void>() : Fail(WithErrno(what, -error));
}

}  // namespace sched_exporter
