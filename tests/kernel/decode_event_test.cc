#include "exporter/kernel/decode_event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "bpf/abi.h"

namespace sched_exporter {
namespace {

using testing::SizeIs;

/// The bytes of an exec record as the kernel side sends it.
std::vector<char> ExecRecord(const std::string& file, const std::string& arguments) {
  abi_exec_event exec{};
  exec.event.kind = ABI_EXECUTED;
  exec.event.identity.tgid = 42;
  file.copy(exec.file, sizeof(exec.file) - 1);
  exec.file_bytes = static_cast<std::uint32_t>(file.size());
  exec.arguments_bytes = static_cast<std::uint32_t>(arguments.size());
  std::vector<char> record(sizeof(exec) + arguments.size());
  std::memcpy(record.data(), &exec, sizeof(exec));
  arguments.copy(record.data() + sizeof(exec), arguments.size());
  return record;
}

TEST(EventDecoder, ReadsWhatExecGot) {
  EventDecoder decoder;
  const std::vector<char> record = ExecRecord("/bin/app", std::string("app\0-v\0", 7));
  const auto event = decoder.Decode(record.data(), record.size());
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, TaskEvent::Kind::kExecuted);
  EXPECT_EQ(event->reading.identity.tgid, 42U);
  EXPECT_EQ(event->image->file, "/bin/app");
  EXPECT_EQ(event->image->arguments, std::string("app\0-v\0", 7));
  EXPECT_FALSE(event->image->arguments_cut);
}

TEST(EventDecoder, RefusesWhatIsTooShortOrUnknown) {
  EventDecoder decoder;
  std::vector<char> record = ExecRecord("/bin/app", "");
  EXPECT_FALSE(decoder.Decode(record.data(), 0));
  EXPECT_FALSE(decoder.Decode(record.data(), sizeof(abi_event) - 1));
  const std::uint32_t unknown = 99;
  std::memcpy(record.data(), &unknown, sizeof(unknown));
  EXPECT_FALSE(decoder.Decode(record.data(), record.size()));
}

TEST(EventDecoder, LengthsBeyondTheRecordAreNotBelieved) {
  EventDecoder decoder;
  std::vector<char> record = ExecRecord("/bin/app", "abc");
  abi_exec_event exec;
  std::memcpy(&exec, record.data(), sizeof(exec));
  exec.file_bytes = exec.arguments_bytes = 0xFFFFFFFF;
  std::memcpy(record.data(), &exec, sizeof(exec));
  const auto event = decoder.Decode(record.data(), record.size());
  ASSERT_TRUE(event);
  EXPECT_THAT(event->image->file, SizeIs(ABI_FILE_LEN - 1));
  EXPECT_EQ(event->image->arguments, "abc");
  // An exec's record without what exec got.
  const auto bare = decoder.Decode(record.data(), sizeof(abi_event));
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->image, nullptr);
}

TEST(EventDecoder, CommandLinesThatAreHeldHaveALimitTogether) {
  EventDecoder decoder(10);
  const std::vector<char> record = ExecRecord("/bin/app", "123456");
  auto first = decoder.Decode(record.data(), record.size());
  const auto second = decoder.Decode(record.data(), record.size());
  EXPECT_EQ(first->image->arguments, "123456");
  EXPECT_EQ(second->image->arguments, "");
  EXPECT_TRUE(second->image->arguments_cut);
  EXPECT_EQ(second->image->file, "/bin/app");
  first.reset();  // and there is room again
  EXPECT_EQ(decoder.Decode(record.data(), record.size())->image->arguments, "123456");
}

}  // namespace
}  // namespace sched_exporter
