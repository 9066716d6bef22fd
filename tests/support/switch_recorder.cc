#include "tests/support/switch_recorder.h"

#include <bpf/libbpf.h>

#include <cstring>

#include "switch_recorder.skel.h"

namespace sched_exporter::test_support {

std::unique_ptr<SwitchRecorder> SwitchRecorder::Start(std::uint64_t cgroup_id) {
  switch_recorder_bpf* skeleton = switch_recorder_bpf__open();
  if (skeleton == nullptr) {
    return nullptr;
  }
  std::unique_ptr<SwitchRecorder> recorder(new SwitchRecorder(skeleton));
  skeleton->rodata->cgroup_id = cgroup_id;
  const bool works =
      switch_recorder_bpf__load(skeleton) == 0 && switch_recorder_bpf__attach(skeleton) == 0;
  return works ? std::move(recorder) : nullptr;
}

SwitchRecorder::~SwitchRecorder() { switch_recorder_bpf__destroy(skeleton_); }

std::vector<SwitchRecord> SwitchRecorder::Take() {
  std::vector<SwitchRecord> records;
  const auto take = [](void* to, void* data, std::size_t bytes) {
    SwitchRecord record;
    std::memcpy(&record, data, std::min(bytes, sizeof(record)));
    static_cast<std::vector<SwitchRecord>*>(to)->push_back(record);
    return 0;
  };
  ring_buffer* ring =
      ring_buffer__new(bpf_map__fd(skeleton_->maps.records), take, &records, nullptr);
  if (ring != nullptr) {
    ring_buffer__consume(ring);
    ring_buffer__free(ring);
  }
  return records;
}

std::uint64_t SwitchRecorder::lost() const { return skeleton_->bss->lost; }

}  // namespace sched_exporter::test_support
