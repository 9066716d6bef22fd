#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "exporter/identity/exit_queue.h"
#include "exporter/model/process_key.h"
#include "exporter/model/program_image.h"
#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// What each living process runs, as the events of exec and fork told, and Note(). Not for
/// several threads at once.
class ProcessBook {
 public:
  static constexpr std::size_t kMostProcesses = 262'144;

  /// Remembers at most `most` processes; of those beyond it nothing is known.
  explicit ProcessBook(std::size_t most = kMostProcesses) : most_(most) {}

  /// To be called for each event in the order of their happening. Learns what the event tells, and
  /// sets the image of those that don't bring one: null where it isn't known. Images of kExecuted
  /// and kExecFailed stay as they are.
  void Annotate(TaskEvent& event);

  /// What a process runs that was there before the first event. Nothing is learnt from null.
  void Note(const TaskIdentity& identity, const ProgramImagePtr& image);

  /// Events got lost, and any exec may be among them. From now on an image that was noted before is
  /// only believed while the process has the comm that it had then.
  void NoteLost() { ++losses_; }

  /// What the process of a task runs; null where that isn't known.
  ProgramImagePtr Find(const TaskIdentity& identity) const;

  std::size_t size() const { return entries_.size(); }

  /// Everything that is remembered; base/archive.h.
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(entries_, exited_, losses_, room_made_at_);
  }

 private:
  struct Entry {
    ProgramImagePtr image;
    Comm comm{};               ///< When the image was noted.
    std::uint64_t losses = 0;  ///< As many as were known of then.
    bool exited = false;

    template <typename Archive>
    void serialize(Archive& archive) {
      archive(image, comm, losses, exited);
    }
  };

  bool IsBelieved(const Entry& entry, const Comm& comm) const {
    return entry.losses == losses_ || entry.comm == comm;
  }
  const Entry* FindBelieved(const ProcessKey& key, const Comm& comm);
  void Remember(const ProcessKey& key, const ProgramImagePtr& image, const Comm& comm);
  void Inherit(TaskEvent& event);
  void NoteExit(const ProcessKey& key, std::uint64_t time_ns);
  bool MakeRoom();

  std::size_t most_;
  std::unordered_map<ProcessKey, Entry, ProcessKeyHash> entries_;
  ExitQueue exited_;
  std::uint64_t losses_ = 0;
  std::uint64_t room_made_at_ = 0;  ///< The losses that were known of when room was last made.
};

}  // namespace sched_exporter
