#include "exporter/app/pod_watcher.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace sched_exporter {

void ReadingPlan::Read(TimePoint now) {
  last_ = now;
  next_ = now + (step_ < kAfterMiss.size() ? kAfterMiss.at(step_++) : kInterval);
}

void ReadingPlan::Miss(TimePoint now) {
  step_ = 0;
  next_ = std::min(next_, std::max(now, last_ + kShortest));
}

PodWatcher::PodWatcher(PodSources sources)
    : book_([](const std::string& line) { spdlog::warn("{}", line); }),
      sources_(std::move(sources)) {
  Refresh();
}

PodWatcher::~PodWatcher() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void PodWatcher::Start() {
  thread_ = std::thread([this] { Run(); });
}

std::shared_ptr<const PodNames> PodWatcher::names() const {
  const std::lock_guard lock(mutex_);
  return names_;
}

void PodWatcher::Miss() {
  {
    const std::lock_guard lock(mutex_);
    if (sources_.empty()) {
      return;
    }
    plan_.Miss(Clock::now());
  }
  wake_.notify_one();
}

void PodWatcher::set_sources(const PodSources& sources) {
  {
    const std::lock_guard lock(mutex_);
    sources_ = sources;
    plan_.Miss(Clock::now());
  }
  wake_.notify_one();
}

void PodWatcher::Run() {
  std::unique_lock lock(mutex_);
  while (!ends_) {
    if (Clock::now() >= plan_.next()) {
      lock.unlock();
      Refresh();
      lock.lock();
    } else {
      // The plan may change while it is waited for.
      const auto next = plan_.next();
      wake_.wait_until(lock, next, [&] { return ends_ || plan_.next() < next; });
    }
  }
}

/// Nobody who asks for names waits while it reads.
void PodWatcher::Refresh() {
  PodSources sources;
  {
    const std::lock_guard lock(mutex_);
    sources = sources_;
  }
  book_.SetSources(sources);
  const bool changed = book_.Refresh(Clock::now());
  const std::lock_guard lock(mutex_);
  plan_.Read(Clock::now());
  names_ = book_.names();
  generation_ += changed ? 1 : 0;
}

}  // namespace sched_exporter
