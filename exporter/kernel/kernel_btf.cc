#include "exporter/kernel/kernel_btf.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/btf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fstream>

namespace sched_exporter {
namespace {

/// Without typedefs, const and volatile before it.
std::uint32_t Unqualified(const btf* types, std::uint32_t id) {
  const btf_type* type = btf__type_by_id(types, id);
  while (type != nullptr && (btf_is_mod(type) || btf_is_typedef(type))) {
    id = type->type;
    type = btf__type_by_id(types, id);
  }
  return id;
}

/// A member of a struct or union, its offset in bits from the beginning of that.
struct Member {
  std::uint32_t type = 0;
  std::uint32_t bits = 0;
};

/// Fields of unnamed structs and unions in it are its own, as in C.
std::optional<Member> FindMember(const btf* types, std::uint32_t id, const std::string& name) {
  const btf_type* const type = btf__type_by_id(types, Unqualified(types, id));
  if (type == nullptr || !btf_is_composite(type)) {
    return std::nullopt;
  }
  const btf_member* const members = btf_members(type);
  for (std::uint32_t i = 0; i < btf_vlen(type); ++i) {
    const std::uint32_t bits = btf_member_bit_offset(type, i);
    const std::string own = btf__name_by_offset(types, members[i].name_off);
    if (own == name) {
      return Member{members[i].type, bits};
    }
    if (!own.empty()) {
      continue;
    }
    if (const auto inner = FindMember(types, members[i].type, name)) {
      return Member{inner->type, bits + inner->bits};
    }
  }
  return std::nullopt;
}

}  // namespace

KernelBtf::KernelBtf(btf* types) : btf_(types, &btf__free) {}

Result<KernelBtf> KernelBtf::OfRunningKernel() {
  btf* const types = btf__load_vmlinux_btf();
  if (types == nullptr) {
    return Fail(
        "cannot load BPF programs: the kernel has no BTF (/sys/kernel/btf/vmlinux); needs a kernel "
        "built with CONFIG_DEBUG_INFO_BTF=y, see README, Requirements");
  }
  return KernelBtf(types);
}

bool HasKernelBtf() {
  std::ifstream file(kBtfPath, std::ios::binary);
  std::uint16_t magic = 0;
  file.read(reinterpret_cast<char*>(&magic), sizeof(magic));
  return (file && magic == BTF_MAGIC) || KernelBtf::OfRunningKernel().has_value();
}

Result<KernelBtf> KernelBtf::OfFile(const std::string& path) {
  if (::access(path.c_str(), R_OK) != 0) {
    return Fail(WithErrno("cannot read the BTF file " + path, errno) + " (--bpf.btf-path)");
  }
  btf* const types = btf__parse(path.c_str(), nullptr);
  if (types == nullptr) {
    return Fail(path + " is no BTF file, nor an ELF file with a section .BTF (--bpf.btf-path)");
  }
  return KernelBtf(types);
}

const btf_type* KernelBtf::Tracepoint(const std::string& name) const {
  const std::uint32_t id = TracepointId(name);
  if (id == 0) {
    return nullptr;
  }
  const btf_type* pointer = btf__type_by_id(get(), btf__type_by_id(get(), id)->type);
  return pointer == nullptr ? nullptr : btf__type_by_id(get(), pointer->type);
}

std::uint32_t KernelBtf::TracepointId(const std::string& name) const {
  const auto id = btf__find_by_name_kind(get(), ("btf_trace_" + name).c_str(), BTF_KIND_TYPEDEF);
  return id > 0 ? static_cast<std::uint32_t>(id) : 0;
}

std::uint32_t KernelBtf::FunctionId(const std::string& name) const {
  const auto id = btf__find_by_name_kind(get(), name.c_str(), BTF_KIND_FUNC);
  return id > 0 ? static_cast<std::uint32_t>(id) : 0;
}

std::optional<std::uint32_t> KernelBtf::OffsetOf(const std::string& structure,
                                                 const std::string& field) const {
  const auto id = btf__find_by_name_kind(get(), structure.c_str(), BTF_KIND_STRUCT);
  if (id <= 0) {
    return std::nullopt;
  }
  Member at{static_cast<std::uint32_t>(id), 0};
  for (std::size_t begin = 0; begin < field.size();) {
    const std::size_t end = std::min(field.find('.', begin), field.size());
    const auto member = FindMember(get(), at.type, field.substr(begin, end - begin));
    if (!member) {
      return std::nullopt;
    }
    at = {member->type, at.bits + member->bits};
    begin = end + 1;
  }
  return at.bits / 8;
}

std::uint32_t KernelBtf::TypeCount() const { return btf__type_cnt(get()); }

}  // namespace sched_exporter
