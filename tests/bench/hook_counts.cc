#include "tests/bench/hook_counts.h"

#include <bpf/libbpf.h>

#include <span>

#include "exporter/kernel/programs.h"
#include "tests/support/bpf_vm.h"
#include "tests/support/made_up_tasks.h"

namespace sched_exporter::test_support {
namespace {

constexpr std::uint64_t kSlice_ns = 300'000;
/// Pids that are so far apart share a place where a CPU remembers tasks, if it has no more of them.
constexpr std::uint32_t kPidStep = 1 << 20;

/// on_switch in the VM, and tasks that it is called with.
class Hook {
 public:
  Hook(const bpf_object* object, const KernelStructs& structs)
      : idle_(structs, maps_, 0),
        first_(structs, maps_, 1001),
        second_(structs, maps_, 1002),
        rival_(structs, maps_, 1001 + kPidStep) {
    maps_.AddAllOf(object);
    const bpf_program* program = bpf_object__find_program_by_name(object, "on_switch");
    program_ = {bpf_program__insns(program), bpf_program__insn_cnt(program)};
    vm_.Allow(context_, sizeof(context_));
  }

  /// Two tasks that take turns.
  Result<std::vector<NamedCount>> CountRemembered() {
    return Count("hook.remembered", first_, second_, false);
  }

  /// Two that its CPU remembers in one place: each takes it from the other.
  Result<std::vector<NamedCount>> CountLookedUp() {
    return Count("hook.looked_up", first_, rival_, true);
  }

  /// The idle task leaves the CPU.
  Result<std::vector<NamedCount>> CountIdle() { return Count("hook.idle", idle_, first_, false); }

 private:
  /// The switch from `from` to `to` after some back and forth. It must look into the hash of tasks,
  /// or must not.
  Result<std::vector<NamedCount>> Count(const std::string& name, MadeUpTask& from, MadeUpTask& to,
                                        bool looks_up) {
    constexpr int kTurns = 4;
    for (int i = 0; i < kTurns; ++i) {
      for (const auto& run : {Switch(from, to), Switch(to, from)}) {
        if (!run) {
          return tl::unexpected(run.error());
        }
      }
    }
    maps_.TakeLookups("tasks");
    const auto run = Switch(from, to);
    if (!run) {
      return tl::unexpected(run.error());
    }
    if ((maps_.TakeLookups("tasks") > 0) != looks_up) {
      return Fail(name + ": the switch " + (looks_up ? "did not look" : "looked") +
                  " into the hash of tasks: it is not what its name says");
    }
    return std::vector<NamedCount>{{name + ".instructions", run->instructions},
                                   {name + ".helper_calls", run->helper_calls}};
  }

  Result<BpfVm::Run> Switch(MadeUpTask& from, MadeUpTask& to) {
    from.Run(kSlice_ns);
    constexpr std::uint64_t kSleeps = 1;
    context_[1] = from.address();
    context_[2] = to.address();
    context_[3] = kSleeps;
    return vm_.Execute(program_, context_);
  }

  BpfVmMaps maps_;
  BpfVm vm_{maps_};
  MadeUpTask idle_;
  MadeUpTask first_;
  MadeUpTask second_;
  MadeUpTask rival_;
  std::span<const bpf_insn> program_;
  std::uint64_t context_[4] = {};  ///< Whether it was preempted, from, to, the state of from.
};

}  // namespace

Result<std::vector<NamedCount>> CountHook() {
  const auto structs = KernelStructs::Read();
  if (!structs) {
    return tl::unexpected(structs.error());
  }
  const auto programs = Programs::Load(ProgramOptions{});
  if (!programs) {
    return tl::unexpected(programs.error());
  }
  Hook hook((*programs)->object(), **structs);
  std::vector<NamedCount> counts;
  for (const auto count : {&Hook::CountRemembered, &Hook::CountLookedUp, &Hook::CountIdle}) {
    const auto counted = (hook.*count)();
    if (!counted) {
      return tl::unexpected(counted.error());
    }
    counts.insert(counts.end(), counted->begin(), counted->end());
  }
  return counts;
}

}  // namespace sched_exporter::test_support
