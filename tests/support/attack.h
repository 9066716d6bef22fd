#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "exporter/base/unique_fd.h"
#include "tests/support/cgroup.h"
#include "tests/support/exporter.h"
#include "tests/support/memory_controller.h"

namespace sched_exporter::test_support {

/// What a process holds.
struct Holdings {
  std::size_t fds = 0;
  std::size_t threads = 0;
  std::uint64_t resident_kb = 0;
  std::uint64_t peak_resident_kb = 0;
};
Holdings HoldingsOf(pid_t pid);

/// How the scrapes of a good client went.
struct ScrapeFigures {
  int good = 0;
  std::vector<std::string> failures;  ///< One line each.
  std::chrono::milliseconds slowest{0};
};

/// Scrapes one time after the other, each on a connection of its own, until it is stopped. A scrape
/// that takes longer than Prometheus waits by default, ten seconds, is a failure.
class GoodClient {
 public:
  explicit GoodClient(const Exporter& exporter);
  ~GoodClient() { Stop(); }
  GoodClient(const GoodClient&) = delete;
  GoodClient& operator=(const GoodClient&) = delete;

  ScrapeFigures Stop();
  int good() const { return good_; }

 private:
  void Run();

  const int port_;
  std::atomic<bool> ends_{false};
  std::atomic<int> good_{0};
  ScrapeFigures figures_;
  std::thread thread_;
};

/// A cgroup that the exporter runs in with 128 MB. Without a limit where a sanitizer takes many
/// times that, or where this host has no memory controller; a figure is missing then.
class MemoryLimit {
 public:
  static constexpr std::uint64_t kBytes = 128U << 20U;

  MemoryLimit();

  /// A command in front of the exporter's.
  std::vector<std::string> Prefix() const;
  /// The most that the cgroup ever had, maps of BPF and buffers of the kernel included.
  std::optional<std::uint64_t> PeakBytes() const;
  std::uint64_t OomKills() const;

 private:
  std::optional<MemoryController> controller_;
  std::unique_ptr<TestCgroup> cgroup_;
};

/// An exporter that is attacked, and what has to hold afterwards: no scrape of a good client
/// failed, memory stayed within its limit, and descriptors, threads and memory are back.
class UnderAttack : public testing::Test {
 protected:
  /// Starts the exporter in its cgroup.
  void Start(const std::string& config = "", const std::vector<std::string>& prefix = {});

  /// Notes what the exporter holds and starts the good client.
  void Begin();
  /// Waits until so many more scrapes of the good client have been answered.
  void AwaitScrapes(int count) const;
  /// How many were answered since Begin().
  int good_scrapes() const { return good_->good(); }
  /// Stops the client and judges. The attackers must be gone. `may_fail` is for attacks with whole
  /// requests from the client's own address: nobody could tell it from them.
  void EndOf(const std::string& attack, bool may_fail = false);

  MemoryLimit limit_;
  std::unique_ptr<Exporter> exporter_;

 private:
  void ExpectBack() const;

  std::unique_ptr<GoodClient> good_;
  Holdings before_;
};

/// Connects to 127.0.0.1 from an address of the loopback network, without waiting; `receive_bytes`
/// is how much the client takes without reading, 0 for the usual.
UniqueFd ConnectFrom(const std::string& source, int port, int receive_bytes = 0);

/// "127.0.0.2" to "127.0.0.9" in turn.
std::string OtherAddress(int number);

/// Sends what there is room for; false where the connection is over.
bool SendSome(const UniqueFd& fd, std::string_view bytes);

/// Whether the server has ended the connection; takes what it has said.
bool IsOver(const UniqueFd& fd);

/// Lets so many descriptors be open here; they stay so.
void AllowDescriptors(std::uint64_t count);

}  // namespace sched_exporter::test_support
