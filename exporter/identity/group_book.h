#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "exporter/identity/exit_queue.h"
#include "exporter/model/group.h"
#include "exporter/model/process_key.h"
#include "exporter/model/program_image.h"
#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// What finds the group of a process by what is known of it.
class GroupMatcher {
 public:
  /// Where a process's arguments may come from.
  enum class Source {
    kEvents,  ///< The image alone: the process may be gone, and its pid another's.
    kBoth,    ///< The image; what it lacks from /proc, of a living process.
    kLiving,  ///< /proc; where that has nothing, the image.
  };
  /// Which changes of a living process may change the answer.
  struct Needs {
    bool arguments = false;
    bool user = false;
    bool cgroup = false;
    bool process = false;  ///< No two processes have the same answer.
  };

  virtual ~GroupMatcher() = default;

  /// The group, or null where nothing matches.
  virtual GroupPtr Match(const TaskIdentity& identity, const ProgramImagePtr& image,
                         Source source) = 0;
  virtual Needs needs() const = 0;
};

/// Which group each process is in. Asks the matcher when a process appears, after exec, and when
/// what the matcher looks at has changed; never else. A process that matches nothing is in the
/// group that its parent had then, if the config wants that, and else in `other`. Not for several
/// threads at once.
class GroupBook {
 public:
  static constexpr std::size_t kMostProcesses = 262'144;

  /// `matcher` is not owned and outlives the book. Remembers at most `most` processes; those beyond
  /// it are matched at each question.
  explicit GroupBook(GroupMatcher& matcher, bool children, std::size_t most = kMostProcesses);

  /// Sets the groups of an event. To be called for each, with its image, in the order of their
  /// happening.
  void Annotate(TaskEvent& event);

  /// The group of a living process, which events may not have told. Parents come before children,
  /// so that these can have their group. Without a tgid: that of a task of which only comm and
  /// cgroup are known.
  GroupPtr GroupOf(const TaskIdentity& identity, const ProgramImagePtr& image);

  /// Events were lost, and execs may be among them: images noted before are no longer believed once
  /// the comm is another.
  void NoteLost() { ++losses_; }

  /// A process is gone. Its children keep what they have of it.
  void Forget(const ProcessKey& process);

  /// Asks again, from /proc, for processes that have lived for a while since they appeared or
  /// called exec: by then programs that write their state into their arguments have done so.
  /// Returns those whose group has changed.
  std::vector<ProcessKey> MatchSettled(std::uint64_t now_ns);

  /// The matcher's answers are others than before: asks for all. What children have of parents that
  /// are gone stays.
  void MatchAgain(bool children);

  /// They are for processes in those cgroups that `changed` says yes of, which is asked once for
  /// each. Returns those whose group has changed.
  std::vector<ProcessKey> MatchAgainIn(const std::function<bool(std::uint64_t cgroup_id)>& changed);

  std::size_t size() const { return entries_.size(); }

  /// Everything that is remembered, for a book with the same rules; base/archive.h.
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(entries_, by_pid_, by_name_, exited_, young_, losses_, now_ns_);
  }

 private:
  /// The group of a process as its children may inherit it, also when it is gone.
  struct Place {
    GroupPtr group;

    template <typename Archive>
    void serialize(Archive& archive) {
      archive(group);
    }
  };
  struct Entry {
    TaskIdentity identity;
    ProgramImagePtr image;
    GroupPtr matched;              ///< Null: nothing matches.
    std::shared_ptr<Place> place;  ///< Never null.
    std::shared_ptr<Place> parent;
    std::uint64_t losses = 0;  ///< When the image was noted.
    bool has_exited = false;   ///< /proc has nothing of it any more.

    template <typename Archive>
    void serialize(Archive& archive) {
      archive(identity, image, matched, place, parent, losses, has_exited);
    }
  };
  using NameOfTask = std::pair<std::uint64_t, Comm>;

  Entry* Find(const ProcessKey& process);
  Entry& Meet(const TaskIdentity& identity, const ProgramImagePtr& image,
              GroupMatcher::Source source);
  Entry& Add(const TaskIdentity& identity, const ProgramImagePtr& image);
  Entry& Stray(const TaskIdentity& identity, const ProgramImagePtr& image);
  bool FindParent(Entry& entry);
  bool HasChanged(Entry& entry);
  std::vector<std::reference_wrapper<Entry>> OldestFirst();
  void Fork(TaskEvent& event);
  void Move(const TaskEvent& event);
  bool IsAsBefore(const Entry& entry, const TaskIdentity& identity) const;
  void Match(Entry& entry, GroupMatcher::Source source);
  void AskAgainLater(const Entry& entry);
  void Settle(Entry& entry);
  void NoteExit(const ProcessKey& process);
  GroupPtr GroupOfName(const TaskIdentity& identity);

  GroupMatcher& matcher_;
  GroupMatcher::Needs needs_;
  bool children_;
  std::size_t most_;
  std::unordered_map<ProcessKey, Entry, ProcessKeyHash> entries_;
  Entry stray_;  ///< Of a process that there was no room for.
  std::unordered_map<std::uint32_t, ProcessKey> by_pid_;  ///< The youngest of each pid.
  std::map<NameOfTask, GroupPtr> by_name_;                ///< The last that had such a name.
  ExitQueue exited_;
  std::deque<std::pair<std::uint64_t, ProcessKey>> young_;  ///< With the time of fork or exec.
  std::uint64_t losses_ = 0;
  std::uint64_t now_ns_ = 0;  ///< Of the last event, or MatchSettled().
};

}  // namespace sched_exporter
