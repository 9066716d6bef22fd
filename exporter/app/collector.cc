#include "exporter/app/collector.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>

#include "exporter/app/buffer_stats.h"
#include "exporter/app/from_config.h"
#include "exporter/app/report_labels.h"
#include "exporter/base/clock.h"

namespace sched_exporter {
namespace {

/// A scrape gives up after this long; Prometheus's own limit is 10 s by default.
constexpr std::chrono::seconds kScrapePatience{9};

/// So many events are taken in before the interval is over: their memory is bounded.
constexpr std::size_t kMaxPendingEvents = 32'768;

/// A sweep that is this much overdue means that the collector hangs.
constexpr std::chrono::seconds kOverdue{30};

}  // namespace

Collector::Collector(const Config& config, const HostPaths& paths)
    : config_(config),
      paths_(paths),
      pods_(PodSourcesOf(config)),
      details_(paths),
      labels_(config.labels),
      histograms_(config.histograms),
      openmetrics_(config.openmetrics),
      wakeup_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      latest_(Fail("no collection has been made yet")),
      reload_unix_ns_(RealtimeNs()),
      last_sweep_(std::chrono::steady_clock::now()) {
  stats_.since_ns = BoottimeNs();
}

Result<std::unique_ptr<Collector>> Collector::Open(const Config& config, const HostPaths& paths,
                                                   const BpfChoice& choice) {
  std::unique_ptr<Collector> collector(new Collector(config, paths));
  if (auto attached = collector->Attach(choice); !attached) {
    return tl::unexpected(attached.error());
  }
  return collector;
}

Result<void> Collector::Start() {
  if (auto configured = ConfigureLive(config_); !configured) {
    return configured;
  }
  pods_.Start();
  naming_->Start();
  thread_ = std::thread(&Collector::Run, this);
  return {};
}

Collector::~Collector() {
  stopping_ = true;
  Wake();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Collector::Wake() const {
  const std::uint64_t one = 1;
  // Full only when it is readable already.
  [[maybe_unused]] const ssize_t written = ::write(wakeup_.get(), &one, sizeof(one));
}

Result<std::shared_ptr<const Sample>> Collector::Collect() {
  std::unique_lock<std::mutex> lock(mutex_);
  const std::uint64_t ticket = ++asked_;
  Wake();
  if (!done_.wait_for(lock, kScrapePatience, [&] { return answered_ >= ticket; })) {
    return Fail("the collection takes too long");
  }
  return latest_;
}

std::vector<std::string> Collector::Reconfigure(const Config& config) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::string> waiting;
  if (config.maps != config_.maps || config.events != config_.events ||
      config.cgroup != config_.cgroup || config.persistence != config_.persistence) {
    waiting.emplace_back("changes of maps, events, cgroup and persistence need a restart");
  }
  if (RulesNeedArguments(config) && source_->options().arguments_bytes == 0) {
    waiting.emplace_back(
        "rules ask for command lines now, which are read at exec only after a restart; until then "
        "processes that end at once have none");
  }
  if (WantsDistributions(config) && !source_->options().distributions) {
    waiting.emplace_back("histograms were all off at the start; they are counted after a restart");
  }
  next_config_ = config;
  next_config_->maps = config_.maps;
  next_config_->events = config_.events;
  next_config_->cgroup = config_.cgroup;
  next_config_->persistence = config_.persistence;
  Wake();
  return waiting;
}

void Collector::NoteReload(bool successful) {
  const std::lock_guard<std::mutex> lock(mutex_);
  reload_successful_ = successful;
  if (successful) {
    reload_unix_ns_ = RealtimeNs();
  }
}

bool Collector::IsHealthy() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto allowed = config_.collection.interval + kOverdue;
  return !last_sweep_failed_ && std::chrono::steady_clock::now() - last_sweep_ < allowed;
}

void Collector::Run() {
  while (!stopping_) {
    WaitForWork();
    Drain();
    if (!stopping_) {
      ServeTicket();
    }
  }
  Finish();
}

/// What the stream tells of must not be told again by the next exporter.
void Collector::Finish() {
  if (persistence_) {
    static_cast<void>(Sweep());
  } else if (stream_ != nullptr) {
    Drain();
  }
  if (stream_ != nullptr) {
    stream_->Finish();
  }
}

void Collector::WaitForWork() {
  std::array<pollfd, 2> fds{{{wakeup_.get(), POLLIN, 0}, {source_->wakeup_fd(), POLLIN, 0}}};
  int timeout_ms = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto due = std::min(last_sweep_ + config_.collection.interval, live_.next());
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(due - std::chrono::steady_clock::now());
    timeout_ms = static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
  }
  if (stream_ != nullptr) {
    timeout_ms = std::min(timeout_ms, static_cast<int>(stream_->interval().count()));
  }
  // Where sweeps fail, events stay in the kernel's buffer, which would wake us all the time.
  poll(fds.data(), source_->is_full() ? 1 : fds.size(), timeout_ms);
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t read_bytes = ::read(wakeup_.get(), &count, sizeof(count));
}

void Collector::ServeTicket() {
  std::uint64_t ticket = 0;
  bool asked = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ticket = asked_;
    asked = asked_ > answered_;
    const auto now = std::chrono::steady_clock::now();
    const bool due = now >= last_sweep_ + config_.collection.interval || live_.IsDue(now);
    const bool crowded = !last_sweep_failed_ &&
                         (source_->pending_events() > kMaxPendingEvents || source_->must_release());
    if (!asked && !due && !crowded && !next_config_) {
      return;
    }
  }
  auto swept = Sweep();
  if (swept && ApplyConfig()) {
    swept = Sweep();  // so that who asked sees what the new config makes of it
  }
  auto sample = asked && swept ? MakeSample() : nullptr;
  NoteSwept(ticket, swept, std::move(sample));
  if (live_.IsDue(std::chrono::steady_clock::now())) {
    MakeLivePoint(swept.has_value());
  }
}

/// Whoever asked before the sweep began has an answer.
void Collector::NoteSwept(std::uint64_t ticket, const Result<void>& swept,
                          std::shared_ptr<const Sample> sample) {
  const std::lock_guard<std::mutex> lock(mutex_);
  last_sweep_ = std::chrono::steady_clock::now();
  last_sweep_failed_ = !swept;
  if (!swept) {
    latest_ = tl::unexpected(swept.error());
  } else if (sample != nullptr) {
    latest_ = std::move(sample);
  }
  answered_ = ticket;
  done_.notify_all();
}

/// A report of its own: scrapes are told nothing less for it.
void Collector::MakeLivePoint(bool is_swept) {
  const auto now = std::chrono::steady_clock::now();
  if (!is_swept) {
    live_.Skip(now);
    return;
  }
  Report report = ledger_->MakeReport();
  AddDetails(report, details_, *naming_);
  OmitDetails(labels_, report);
  live_.Take(report, snapshot_.boottime_ns, now);
}

/// Fails only where the stream has an output, which is opened once.
Result<void> Collector::ConfigureLive(const Config& config) {
  live_.Configure(config.live, config.events.arguments, stats_.mode);
  const bool has_output = config.events.output != EventOutputChoice::kNone;
  if (!has_output && !config.live.events) {
    stream_.reset();
    return {};
  }
  if (stream_ == nullptr) {
    auto stream = EventStream::Open(config.events, *naming_);
    if (!stream) {
      return tl::unexpected(stream.error());
    }
    stream_ = std::move(*stream);
  }
  stream_->set_recent(live_.Events());
  return {};
}

/// After a sweep and before more events are read: none waits that has groups of the old rules.
/// Returns false where there is no new config.
bool Collector::ApplyConfig() {
  std::optional<Config> next;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    next.swap(next_config_);
    if (next) {
      config_ = *next;
    }
  }
  if (next) {
    source_->set_walk(WalkOf(next->collection.walk));
    pods_.set_sources(PodSourcesOf(*next));
    ledger_->set_limits(LimitsOf(next->limits));
    labels_ = next->labels;
    histograms_ = next->histograms;
    openmetrics_ = next->openmetrics;
    ledger_->set_comm_is_label(labels_.Has(LabelSwitch::kProcessComm));
    naming_->Configure(*next);
    ledger_->set_constant_groups(naming_->ConstantGroups());
    // It has no output to open: that is never another one than at the start.
    static_cast<void>(ConfigureLive(*next));
  }
  const std::vector<ProcessKey> moved = naming_->Refresh(BoottimeNs());
  if (next) {
    ledger_->NameAgain();
  } else {
    ledger_->NameAgain(moved);
  }
  return next.has_value();
}

Result<void> Collector::Sweep() {
  const std::uint64_t begun_ns = BoottimeNs();
  BeforeEvents();
  if (auto swept = source_->Sweep(snapshot_); !swept) {
    ++stats_.collection_errors;
    spdlog::error("collection failed: {}", swept.error().message);
    return swept;
  }
  NoteNewCgroups();
  ledger_->Apply(snapshot_);
  spare_memory_.Note(ledger_->task_count(), snapshot_);
  ++stats_.collections;
  if (persistence_) {
    Keep();
  }
  stats_.collect_ns = BoottimeNs() - begun_ns;
  return {};
}

void Collector::Drain() {
  const std::uint64_t begun_ns = BoottimeNs();
  BeforeEvents();
  source_->Drain();
  if (stream_ != nullptr) {
    stream_->Settle(begun_ns);
  }
}

/// What is to be known before events are read: what comes after a gap can't rely on what came
/// before it, and names of new cgroups.
void Collector::BeforeEvents() {
  const std::uint64_t lost = source_->CountLostLifecycle();
  if (lost != known_losses_) {
    book_.NoteLost();
    naming_->NoteLost();
    if (stream_ != nullptr) {
      stream_->NoteLost(lost - known_losses_);
    }
    known_losses_ = lost;
  }
  // Streams and rules ask for names of cgroups as events come.
  NoteNewCgroups();
  if (stream_ != nullptr) {
    stream_->Begin();
  }
}

void Collector::NoteNewCgroups() {
  const std::vector<NewCgroup> made = source_->TakeNewCgroups();
  new_cgroups_ = made.size();
  naming_->NoteNew(made);
}

void Collector::TakeEvent(TaskEvent& event) {
  book_.Annotate(event);
  naming_->Annotate(event);
  if (stream_ != nullptr) {
    stream_->Take(event);
  }
}

}  // namespace sched_exporter
