#include "exporter/http/doorman.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "exporter/http/request_head.h"

namespace sched_exporter {
namespace {

using std::chrono::milliseconds;

// Numbers in epoll's data; connections have those above.
constexpr std::uint64_t kWake = 1;
constexpr std::uint64_t kFirstListener = 2;
constexpr std::uint64_t kFirstConnection = 1024;

// Whoever waits for a thread waits that much longer for the doorman at the most.
constexpr int kLookAgainMs = 20;
constexpr int kAcceptsAtOnce = 256;
// Where no descriptor is left the queue of the kernel has to wait.
constexpr milliseconds kOutOfDescriptors{10};

constexpr std::string_view kTooSlow =
    "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
constexpr std::string_view kTooMany =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

void AddTo(const UniqueFd& eventfd, std::uint64_t count) {
  // It fails where it is full: whoever reads it is woken then, too.
  [[maybe_unused]] const auto written = ::write(eventfd.get(), &count, sizeof count);
}

std::uint64_t TakeFrom(const UniqueFd& eventfd) {
  std::uint64_t count = 0;
  return ::read(eventfd.get(), &count, sizeof count) == sizeof count ? count : 0;
}

bool Watch(const UniqueFd& epoll, int fd, std::uint64_t number, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = number;
  return ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

std::uint64_t CookieOf(int fd) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  return ::getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

int PortOf(const sockaddr_storage& address) {
  sockaddr_in v4{};
  std::memcpy(&v4, &address, sizeof v4);
  return ntohs(v4.sin_port);
}

PeerName NameOf(int fd, const sockaddr_storage& address) {
  std::array<char, INET_ADDRSTRLEN> text{};
  sockaddr_in v4{};
  std::memcpy(&v4, &address, sizeof v4);
  ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size);
  return {text.data(), PortOf(address), PortOf(own)};
}

// What nobody waits for: it is sent where there is room for it.
void Refuse(int fd, std::string_view answer) {
  [[maybe_unused]] const auto sent =
      ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

// Half of the descriptors are for all else. systemd gives a service 1,024, and lets it have more.
std::size_t RoomFor(std::size_t connections) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::max(limit.rlim_cur, std::min<rlim_t>(limit.rlim_max, 2 * connections));
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return std::max<std::size_t>(1, std::min<std::size_t>(connections, limit.rlim_cur / 2));
}

// Reset by the client, or by the network.
bool HasGone(int fd) {
  pollfd end{fd, 0, 0};
  return ::poll(&end, 1, 0) == 1 && (end.revents & (POLLERR | POLLHUP)) != 0;
}

// With a reset: what the client hasn't taken is not kept for it.
void CutOff(int fd, std::uint64_t cookie) {
  // A copy, because civetweb may close the number meanwhile and others get it.
  const UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy.valid() || CookieOf(copy.get()) != cookie) return;
  const linger at_once{1, 0};
  ::setsockopt(copy.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::shutdown(copy.get(), SHUT_RDWR);
}

}  // namespace

Doorman::Doorman(std::vector<UniqueFd> listeners, const Settings& settings)
    : listeners_(std::move(listeners)),
      settings_(settings),
      room_(RoomFor(settings.room)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      door_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)),
      last_id_(kFirstConnection),
      peek_(settings.largest_head, '\0'),
      turns_(settings.turns) {}

Doorman::~Doorman() {
  Close();
  AcceptsForCivetweb::Forget(*this);
}

Result<void> Doorman::Open(int placeholder) {
  if (!epoll_.valid() || !wake_.valid() || !door_.valid()) {
    return Fail("cannot serve: no descriptors are left");
  }
  bool watches = Watch(epoll_, wake_.get(), kWake, EPOLLIN);
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    watches = watches && Watch(epoll_, listeners_[i].get(), kFirstListener + i, EPOLLIN);
  }
  if (!watches || ::dup3(door_.get(), placeholder, O_CLOEXEC) < 0) {
    return Fail(WithErrno("cannot serve", errno));
  }
  thread_ = std::thread([this] { Run(); });
  ::pthread_setname_np(thread_.native_handle(), "doorman");
  return {};
}

void Doorman::Close() {
  {
    const std::lock_guard lock(mutex_);  // Accept() takes nothing more of what wakes civetweb
    closing_ = true;
  }
  AddTo(door_, 1);
  AddTo(wake_, 1);
  if (thread_.joinable()) thread_.join();
  for (const UniqueFd& listener : listeners_) ::shutdown(listener.get(), SHUT_RDWR);
  arriving_.clear();
  ready_.clear();
}

int Doorman::Accept(sockaddr* address, socklen_t* size) {
  const std::lock_guard lock(mutex_);
  if (closing_ || TakeFrom(door_) == 0 || at_the_door_.empty()) {
    errno = EAGAIN;
    return -1;
  }
  Connection connection = std::move(at_the_door_.front());
  at_the_door_.pop_front();
  const socklen_t fits = std::min(*size, connection.size);
  std::memcpy(address, &connection.address, fits);
  *size = connection.size;
  return connection.fd.Release();
}

Doorman::Id Doorman::FindGuest(const PeerName& peer) const {
  const auto found = std::find_if(guests_.begin(), guests_.end(),
                                  [&](const auto& guest) { return guest.second.peer == peer; });
  return found == guests_.end() ? 0 : found->first;
}

void Doorman::Works(const PeerName& peer) {
  const std::lock_guard lock(mutex_);
  turns_.Works(FindGuest(peer));
}

void Doorman::Waits(const PeerName& peer) {
  const std::lock_guard lock(mutex_);
  turns_.Waits(FindGuest(peer), Clock::now());
}

void Doorman::Left() { AddTo(wake_, 1); }

void Doorman::Run() {
  std::array<epoll_event, 64> events;
  while (!closing_) {
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), TimeoutMs());
    for (int i = 0; i < count; ++i) {
      const std::uint64_t number = events[static_cast<std::size_t>(i)].data.u64;
      if (number == kWake) {
        TakeFrom(wake_);
      } else if (number < kFirstConnection) {
        AcceptFrom(listeners_[number - kFirstListener].get());
      } else {
        LookAt(number, events[static_cast<std::size_t>(i)].events);
      }
    }
    const auto now = Clock::now();
    CloseLate(now);
    NoteGone();
    HandOut(now);
    Hurry(now);
  }
}

int Doorman::TimeoutMs() const {
  if (!ready_.empty()) return kLookAgainMs;
  if (arriving_.empty()) return -1;
  const auto left = arriving_.begin()->second.deadline - Clock::now();
  return static_cast<int>(std::max<std::int64_t>(std::chrono::ceil<milliseconds>(left).count(), 1));
}

void Doorman::AcceptFrom(int listener) {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    UniqueFd fd(::accept4(listener, reinterpret_cast<sockaddr*>(&address), &size,
                          SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd.valid()) {
      TakeIn(std::move(fd), address, size);
      continue;
    }
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) return;
    MakeRoom();
    std::this_thread::sleep_for(kOutOfDescriptors);
    return;
  }
}

void Doorman::TakeIn(UniqueFd fd, const sockaddr_storage& address, socklen_t size) {
  while (arriving_.size() >= room_) MakeRoom();
  const Id id = ++last_id_;
  PeerName peer = NameOf(fd.get(), address);
  arriving_[id] = {std::move(fd), address, size, std::move(peer),
                   Clock::now() + settings_.head_patience};
  // Level-triggered it would be told of the same bytes again and again: they are only peeked at.
  if (!Watch(epoll_, arriving_[id].fd.get(), id, EPOLLIN | EPOLLRDHUP | EPOLLET)) {
    arriving_.erase(id);
  }
}

// The oldest of the address that has most: another one's request may still be on its way. Some at
// once, because the search takes longer than all else that a connection costs here. None whose
// request has come meanwhile.
void Doorman::MakeRoom() {
  std::map<std::string_view, std::vector<Id>> by_client;
  for (const auto& [id, connection] : arriving_) {
    by_client[connection.peer.address].push_back(id);
  }
  const auto most = std::max_element(
      by_client.begin(), by_client.end(),
      [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  if (most == by_client.end()) return;
  std::vector<Id> oldest = std::move(most->second);
  oldest.resize(std::min(oldest.size(), room_ / 16 + 1));
  for (const Id id : oldest) {
    LookAt(id, EPOLLIN);
    arriving_.erase(id);
  }
}

bool Doorman::IsReady(std::string_view bytes) const {
  return settings_.has_tls ? IsWholeHello(bytes, settings_.largest_head)
                           : IsWholeHead(bytes, settings_.largest_head);
}

void Doorman::LookAt(Id id, std::uint32_t events) {
  // First: after a reset what came before it can still be read.
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) return GiveUp(id);
  const auto found = arriving_.find(id);
  if (found == arriving_.end()) return;
  const auto got =
      ::recv(found->second.fd.get(), peek_.data(), peek_.size(), MSG_PEEK | MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got > 0 && IsReady(std::string_view(peek_).substr(0, static_cast<std::size_t>(got)))) {
    LetWait(id);
  } else if (got <= 0 || (events & EPOLLRDHUP) != 0) {
    arriving_.erase(found);  // it ended, perhaps behind half of a request
  }
}

void Doorman::LetWait(Id id) {
  const auto place = ready_.insert(arriving_.extract(id)).position;
  const std::lock_guard lock(mutex_);
  const auto gone = turns_.Arrive(id, place->second.peer.address);
  if (!gone) return;
  if (!settings_.has_tls) Refuse(ready_.at(*gone).fd.get(), kTooMany);
  ready_.erase(*gone);
}

// The client has gone; its thread, if it has one already, learns that by itself.
void Doorman::GiveUp(Id id) {
  arriving_.erase(id);
  if (ready_.erase(id) == 0) return;
  const std::lock_guard lock(mutex_);
  turns_.Leave(id);
}

void Doorman::CloseLate(Clock::time_point now) {
  while (!arriving_.empty() && arriving_.begin()->second.deadline <= now) {
    if (!settings_.has_tls) Refuse(arriving_.begin()->second.fd.get(), kTooSlow);
    arriving_.erase(arriving_.begin());
  }
}

void Doorman::NoteGone() {
  const std::lock_guard lock(mutex_);
  for (auto guest = guests_.begin(); guest != guests_.end();) {
    if (CookieOf(guest->second.fd) == guest->second.cookie) {
      ++guest;
      continue;
    }
    turns_.Leave(guest->first);
    guest = guests_.erase(guest);
  }
}

void Doorman::HandOut(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  while (const auto id = turns_.Next(now)) {
    const auto ready = ready_.find(*id);
    Connection& connection = ready->second;
    if (HasGone(connection.fd.get())) {
      turns_.Leave(*id);
      ready_.erase(ready);
      continue;
    }
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.fd.get(), nullptr);
    guests_[*id] = {connection.fd.get(), CookieOf(connection.fd.get()), connection.peer};
    at_the_door_.push_back(std::move(connection));
    ready_.erase(ready);
    AddTo(door_, 1);
  }
}

void Doorman::Hurry(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  while (const auto id = turns_.Dawdler(now)) {
    const Guest& guest = guests_.at(*id);
    CutOff(guest.fd, guest.cookie);
  }
}

}  // namespace sched_exporter
