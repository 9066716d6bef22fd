#include "exporter/events/table_line.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>

namespace sched_exporter {
namespace {

using namespace std::string_literals;
using Type = LifecycleEvent::Type;

class TableLineTest : public testing::Test {
 protected:
  void SetUp() override { SetZone("XYZ-02:00"); }
  void TearDown() override {
    ::unsetenv("TZ");
    ::tzset();
  }
  static void SetZone(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }

  static LifecycleEvent Event(Type type) {
    LifecycleEvent event;
    event.type = type;
    event.time_unix_ns = 1'795'255'200'123'456'789;  // 10:00:00Z
    event.pid = 42;
    event.ppid = 1;
    event.uid = 33;
    event.comm = "sh";
    event.cgroup = "/system.slice";
    ProgramImage image;
    image.file = "/bin/sh";
    image.arguments = "sh\0-c\0echo 'a'\0\0x\n\0"s;
    event.image = std::make_shared<const ProgramImage>(image);
    return event;
  }
  static std::string Lifetime(std::uint64_t ns) {
    LifecycleEvent event = Event(Type::kExit);
    event.lifetime_ns = ns;
    const std::string cell = TableLine(event, false).substr(TableHeader().find("LIFETIME"), 9);
    return cell.substr(0, cell.find(' '));
  }
};

constexpr char kHeader[] =
    "TIME         EVENT       PID     PPID    UID        COMM             RESULT       RUN     "
    "WAIT    LIFETIME CGROUP                           EXE\n";

TEST_F(TableLineTest, Header) { EXPECT_EQ(TableHeader(), kHeader); }

TEST_F(TableLineTest, Exec) {
  EXPECT_EQ(TableLine(Event(Type::kExec), true),
            "12:00:00.123 exec        42      1       33         sh               ok           -"
            "       -       -        /system.slice                    /bin/sh -c 'echo '\\''a'\\'''"
            " '' x\\x0a\n");
}

TEST_F(TableLineTest, ArgumentsOnlyWhereAskedFor) {
  const std::string line = TableLine(Event(Type::kExec), false);
  EXPECT_EQ(line.substr(line.find("/bin/sh")), "/bin/sh\n");
}

TEST_F(TableLineTest, Exit) {
  LifecycleEvent event = Event(Type::kExit);
  event.code = kSignalBase + 11;
  event.run_ns = 1'290'000;
  event.wait_ns = 3'400'000'000;
  event.lifetime_ns = 310'000'000'000;
  event.image = nullptr;
  EXPECT_EQ(TableLine(event, true),
            "12:00:00.123 exit        42      1       33         sh               SIGSEGV      "
            "1.2ms   3.4s    5m10s    /system.slice                    -\n");
}

TEST_F(TableLineTest, AWaitThatIsUnknownIsNone) {
  LifecycleEvent event = Event(Type::kExit);
  event.run_ns = event.lifetime_ns = 1'290'000;
  EXPECT_NE(TableLine(event, true).find("1.2ms   -       1.2ms"), std::string::npos);
}

TEST_F(TableLineTest, OtherResults) {
  LifecycleEvent event = Event(Type::kExecFailed);
  event.code = 13;
  EXPECT_NE(TableLine(event, false).find(" EACCES "), std::string::npos);
  EXPECT_NE(TableLine(Event(Type::kOomKill), false).find(" killed "), std::string::npos);
}

TEST_F(TableLineTest, Lost) {
  LifecycleEvent event = Event(Type::kLost);
  event.buffer = "events";
  event.lost = 2;
  EXPECT_EQ(TableLine(event, false), "12:00:00.123 lost: events had no room for 2 events\n");
}

TEST_F(TableLineTest, Durations) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  EXPECT_EQ(Lifetime(0), "0.0us");
  EXPECT_EQ(Lifetime(999'999), "999.9us");
  EXPECT_EQ(Lifetime(1'000'000), "1.0ms");
  EXPECT_EQ(Lifetime(kSecond - 1), "999.9ms");
  EXPECT_EQ(Lifetime(60 * kSecond - 1), "59.9s");
  EXPECT_EQ(Lifetime(60 * kSecond), "1m00s");
  EXPECT_EQ(Lifetime(3'600 * kSecond - 1), "59m59s");
  EXPECT_EQ(Lifetime(3'660 * kSecond), "1h01m");
  EXPECT_EQ(Lifetime(86'400 * kSecond - 1), "23h59m");
  EXPECT_EQ(Lifetime(90'000 * kSecond), "1d01h");
}

TEST_F(TableLineTest, LongCellsAreCutBetweenCharacters) {
  LifecycleEvent event = Event(Type::kExec);
  event.comm = "ääääääääääääääää";  // 16 of 2 bytes: fits
  event.cgroup = "ä" + std::string(30, 'c') + "ää";
  const std::string line = TableLine(event, false);
  EXPECT_NE(line.find(" ääääääääääääääää ok "), std::string::npos) << line;
  EXPECT_NE(line.find(" ä" + std::string(30, 'c') + "… /bin/sh\n"), std::string::npos) << line;
}

TEST_F(TableLineTest, CutCommandsAreMarked) {
  LifecycleEvent event = Event(Type::kExec);
  ProgramImage image;
  image.file = "/long";
  image.file_cut = true;
  image.arguments = "a\0b"s;
  image.arguments_cut = true;
  event.image = std::make_shared<const ProgramImage>(image);
  const std::string line = TableLine(event, true);
  EXPECT_EQ(line.substr(line.find("/long")), "/long… b…\n");
}

TEST_F(TableLineTest, NothingControlsTheTerminal) {
  LifecycleEvent event = Event(Type::kExec);
  ProgramImage image;
  for (int byte = 1; byte < 256; ++byte) {
    image.file += static_cast<char>(byte);
  }
  image.arguments = "sh\0\xc2\x9b"s + image.file;
  event.image = std::make_shared<const ProgramImage>(image);
  const std::string line = TableLine(event, true);
  for (const char byte : line.substr(0, line.size() - 1)) {
    EXPECT_TRUE(static_cast<unsigned char>(byte) >= 0x20 && byte != 0x7f);
  }
  EXPECT_EQ(line.find("\xc2\x9b"), std::string::npos);  // CSI in one character
}

}  // namespace
}  // namespace sched_exporter
