#include "tests/support/made_up_tasks.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <cstring>
#include <utility>

namespace sched_exporter::test_support {
namespace {

std::uint32_t WithoutQualifiers(const btf* types, std::uint32_t id) {
  const btf_type* type = btf__type_by_id(types, id);
  while (btf_is_mod(type) || btf_is_typedef(type)) {
    id = type->type;
    type = btf__type_by_id(types, id);
  }
  return id;
}

/// The first member of that name, also within unnamed ones; its type goes to `id`. -1: there is
/// none.
std::ptrdiff_t MemberOffset(const btf* types, std::uint32_t& id, const std::string& name) {
  const btf_type* type = btf__type_by_id(types, id);
  if (!btf_is_composite(type)) {
    return -1;
  }
  for (std::uint32_t i = 0; i < btf_vlen(type); ++i) {
    const btf_member& member = btf_members(type)[i];
    const auto offset = static_cast<std::ptrdiff_t>(btf_member_bit_offset(type, i) / 8);
    std::uint32_t member_id = WithoutQualifiers(types, member.type);
    const std::string member_name = btf__name_by_offset(types, member.name_off);
    if (member_name == name) {
      id = member_id;
      return offset;
    }
    if (member_name.empty()) {
      if (const auto inner = MemberOffset(types, member_id, name); inner >= 0) {
        id = member_id;
        return offset + inner;
      }
    }
  }
  return -1;
}

}  // namespace

Result<std::unique_ptr<KernelStructs>> KernelStructs::Read() {
  btf* types = btf__load_vmlinux_btf();
  if (types == nullptr) {
    return Fail("this kernel has no BTF");
  }
  return std::unique_ptr<KernelStructs>(new KernelStructs(types));
}

KernelStructs::~KernelStructs() { btf__free(types_); }

std::size_t KernelStructs::SizeOf(const std::string& name) const {
  const int id = btf__find_by_name_kind(types_, name.c_str(), BTF_KIND_STRUCT);
  return id < 0 ? 0 : btf__type_by_id(types_, static_cast<std::uint32_t>(id))->size;
}

std::ptrdiff_t KernelStructs::OffsetOf(const std::string& name, const std::string& path) const {
  const int found = btf__find_by_name_kind(types_, name.c_str(), BTF_KIND_STRUCT);
  auto id = static_cast<std::uint32_t>(found);
  std::ptrdiff_t sum = found < 0 ? -1 : 0;
  for (std::size_t begin = 0; sum >= 0 && begin < path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    const std::ptrdiff_t offset = MemberOffset(types_, id, path.substr(begin, end - begin));
    sum = offset < 0 ? -1 : sum + offset;
    begin = end + 1;
  }
  return sum;
}

MadeUpStruct::MadeUpStruct(const KernelStructs& structs, std::string name, BpfVmMaps& maps)
    : structs_(structs), name_(std::move(name)), memory_(structs.SizeOf(name_) / 8 + 1) {
  maps.Allow(memory_.data(), memory_.size() * 8);
}

void MadeUpStruct::Set(const std::string& path, const void* value, std::size_t bytes) {
  const std::ptrdiff_t offset = structs_.OffsetOf(name_, path);
  if (offset >= 0) {
    std::memcpy(reinterpret_cast<char*>(memory_.data()) + offset, value, bytes);
  }
}

MadeUpTask::MadeUpTask(const KernelStructs& structs, BpfVmMaps& maps, std::uint32_t pid)
    : task_(structs, "task_struct", maps),
      css_set_(structs, "css_set", maps),
      cgroup_(structs, "cgroup", maps),
      kernfs_node_(structs, "kernfs_node", maps),
      cred_(structs, "cred", maps),
      signal_(structs, "signal_struct", maps) {
  task_.Set32("pid", pid);
  task_.Set32("tgid", pid);
  task_.Set32("prio", 120);
  task_.Set64("start_boottime", 1'000'000 * (std::uint64_t{pid} + 1));
  task_.Set64("real_parent", task_.address());
  task_.Set64("group_leader", task_.address());
  task_.Set64("cgroups", css_set_.address());
  task_.Set64("cred", cred_.address());
  task_.Set64("signal", signal_.address());
  task_.SetText("comm", "made-up");
  css_set_.Set64("dfl_cgrp", cgroup_.address());
  cgroup_.Set64("kn", kernfs_node_.address());
  kernfs_node_.Set64("id", 1000 + std::uint64_t{pid});
}

void MadeUpTask::Run(std::uint64_t run_ns) {
  run_ns_ += run_ns;
  ++slices_;
  task_.Set32("__state", 1);
  task_.Set64("se.sum_exec_runtime", run_ns_);
  task_.Set64("sched_info.run_delay", run_ns_);
  task_.Set64("sched_info.pcount", slices_);
  task_.Set64("nvcsw", slices_);
  task_.Set64("utime", run_ns_);
}

}  // namespace sched_exporter::test_support
