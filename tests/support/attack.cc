#include "tests/support/attack.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/support/http_client.h"
#include "tests/support/wait_until.h"

namespace sched_exporter::test_support {
namespace {

using Clock = std::chrono::steady_clock;

/// Between two scrapes, so that the client itself is no attack.
constexpr std::chrono::milliseconds kPause{20};
/// What is kept: buffers of threads that had nothing to do before, and what the ledger remembers of
/// tasks whose end it was not told.
constexpr std::uint64_t kKeptKb = 24 * 1024;

std::size_t EntriesOf(const std::string& directory) {
  std::error_code error;
  const std::filesystem::directory_iterator entries(directory, error);
  return error ? 0 : static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

sockaddr_in Loopback(const std::string& address, int port) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, address.c_str(), &v4.sin_addr);
  return v4;
}

/// Empty for a scrape that is whole.
std::string FailureOf(int port) {
  const auto reply = HttpGet(port, "/metrics");
  if (!reply) {
    return reply.error().message;
  }
  const bool is_whole =
      reply->status == 200 && reply->body.find("sched_exporter_build_info") != std::string::npos;
  return is_whole ? ""
                  : "status " + std::to_string(reply->status) + ": " + reply->body.substr(0, 80);
}

}  // namespace

Holdings HoldingsOf(pid_t pid) {
  const std::string directory = "/proc/" + std::to_string(pid);
  Holdings holdings;
  holdings.fds = EntriesOf(directory + "/fd");
  holdings.threads = EntriesOf(directory + "/task");
  std::ifstream status(directory + "/status");
  for (std::string word; status >> word;) {
    if (word == "VmRSS:") {
      status >> holdings.resident_kb;
    } else if (word == "VmHWM:") {
      status >> holdings.peak_resident_kb;
    }
  }
  return holdings;
}

GoodClient::GoodClient(const Exporter& exporter)
    : port_(exporter.port()), thread_([this] { Run(); }) {}

void GoodClient::Run() {
  // As if it were on another machine: its own wait for a CPU of this one is not the exporter's.
  setpriority(PRIO_PROCESS, 0, -20);
  while (!ends_) {
    const auto begin = Clock::now();
    std::string failure = FailureOf(port_);
    const auto took = std::chrono::ceil<std::chrono::milliseconds>(Clock::now() - begin);
    figures_.slowest = std::max(figures_.slowest, took);
    if (failure.empty()) {
      ++good_;
    } else {
      figures_.failures.push_back(std::move(failure));
    }
    std::this_thread::sleep_for(kPause);
  }
}

ScrapeFigures GoodClient::Stop() {
  ends_ = true;
  if (thread_.joinable()) {
    thread_.join();
  }
  figures_.good = good_;
  return figures_;
}

MemoryLimit::MemoryLimit() {
  const auto controllers = MemoryControllers();
  if (IsSanitized() || controllers.empty()) {
    return;
  }
  controller_ = controllers.front();
  cgroup_ = std::make_unique<TestCgroup>(controller_->host, "attacked");
  LimitMemory(*controller_, cgroup_->directory(), kBytes);
}

std::vector<std::string> MemoryLimit::Prefix() const {
  if (!cgroup_) {
    return {};
  }
  return {"sh", "-c", "echo $$ >\"$0\"/cgroup.procs && exec \"$@\"", cgroup_->directory()};
}

std::optional<std::uint64_t> MemoryLimit::PeakBytes() const {
  if (!cgroup_) {
    return std::nullopt;
  }
  for (const char* file : {"/memory.max_usage_in_bytes", "/memory.peak"}) {
    std::uint64_t bytes = 0;
    if (std::ifstream(cgroup_->directory() + file) >> bytes) {
      return bytes;
    }
  }
  return std::nullopt;
}

std::uint64_t MemoryLimit::OomKills() const {
  return cgroup_ ? test_support::OomKills(cgroup_->directory() + "/" + controller_->events) : 0;
}

void UnderAttack::Start(const std::string& config, const std::vector<std::string>& prefix) {
  Exporter::Settings settings;
  settings.config = config;
  settings.prefix = limit_.Prefix();
  settings.prefix.insert(settings.prefix.end(), prefix.begin(), prefix.end());
  auto exporter = Exporter::Start(settings);
  ASSERT_TRUE(exporter) << exporter.error().message;
  exporter_ = std::move(*exporter);
}

void UnderAttack::Begin() {
  // So that all that is made at the first scrape is there.
  for (int i = 0; i < 3; ++i) {
    const auto scrape = exporter_->Scrape();
    ASSERT_TRUE(scrape) << scrape.error().message;
  }
  before_ = HoldingsOf(exporter_->pid());
  good_ = std::make_unique<GoodClient>(*exporter_);
}

void UnderAttack::AwaitScrapes(int count) const {
  const int enough = good_->good() + count;
  EXPECT_TRUE(WaitUntil([&] { return good_->good() >= enough; }))
      << exporter_->Log().substr(0, 2000);
}

void UnderAttack::EndOf(const std::string& attack, bool may_fail) {
  const ScrapeFigures figures = good_->Stop();
  good_.reset();
  EXPECT_GT(figures.good, 0);
  EXPECT_TRUE(may_fail || figures.failures.empty())
      << figures.failures.size() << " of " << figures.good
      << " failed, the first one: " << figures.failures.front();
  EXPECT_EQ(limit_.OomKills(), 0U);
  const Holdings now = HoldingsOf(exporter_->pid());
  const std::uint64_t peak_kb = limit_.PeakBytes().value_or(0) / 1024;
  std::cout << "ATTACK " << attack << ": " << figures.good << " good scrapes, "
            << figures.failures.size() << " failed, the slowest " << figures.slowest.count()
            << " ms, peak resident " << now.peak_resident_kb << " KB, of the cgroup " << peak_kb
            << " KB" << std::endl;
  RecordProperty("good_scrapes", figures.good);
  RecordProperty("slowest_scrape_ms", static_cast<int>(figures.slowest.count()));
  RecordProperty("peak_resident_kb", static_cast<int>(now.peak_resident_kb));
  RecordProperty("peak_cgroup_kb", static_cast<int>(peak_kb));
  ExpectBack();
  EXPECT_TRUE(exporter_->Scrape());
}

void UnderAttack::ExpectBack() const {
  Holdings now;
  const bool is_back = WaitUntil([&] {
    now = HoldingsOf(exporter_->pid());
    const bool memory_counts = !IsSanitized();  // a sanitizer keeps what was freed
    return now.fds <= before_.fds && now.threads <= before_.threads &&
           (!memory_counts || now.resident_kb <= before_.resident_kb + kKeptKb);
  });
  EXPECT_TRUE(is_back) << now.fds << " descriptors instead of " << before_.fds << ", "
                       << now.threads << " threads instead of " << before_.threads << ", "
                       << now.resident_kb << " KB instead of " << before_.resident_kb;
}

UniqueFd ConnectFrom(const std::string& source, int port, int receive_bytes) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_in from = Loopback(source, 0);
  const sockaddr_in to = Loopback("127.0.0.1", port);
  const int on = 1;
  // Ports of one address would not be enough otherwise.
  setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  if (receive_bytes > 0) {
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
  }
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&from), sizeof(from)) != 0 ||
      (connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0 &&
       errno != EINPROGRESS)) {
    return UniqueFd();
  }
  return fd;
}

std::string OtherAddress(int number) { return "127.0.0." + std::to_string(2 + number % 8); }

bool SendSome(const UniqueFd& fd, std::string_view bytes) {
  const auto sent = send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent >= 0 || errno == EAGAIN || errno == ENOTCONN;
}

bool IsOver(const UniqueFd& fd) {
  std::array<char, 4096> bytes;
  const auto got = recv(fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != ENOTCONN && errno != EINPROGRESS);
}

void AllowDescriptors(std::uint64_t count) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, count);
  limit.rlim_max = std::max(limit.rlim_max, limit.rlim_cur);
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace sched_exporter::test_support
