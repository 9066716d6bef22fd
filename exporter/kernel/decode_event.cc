#include "exporter/kernel/decode_event.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "exporter/kernel/convert.h"

namespace sched_exporter {
namespace {

EventOrigin FromAbi(const abi_origin& from) {
  return {from.cgroup_id, from.leader_start_ns, from.tgid, CommFromAbi(from.comm),
          from.is_guess != 0};
}

}  // namespace

/// `bytes` is the whole record's size: the kernel side's own lengths are only trusted within it.
ProgramImagePtr EventDecoder::DecodeImage(const char* record, std::size_t bytes) {
  abi_exec_event exec;
  if (bytes < sizeof(exec)) {
    return nullptr;
  }
  std::memcpy(&exec, record, sizeof(exec));
  if (exec.file_bytes == 0 && exec.arguments_bytes == 0) {
    return nullptr;
  }
  ProgramImage image;
  image.file.assign(exec.file, std::min<std::size_t>(exec.file_bytes, ABI_FILE_LEN - 1));
  image.file_cut = exec.file_cut != 0;
  const std::size_t length = std::min<std::size_t>(exec.arguments_bytes, bytes - sizeof(exec));
  if (length == 0) {
    image.arguments_cut = exec.arguments_cut != 0;
    return std::make_shared<const ProgramImage>(std::move(image));
  }
  if (*held_ + length > most_) {
    image.arguments_cut = true;
    return std::make_shared<const ProgramImage>(std::move(image));
  }
  image.arguments.assign(record + sizeof(exec), length);
  image.arguments_cut = exec.arguments_cut != 0;
  *held_ += length;
  return {new ProgramImage(std::move(image)), [held = held_, length](const ProgramImage* gone) {
            *held -= length;
            delete gone;
          }};
}

std::optional<TaskEvent> EventDecoder::Decode(const void* record, std::size_t bytes) {
  abi_event from;
  if (bytes < sizeof(from)) {
    return std::nullopt;
  }
  std::memcpy(&from, record, sizeof(from));
  const auto kind = KindFromAbi(from.kind);
  if (!kind) {
    return std::nullopt;
  }
  TaskEvent event;
  event.kind = *kind;
  event.time_ns = from.time_ns;
  event.code = from.code;
  event.origin = FromAbi(from.origin);
  event.released_run_ns = from.released_run_ns;
  event.reading = {from.key, FromAbi(from.identity), FromAbi(from.figures)};
  if (from.kind == ABI_EXECUTED || from.kind == ABI_EXEC_FAILED) {
    event.image = DecodeImage(static_cast<const char*>(record), bytes);
  }
  return event;
}

}  // namespace sched_exporter
