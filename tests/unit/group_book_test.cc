#include "exporter/identity/group_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/ledger_fixture.h"

namespace sched_exporter {
namespace {

using test_support::MakeComm;
using testing::IsEmpty;
using Kind = TaskEvent::Kind;
using Source = GroupMatcher::Source;

constexpr std::uint64_t kSecond = 1'000'000'000;

/// Groups by what a test says of a file, or else of a comm; counts its questions.
class ToldMatcher : public GroupMatcher {
 public:
  GroupPtr Match(const TaskIdentity& identity, const ProgramImagePtr& image,
                 Source source) override {
    ++asked;
    std::string name = image == nullptr ? identity.comm.data() : image->file;
    if (const auto living = proc.find(identity.pid);
        source == Source::kLiving && living != proc.end()) {
      name = living->second;
    }
    const auto told = groups.find(name);
    return told == groups.end() ? nullptr : MakeGroup(told->second);
  }
  Needs needs() const override { return what; }

  std::map<std::string, std::string> groups;
  std::map<std::uint32_t, std::string> proc;
  Needs what;
  int asked = 0;
};

struct Who {
  std::uint32_t pid = 0;
  std::uint64_t start_ns = 0;
  std::string comm;
  std::uint32_t ppid = 1;
  std::uint64_t cgroup = 7;
};

TaskIdentity IdentityOf(const Who& who) {
  TaskIdentity identity;
  identity.pid = identity.tgid = who.pid;
  identity.start_ns = identity.leader_start_ns = who.start_ns;
  identity.ppid = who.ppid;
  identity.cgroup_id = who.cgroup;
  identity.comm = MakeComm(who.comm);
  return identity;
}

ProgramImagePtr ImageOf(const std::string& file) {
  auto image = std::make_shared<ProgramImage>();
  image->file = file;
  return image;
}

class GroupBookTest : public testing::Test {
 protected:
  std::string Tell(Kind kind, const Who& who, const ProgramImagePtr& image = nullptr) {
    TaskEvent event = EventOf(kind, who, image);
    book_.Annotate(event);
    return event.group->name;
  }
  std::string Fork(const Who& parent, const Who& child, const ProgramImagePtr& image = nullptr) {
    TaskEvent event = EventOf(Kind::kForked, child, image);
    event.origin = {parent.cgroup, parent.start_ns, parent.pid, MakeComm(parent.comm)};
    book_.Annotate(event);
    origin_ = event.origin_group->name;
    return event.group->name;
  }
  TaskEvent EventOf(Kind kind, const Who& who, const ProgramImagePtr& image) {
    TaskEvent event;
    event.kind = kind;
    event.time_ns = ++now_;
    event.reading.identity = IdentityOf(who);
    event.image = image;
    return event;
  }
  std::string GroupOf(const Who& who) { return book_.GroupOf(IdentityOf(who), nullptr)->name; }

  ToldMatcher matcher_;
  GroupBook book_{matcher_, true, 100};
  std::uint64_t now_ = 100 * kSecond;
  std::string origin_;
  const Who shell_{10, 1, "sh"};
  const Who child_{20, 2, "sh", 10};
};

TEST_F(GroupBookTest, AChildIsWhatItsParentIsUntilItsExec) {
  matcher_.groups = {{"sh", "shells"}, {"/bin/app", "apps"}};
  EXPECT_EQ(Fork(shell_, child_), "shells");
  EXPECT_EQ(origin_, "shells");
  EXPECT_EQ(matcher_.asked, 1) << "the child was asked for, too";
  Who app = child_;
  app.comm = "app";
  EXPECT_EQ(Tell(Kind::kExecuted, app, ImageOf("/bin/app")), "apps");
  EXPECT_EQ(Tell(Kind::kExited, app), "apps");
  EXPECT_EQ(Tell(Kind::kFinished, app), "apps");
  EXPECT_EQ(GroupOf(shell_), "shells");
  EXPECT_EQ(matcher_.asked, 2);
}

TEST_F(GroupBookTest, WhatMatchesNothingIsInItsNearestAncestorsGroup) {
  matcher_.groups = {{"daemon", "daemons"}};
  const Who daemon{5, 1, "daemon"};
  const Who unknown{6, 2, "x", 5};
  const Who grandchild{7, 3, "y", 6};
  EXPECT_EQ(Fork(daemon, unknown), "daemons");
  EXPECT_EQ(Tell(Kind::kExecuted, unknown, ImageOf("/bin/x")), "daemons");
  Tell(Kind::kExited, daemon);
  book_.Forget({5, 1});
  EXPECT_EQ(Fork(unknown, grandchild), "daemons") << "also when the ancestor is dead";
  EXPECT_EQ(Tell(Kind::kExecuted, grandchild, ImageOf("/bin/y")), "daemons");
}

TEST_F(GroupBookTest, WithoutChildrenWhatMatchesNothingIsInOther) {
  matcher_.groups = {{"daemon", "daemons"}};
  book_.MatchAgain(false);
  const Who daemon{5, 1, "daemon"};
  const Who child{6, 2, "x", 5};
  EXPECT_EQ(Fork(daemon, child), "other");
  EXPECT_TRUE(book_.GroupOf(IdentityOf(child), nullptr)->is_other);
}

TEST_F(GroupBookTest, ParentsOfTheLivingAreKnownByTheirPid) {
  matcher_.groups = {{"daemon", "daemons"}};
  EXPECT_EQ(GroupOf({5, 1, "daemon"}), "daemons");
  EXPECT_EQ(GroupOf({6, 2, "x", 5}), "daemons");
  EXPECT_EQ(GroupOf({7, 3, "y", 99}), "other");
}

TEST_F(GroupBookTest, ARenameIsMatchedAgainAndNothingElseIs) {
  matcher_.groups = {{"a", "first"}, {"b", "second"}};
  Who who{5, 1, "a"};
  EXPECT_EQ(GroupOf(who), "first");
  EXPECT_EQ(GroupOf(who), "first");
  EXPECT_EQ(matcher_.asked, 1);
  who.comm = "b";
  EXPECT_EQ(GroupOf(who), "second");
  EXPECT_EQ(matcher_.asked, 2);
  who.cgroup = 8;
  EXPECT_EQ(GroupOf(who), "second");
  EXPECT_EQ(matcher_.asked, 2) << "cgroups do not matter to this matcher";
}

TEST_F(GroupBookTest, AMoveIsMatchedAgainWhereCgroupsMatter) {
  matcher_.what.cgroup = true;
  book_.MatchAgain(true);
  matcher_.groups = {{"a", "first"}};
  Who who{5, 1, "a"};
  EXPECT_EQ(GroupOf(who), "first");
  matcher_.groups = {{"a", "second"}};
  who.cgroup = 8;
  EXPECT_EQ(Tell(Kind::kMoved, who), "second");
}

TEST_F(GroupBookTest, AnImageFromBeforeALossIsNotBelievedOfAnotherName) {
  matcher_.groups = {{"/bin/a", "first"}, {"b", "second"}};
  Who who{5, 1, "a"};
  EXPECT_EQ(Tell(Kind::kExecuted, who, ImageOf("/bin/a")), "first");
  who.comm = "b";
  EXPECT_EQ(Tell(Kind::kFinished, who), "first") << "a program that renames itself";
  book_.NoteLost();
  who.comm = "c";
  EXPECT_EQ(GroupOf(who), "other");
  who.comm = "b";
  EXPECT_EQ(GroupOf(who), "second");
}

TEST_F(GroupBookTest, TitlesAreReadOnceAProcessHasSettled) {
  matcher_.what.arguments = true;
  book_.MatchAgain(true);
  matcher_.groups = {{"/bin/db", "db"}, {"db: writer", "writers"}};
  EXPECT_EQ(Tell(Kind::kExecuted, {5, 1, "db"}, ImageOf("/bin/db")), "db");
  matcher_.proc[5] = "db: writer";
  EXPECT_THAT(book_.MatchSettled(now_), IsEmpty());
  EXPECT_EQ(book_.MatchSettled(now_ + 2 * kSecond).size(), 1);
  EXPECT_EQ(GroupOf({5, 1, "db"}), "writers");
  const int asked = matcher_.asked;
  EXPECT_THAT(book_.MatchSettled(now_ + 9 * kSecond), IsEmpty());
  EXPECT_EQ(matcher_.asked, asked);
}

TEST_F(GroupBookTest, TitlesOfForkedChildrenAreReadToo) {
  matcher_.what.arguments = true;
  book_.MatchAgain(true);
  matcher_.groups = {{"/bin/db", "db"}, {"db: writer", "writers"}};
  const ProgramImagePtr image = ImageOf("/bin/db");
  Tell(Kind::kExecuted, {5, 1, "db"}, image);
  EXPECT_EQ(Fork({5, 1, "db"}, {6, 2, "db", 5}, image), "db");
  matcher_.proc[6] = "db: writer";
  EXPECT_EQ(book_.MatchSettled(now_ + 2 * kSecond).size(), 1);
  EXPECT_EQ(GroupOf({6, 2, "db", 5}), "writers");
}

TEST_F(GroupBookTest, TheTitleOfAnotherOwnerOfThePidIsNotRead) {
  matcher_.what.arguments = true;
  book_.MatchAgain(true);
  matcher_.groups = {{"/bin/db", "db"}, {"other program", "wrong"}};
  Tell(Kind::kExecuted, {5, 1, "db"}, ImageOf("/bin/db"));
  Tell(Kind::kExited, {5, 1, "db"});
  matcher_.proc[5] = "other program";
  EXPECT_THAT(book_.MatchSettled(now_ + 2 * kSecond), IsEmpty());
  EXPECT_EQ(Tell(Kind::kFinished, {5, 1, "db"}), "db");
}

TEST_F(GroupBookTest, NewRulesHoldForTheLivingParentsFirst) {
  const Who daemon{5, 1, "daemon"};
  const Who child{6, 2, "x", 5};
  Fork(daemon, child);
  EXPECT_EQ(GroupOf(child), "other");
  matcher_.groups = {{"daemon", "daemons"}};
  EXPECT_EQ(GroupOf(child), "other");
  book_.MatchAgain(true);
  EXPECT_EQ(GroupOf(child), "daemons");
}

TEST_F(GroupBookTest, ANameAloneIsInTheGroupOfTheLastThatHadIt) {
  matcher_.groups = {{"/bin/app", "apps"}};
  TaskIdentity name;
  name.cgroup_id = 7;
  name.comm = MakeComm("app");
  EXPECT_EQ(book_.GroupOf(name, nullptr)->name, "other");
  Tell(Kind::kExecuted, {5, 1, "app"}, ImageOf("/bin/app"));
  EXPECT_EQ(book_.GroupOf(name, nullptr)->name, "apps");
  EXPECT_EQ(book_.size(), 1);
}

TEST_F(GroupBookTest, ChildrenCanBeAskedForByAReload) {
  matcher_.groups = {{"daemon", "daemons"}};
  book_.MatchAgain(false);
  GroupOf({5, 1, "daemon"});
  EXPECT_EQ(GroupOf({6, 2, "x", 5}), "other");
  book_.MatchAgain(true);
  EXPECT_EQ(GroupOf({6, 2, "x", 5}), "daemons");
}

TEST_F(GroupBookTest, ACallerOfForkThatNobodyMetFindsItsParentLater) {
  matcher_.groups = {{"daemon", "daemons"}};
  const Who daemon{5, 1, "daemon"};
  const Who caller{6, 2, "x", 5};
  GroupOf(daemon);
  EXPECT_EQ(Fork(caller, {7, 3, "y", 6}), "other");
  EXPECT_EQ(GroupOf(caller), "daemons");
  EXPECT_EQ(Fork(caller, {8, 4, "z", 6}), "daemons");
}

TEST_F(GroupBookTest, ALateRecordDoesNotDisturbTheNextOwnerOfThePid) {
  matcher_.groups = {{"old", "old"}, {"new", "new"}};
  GroupOf({5, 9, "new"});
  EXPECT_EQ(Tell(Kind::kFinished, {5, 1, "old"}), "old");
  EXPECT_EQ(book_.size(), 1);
  EXPECT_EQ(GroupOf({6, 10, "child", 5}), "new");
}

TEST_F(GroupBookTest, ANameAloneIsNotTakenForRoots) {
  matcher_.groups = {{"app", "root's"}};
  matcher_.what.user = true;
  book_.MatchAgain(true);
  TaskIdentity name;
  name.comm = MakeComm("app");
  EXPECT_TRUE(book_.GroupOf(name, nullptr)->is_other);
}

TEST_F(GroupBookTest, NewNamesOfACgroupAreAskedForThereAlone) {
  matcher_.groups = {{"a", "first"}};
  GroupOf({5, 1, "a", 1, 7});
  GroupOf({6, 2, "a", 1, 8});
  matcher_.groups = {{"a", "second"}};
  const auto moved = book_.MatchAgainIn([](std::uint64_t cgroup) { return cgroup == 8; });
  ASSERT_EQ(moved.size(), 1);
  EXPECT_EQ(moved[0].tgid, 6);
  EXPECT_EQ(GroupOf({5, 1, "a", 1, 7}), "first");
  EXPECT_EQ(GroupOf({6, 2, "a", 1, 8}), "second");
}

TEST_F(GroupBookTest, NewNamesOfACgroupAreForAllOfItsProcesses) {
  matcher_.groups = {{"a", "first"}};
  GroupOf({5, 1, "a", 1, 7});
  GroupOf({6, 2, "a", 1, 7});
  matcher_.groups = {{"a", "second"}};
  int asked = 0;
  EXPECT_EQ(book_.MatchAgainIn([&](std::uint64_t) { return ++asked == 1; }).size(), 2);
  EXPECT_EQ(GroupOf({5, 1, "a", 1, 7}), "second");
  EXPECT_EQ(GroupOf({6, 2, "a", 1, 7}), "second");
}

TEST_F(GroupBookTest, ForgetsTheDeadAndIsBounded) {
  matcher_.groups = {{"a", "as"}};
  for (std::uint32_t pid = 1; pid <= 500; ++pid) {
    EXPECT_EQ(GroupOf({pid, pid, "a"}), "as");
  }
  EXPECT_EQ(book_.size(), 100);
  for (std::uint32_t pid = 1; pid <= 100; ++pid) {
    Tell(Kind::kExited, {pid, pid, "a"});
  }
  now_ += 11 * kSecond;
  Tell(Kind::kExited, {500, 500, "a"});
  EXPECT_LE(book_.size(), 1);
}

TEST_F(GroupBookTest, AFailedExecChangesNothing) {
  matcher_.groups = {{"sh", "shells"}, {"/bin/app", "apps"}};
  EXPECT_EQ(Tell(Kind::kExecFailed, shell_, ImageOf("/bin/app")), "shells");
  EXPECT_EQ(GroupOf(shell_), "shells");
}

}  // namespace
}  // namespace sched_exporter
