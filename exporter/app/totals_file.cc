#include "exporter/app/totals_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "exporter/base/write_all.h"

namespace sched_exporter {
namespace {

constexpr char kTotalsName[] = "totals";
constexpr char kNewTotalsName[] = "totals.new";
constexpr char kLockName[] = "lock";

/// Counted up with every change of what is written or of what it means.
constexpr std::uint32_t kForm = 2;
constexpr std::array<char, 8> kMagic{'s', 'c', 'h', 'e', 'd', 'e', 'x', 'p'};

/// Of a 100,000 tasks it has 20 MB.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;

struct Header {
  std::array<char, 8> magic = kMagic;
  std::uint32_t form = kForm;
  std::uint32_t checksum = 0;  ///< CRC-32 of the content.
  std::uint64_t instance = 0;
  std::uint64_t bytes = 0;
};

std::uint32_t ChecksumOf(std::string_view content) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size()));
}

bool ReadAll(int fd, char* to, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t got = ::read(fd, to, bytes);
    if (got == 0 || (got < 0 && errno != EINTR)) {
      return false;
    }
    to += got < 0 ? 0 : got;
    bytes -= got < 0 ? 0 : static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

Result<TotalsFile> TotalsFile::Open(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  UniqueFd opened(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (error || !opened.valid()) {
    return Fail(WithErrno("cannot make " + directory, error ? error.value() : errno) +
                "; see persistence.directory");
  }
  UniqueFd lock(::openat(opened.get(), kLockName, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                         S_IRUSR | S_IWUSR));
  if (!lock.valid()) {
    return Fail(WithErrno("cannot write to " + directory, errno) + "; see persistence.directory");
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return Fail("another sched_exporter keeps its totals in " + directory +
                "; stop it, or set persistence.directory");
  }
  return TotalsFile(directory + "/" + kTotalsName, std::move(opened), std::move(lock));
}

Result<void> TotalsFile::Write(std::uint64_t instance, std::string_view content) const {
  const UniqueFd file(::openat(directory_.get(), kNewTotalsName,
                               O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                               S_IRUSR | S_IWUSR));
  Header header;
  header.checksum = ChecksumOf(content);
  header.instance = instance;
  header.bytes = content.size();
  const std::string_view head(reinterpret_cast<const char*>(&header), sizeof(header));
  if (!file.valid() || !WriteAll(file.get(), head) || !WriteAll(file.get(), content) ||
      ::renameat(directory_.get(), kNewTotalsName, directory_.get(), kTotalsName) != 0) {
    const int error = errno;
    ::unlinkat(directory_.get(), kNewTotalsName, 0);
    return Fail(WithErrno("cannot write " + path_, error));
  }
  return {};
}

Result<std::string> TotalsFile::Read(std::uint64_t instance) const {
  const UniqueFd file(
      ::openat(directory_.get(), kTotalsName, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.valid()) {
    return Fail(WithErrno("cannot open " + path_, errno));
  }
  Header header;
  if (!ReadAll(file.get(), reinterpret_cast<char*>(&header), sizeof(header)) ||
      header.magic != kMagic || header.bytes > kMostBytes) {
    return Fail(path_ + " is not whole");
  }
  if (header.form != kForm) {
    return Fail(path_ + " is of another version of sched_exporter");
  }
  if (header.instance != instance) {
    return Fail(path_ + " does not go with the programs that are pinned");
  }
  std::string content(header.bytes, '\0');
  if (!ReadAll(file.get(), content.data(), content.size()) ||
      ChecksumOf(content) != header.checksum) {
    return Fail(path_ + " is not whole");
  }
  return content;
}

bool TotalsFile::Remove() const {
  ::unlinkat(directory_.get(), kNewTotalsName, 0);
  return ::unlinkat(directory_.get(), kTotalsName, 0) == 0;
}

}  // namespace sched_exporter
