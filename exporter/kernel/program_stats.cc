#include "exporter/kernel/program_stats.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cstdint>

namespace sched_exporter {

void AddStatsOf(const std::string& name, int fd, std::vector<ProgramStats>& to) {
  bpf_prog_info info{};
  std::uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(fd, &info, &length) == 0) {
    to.push_back({name, info.run_cnt, info.run_time_ns, info.recursion_misses});
  }
}

std::vector<ProgramStats> ReadStatsOfPrograms(const bpf_object* object) {
  std::vector<ProgramStats> all;
  bpf_program* program = nullptr;
  while ((program = bpf_object__next_program(object, program)) != nullptr) {
    AddStatsOf(bpf_program__name(program), bpf_program__fd(program), all);
  }
  return all;
}

}  // namespace sched_exporter
