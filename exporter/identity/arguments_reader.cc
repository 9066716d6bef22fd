#include "exporter/identity/arguments_reader.h"

#include <condition_variable>
#include <mutex>
#include <utility>

#include "exporter/identity/living_image.h"

namespace sched_exporter {

/// Where question and answer lie.
struct ArgumentsReader::Desk {
  std::mutex mutex;
  std::condition_variable wake;
  std::uint64_t asked = 0;  ///< Number of the last question; 0: none yet.
  std::uint64_t answered = 0;
  std::uint32_t pid = 0;
  std::string answer;
  bool ends = false;
};

ArgumentsReader::~ArgumentsReader() {
  if (desk_ == nullptr) {
    return;
  }
  bool hangs = false;
  {
    const std::lock_guard<std::mutex> lock(desk_->mutex);
    desk_->ends = true;
    hangs = desk_->asked != desk_->answered;
  }
  desk_->wake.notify_all();
  if (hangs) {
    thread_.detach();  // it ends with the process at the latest
  } else {
    thread_.join();
  }
}

void ArgumentsReader::Start() {
  auto desk = std::make_shared<Desk>();
  thread_ = std::thread(&ArgumentsReader::Run, desk, procfs_);
  desk_ = std::move(desk);  // only beside a thread
}

void ArgumentsReader::Run(const std::shared_ptr<Desk>& desk, const std::string& procfs) {
  std::unique_lock<std::mutex> lock(desk->mutex);
  while (true) {
    desk->wake.wait(lock, [&] { return desk->ends || desk->asked != desk->answered; });
    if (desk->ends) {
      return;
    }
    const std::uint32_t pid = desk->pid;
    lock.unlock();
    std::string answer = ArgumentsOfLiving(pid, procfs);
    lock.lock();
    desk->answer = std::move(answer);
    desk->answered = desk->asked;
    desk->wake.notify_all();
  }
}

std::string ArgumentsReader::Read(std::uint32_t pid) {
  if (desk_ == nullptr) {
    return ArgumentsOfLiving(pid, procfs_);
  }
  std::unique_lock<std::mutex> lock(desk_->mutex);
  if (desk_->asked != desk_->answered) {
    return {};  // it still hangs in an earlier question
  }
  ++desk_->asked;
  desk_->pid = pid;
  desk_->wake.notify_all();
  const bool in_time =
      desk_->wake.wait_for(lock, kPatience, [this] { return desk_->asked == desk_->answered; });
  return in_time ? std::move(desk_->answer) : std::string();
}

}  // namespace sched_exporter
