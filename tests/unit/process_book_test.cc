#include "exporter/identity/process_book.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

namespace sched_exporter {
namespace {

using Kind = TaskEvent::Kind;

constexpr std::uint64_t kSecond = 1'000'000'000;

Comm MakeComm(const std::string& text) {
  Comm comm{};
  std::copy_n(text.begin(), std::min(text.size(), comm.size()), comm.begin());
  return comm;
}

ProgramImagePtr Image(const std::string& file) {
  ProgramImage image;
  image.file = file;
  return std::make_shared<const ProgramImage>(image);
}

/// A process in hand-written events.
struct Who {
  std::uint32_t pid = 0;
  std::uint64_t start_ns = 0;
  std::string comm = "app";

  TaskIdentity identity() const {
    TaskIdentity identity;
    identity.pid = identity.tgid = pid;
    identity.start_ns = identity.leader_start_ns = start_ns;
    identity.comm = MakeComm(comm);
    return identity;
  }
  Who Named(const std::string& name) const { return {pid, start_ns, name}; }

  TaskEvent Does(Kind kind, std::uint64_t time_ns = kSecond) const {
    TaskEvent event;
    event.kind = kind;
    event.time_ns = time_ns;
    event.reading.identity = identity();
    return event;
  }
  TaskEvent ForkedBy(const Who& parent) const {
    TaskEvent event = Does(Kind::kForked);
    event.origin.tgid = parent.pid;
    event.origin.leader_start_ns = parent.start_ns;
    event.origin.comm = MakeComm(parent.comm);
    return event;
  }
};

class ProcessBookTest : public testing::Test {
 protected:
  void Exec(const Who& who, const ProgramImagePtr& image) {
    TaskEvent event = who.Does(Kind::kExecuted);
    event.image = image;
    book_.Annotate(event);
    EXPECT_EQ(event.image, image);
  }
  ProgramImagePtr ImageIn(TaskEvent event) {
    book_.Annotate(event);
    return event.image;
  }

  ProcessBook book_;
  const Who shell_{10, 100, "sh"};
  const Who child_{11, 200, "sh"};
  const ProgramImagePtr bash_ = Image("/bin/bash");
  const ProgramImagePtr nginx_ = Image("/usr/sbin/nginx");
};

TEST_F(ProcessBookTest, KnowsNothingAtFirst) {
  EXPECT_EQ(book_.Find(shell_.identity()), nullptr);
  EXPECT_EQ(ImageIn(shell_.Does(Kind::kFinished)), nullptr);
  EXPECT_EQ(ImageIn(child_.ForkedBy(shell_)), nullptr);
  EXPECT_EQ(book_.size(), 0U);
}

TEST_F(ProcessBookTest, KnowsWhatItWasToldOfThoseThatRunAlready) {
  book_.Note(shell_.identity(), bash_);
  book_.Note(child_.identity(), nullptr);
  EXPECT_EQ(ImageIn(shell_.Does(Kind::kExited)), bash_);
  EXPECT_EQ(book_.Find(child_.identity()), nullptr);
}

TEST_F(ProcessBookTest, GivesWhatWasExecutedToAllLaterEvents) {
  Exec(shell_, bash_);
  EXPECT_EQ(book_.Find(shell_.identity()), bash_);
  for (const Kind kind : {Kind::kMoved, Kind::kThreadStarted, Kind::kFinished, Kind::kOomKilled,
                          Kind::kExited, Kind::kFinished}) {
    EXPECT_EQ(ImageIn(shell_.Does(kind)), bash_) << static_cast<int>(kind);
  }
}

TEST_F(ProcessBookTest, LastExecCounts) {
  Exec(shell_, bash_);
  Exec(shell_.Named("nginx"), nginx_);
  EXPECT_EQ(book_.Find(shell_.Named("nginx").identity()), nginx_);
  Exec(shell_, nullptr);  // of which the kernel side could tell nothing
  EXPECT_EQ(book_.Find(shell_.identity()), nullptr);
}

TEST_F(ProcessBookTest, ChildRunsWhatItsParentRuns) {
  Exec(shell_, bash_);
  EXPECT_EQ(ImageIn(child_.ForkedBy(shell_)), bash_);
  Exec(shell_, nginx_);
  EXPECT_EQ(book_.Find(child_.identity()), bash_);
}

TEST_F(ProcessBookTest, FailedExecKeepsItsOwnImageAndChangesNothing) {
  Exec(shell_, bash_);
  TaskEvent failed = shell_.Does(Kind::kExecFailed);
  failed.image = nginx_;
  EXPECT_EQ(ImageIn(failed), nginx_);
  EXPECT_EQ(book_.Find(shell_.identity()), bash_);
}

TEST_F(ProcessBookTest, PidUsedAgainIsAnotherProcess) {
  Exec(shell_, bash_);
  EXPECT_EQ(book_.Find(Who{shell_.pid, shell_.start_ns + 1, "sh"}.identity()), nullptr);
}

TEST_F(ProcessBookTest, KeepsTheDeadForTheirFinalsAndThenForgetsThem) {
  Exec(shell_, bash_);
  EXPECT_EQ(ImageIn(shell_.Does(Kind::kExited, 5 * kSecond)), bash_);
  EXPECT_EQ(ImageIn(shell_.Does(Kind::kFinished, 14 * kSecond)), bash_);
  EXPECT_EQ(ImageIn(child_.Does(Kind::kFinished, 15 * kSecond)), nullptr);
  EXPECT_EQ(book_.size(), 0U);
}

TEST_F(ProcessBookTest, RenamedProcessIsBelievedWithoutALoss) {
  Exec(shell_, bash_);
  EXPECT_EQ(ImageIn(shell_.Named("renamed").Does(Kind::kMoved)), bash_);
}

TEST_F(ProcessBookTest, AfterALossTheCommDecides) {
  Exec(shell_, bash_);
  Exec(child_, bash_);
  book_.NoteLost();
  EXPECT_EQ(ImageIn(shell_.Does(Kind::kMoved)), bash_);
  EXPECT_EQ(book_.Find(child_.Named("nginx").identity()), nullptr);
  EXPECT_EQ(ImageIn(child_.Named("nginx").Does(Kind::kMoved)), nullptr);
  EXPECT_EQ(book_.size(), 1U);  // dropped, not only hidden
  EXPECT_EQ(book_.Find(child_.identity()), nullptr);
}

TEST_F(ProcessBookTest, ExecAfterALossIsBelieved) {
  Exec(child_, nginx_);
  book_.NoteLost();
  for (const Who& who : {shell_, child_}) {
    Exec(who, bash_);
    EXPECT_EQ(ImageIn(who.Named("renamed").Does(Kind::kMoved)), bash_);
  }
}

TEST_F(ProcessBookTest, ChildOfAParentThatIsNotBelievedHasNoImage) {
  Exec(shell_, bash_);
  book_.NoteLost();
  EXPECT_EQ(ImageIn(child_.ForkedBy(shell_.Named("nginx"))), nullptr);
}

TEST_F(ProcessBookTest, ChildForkedAfterALossThatIsToldLaterIsNotBelieved) {
  Exec(shell_, bash_);
  const Who late = child_.Named("nginx");
  ImageIn(late.ForkedBy(shell_.Named("nginx")));  // the exec to nginx is what got lost
  book_.NoteLost();
  EXPECT_EQ(book_.Find(late.identity()), nullptr);
}

TEST_F(ProcessBookTest, ChildOfARenamedThreadHasItsOwnComm) {
  Exec(shell_, bash_);
  const Who worker = child_.Named("worker-3");
  EXPECT_EQ(ImageIn(worker.ForkedBy(shell_)), bash_);
  book_.NoteLost();
  EXPECT_EQ(book_.Find(worker.identity()), bash_);
}

TEST_F(ProcessBookTest, IsBounded) {
  book_ = ProcessBook(2);
  Exec({1, 1}, bash_);
  Exec({2, 2}, bash_);
  Exec({3, 3}, bash_);
  EXPECT_EQ(book_.size(), 2U);
  EXPECT_EQ(book_.Find(Who{3, 3}.identity()), nullptr);
  Exec({2, 2}, nginx_);  // needs no room
  EXPECT_EQ(book_.Find(Who{2, 2}.identity()), nginx_);
}

TEST_F(ProcessBookTest, ProcessesWhoseExitGotLostDoNotFillItForEver) {
  book_ = ProcessBook(2);
  Exec({1, 1}, bash_);
  Exec({2, 2}, bash_);
  book_.NoteLost();
  Exec({3, 3}, bash_);
  EXPECT_EQ(book_.Find(Who{3, 3}.identity()), bash_);
  EXPECT_EQ(book_.size(), 1U);
}

}  // namespace
}  // namespace sched_exporter
