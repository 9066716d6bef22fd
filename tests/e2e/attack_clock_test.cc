// The host's clock is set, forwards and backwards by hours, while the exporter runs. Its own clock
// is set alone (tests/support/shifted_clock.c), as the host's is everybody's.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <ctime>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "tests/support/attack.h"
#include "tests/support/event_stream.h"
#include "tests/support/http_client.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using nlohmann::json;
using std::chrono::hours;
using ::testing::IsEmpty;

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

/// A clock that is the host's, less or more.
class ShiftedClock {
 public:
  explicit ShiftedClock(const std::string& path) : path_(path) {
    const UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    EXPECT_EQ(ftruncate(fd.get(), sizeof(std::int64_t)), 0);
    shift_ns_ = static_cast<volatile std::int64_t*>(
        mmap(nullptr, sizeof(std::int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0));
  }
  ~ShiftedClock() { munmap(const_cast<std::int64_t*>(shift_ns_), sizeof(std::int64_t)); }
  ShiftedClock(const ShiftedClock&) = delete;
  ShiftedClock& operator=(const ShiftedClock&) = delete;

  void Set(hours shift) { *shift_ns_ = std::chrono::nanoseconds(shift).count(); }

  std::vector<std::string> Prefix() const {
    // AddressSanitizer wants to be the first; what it intercepts is not in ours.
    const char* options = std::getenv("ASAN_OPTIONS");
    return {"env", "SHIFTED_CLOCK=" + path_,
            "ASAN_OPTIONS=verify_asan_link_order=0" +
                (options == nullptr ? std::string() : ":" + std::string(options)),
            "LD_PRELOAD=" BINARY_DIR "/tests/libshifted_clock.so"};
  }

 private:
  std::string path_;
  volatile std::int64_t* shift_ns_;
};

class ClockJumps : public UnderAttack {
 protected:
  MetricsText Scrape() const {
    const auto scrape = exporter_->Scrape();
    EXPECT_TRUE(scrape) << scrape.error().message;
    return scrape ? *scrape : MetricsText();
  }

  /// The Unix time of this process's start, as the exporter says.
  static double StartOf(const MetricsText& metrics, pid_t pid) {
    return metrics.Sum("sched_process_start_time_seconds", {{"pid", std::to_string(pid)}});
  }

  std::string Get(const std::string& path) const {
    const auto reply = HttpGet(exporter_->port(), path);
    EXPECT_TRUE(reply) << reply.error().message;
    return reply ? reply->body : "";
  }

  /// A process that ends, and the time of its exit in the stream.
  double TimeOfAnExit() const {
    const pid_t pid = Fork([] { return true; });
    Wait(pid);
    std::string time;
    EXPECT_TRUE(WaitUntil([&] {
      const std::string text = ReadFile(events_);
      const auto events = ParseEvents(text.substr(0, text.rfind('\n') + 1));
      for (const json& event : events ? *events : std::vector<json>()) {
        if (event.at("event") == "exit" && event.at("pid") == pid) time = event.at("time");
      }
      return !time.empty();
    }));
    std::tm utc{};
    std::istringstream(time) >> std::get_time(&utc, "%Y-%m-%dT%H:%M:%S");
    return static_cast<double>(timegm(&utc));
  }

  const TempDirectory directory_;
  const std::string events_ = directory_.path() + "/events.json";
  ShiftedClock clock_{directory_.Write("shift", "")};
};

TEST_F(ClockJumps, NothingGoesBackAndTimesFollowTheClock) {
  constexpr double kSlack = 60;  // of a slow machine; jumps are of hours
  Gate end;
  const pid_t sleepers = StartSleepers(1, end);
  Start(
      "collection: {interval: 200ms}\nlimits: {dead_series: 1h, processes: 100000}\n"
      "events: {output: file, file: " +
          events_ + "}\n",
      clock_.Prefix());
  Begin();
  MetricsText last = Scrape();
  const double start = StartOf(last, sleepers);
  EXPECT_GT(start, 0);
  for (const hours shift : {hours(5), hours(-5), hours(24 * 365), hours(-1), hours(0)}) {
    clock_.Set(shift);
    const double shift_s = static_cast<double>(std::chrono::seconds(shift).count());
    MetricsText now = Scrape();
    EXPECT_THAT(BackwardCounters(last, now), IsEmpty()) << shift.count();
    const double collections = now.Sum("sched_exporter_collections_total");
    // The clock of sweeps is another one.
    EXPECT_TRUE(WaitUntil(
        [&] { return Scrape().Sum("sched_exporter_collections_total") > collections + 3; }));
    EXPECT_NEAR(StartOf(now, sleepers), start + shift_s, 1)
        << "documented: it moves with the clock";
    EXPECT_EQ(now.Sum("sched_exporter_folded_series"), last.Sum("sched_exporter_folded_series"));
    EXPECT_NEAR(TimeOfAnExit(), static_cast<double>(time(nullptr)) + shift_s, kSlack);
    EXPECT_EQ(Get("/healthz"), "ok\n");
    last = std::move(now);
  }
  end.Open();
  Wait(sleepers);
  EndOf("a clock that jumps by hours and a year");
}

TEST_F(ClockJumps, RateLimitsGoByAnotherClock) {
  const std::string web = directory_.Write("web.yml", "rate_limit: {interval: 1h, burst: 2}\n");
  Exporter::Settings settings;
  settings.prefix = clock_.Prefix();
  settings.arguments = {"--web.config.file=" + web};
  const auto exporter = Exporter::Start(settings);
  ASSERT_TRUE(exporter) << exporter.error().message;
  const auto status = [&] {
    const auto reply = HttpGet((*exporter)->port(), "/healthz");
    EXPECT_TRUE(reply) << reply.error().message;
    return reply ? reply->status : 0;
  };
  EXPECT_EQ(status(), 200);
  EXPECT_EQ(status(), 200);
  for (const hours shift : {hours(0), hours(10), hours(-10)}) {
    clock_.Set(shift);
    EXPECT_EQ(status(), 429) << shift.count();
  }
}

}  // namespace
}  // namespace sched_exporter::test_support
