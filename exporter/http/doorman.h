#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"
#include "exporter/http/civetweb_accept.h"
#include "exporter/http/turns.h"

namespace sched_exporter {

/// The other end of a connection, as civetweb tells it.
struct PeerName {
  std::string address;
  int port = 0;
  int server_port = 0;

  bool operator==(const PeerName&) const = default;
};

/// Accepts connections and lets them in to a server whose threads serve one at a time: only when a
/// whole request is there, and only as many as there are threads. Whoever sends nothing, or half of
/// a request, costs a descriptor and no thread. Of those the doorman keeps two thousand; more make
/// the oldest go. Clients that hold a thread without going on lose it when others wait for it.
///
/// A thread of its own does all of that; the rest is for any thread.
class Doorman final : public ConnectionSource {
 public:
  using Clock = Turns::Clock;

  struct Settings {
    Turns::Limits turns;
    std::size_t room;               ///< Connections without a whole request, at the most;
                                    ///< no more than half of the descriptors.
    Clock::duration head_patience;  ///< In which a request has to be there as a whole.
    std::size_t largest_head;       ///< Bytes; a longer one is let in as it is.
    bool has_tls;                   ///< The first record of a handshake is waited for instead.
  };

  /// Serves what comes to `listeners`, which listen already. Nobody is let in before Open().
  Doorman(std::vector<UniqueFd> listeners, const Settings& settings);
  ~Doorman() override;

  /// Begins. `placeholder` is the socket on which civetweb will wait; in its place civetweb gets
  /// what can be read when somebody may come in.
  Result<void> Open(int placeholder);

  /// Lets nobody in any more, closes those that wait, and keeps civetweb from sleeping, so that it
  /// sees that it shall end.
  void Close();

  int Accept(sockaddr* address, socklen_t* size) override;

  /// What the thread of a connection does: it works, or it waits for its client, which has just
  /// gone on.
  void Works(const PeerName& peer);
  void Waits(const PeerName& peer);
  /// Some connection was closed.
  void Left();

 private:
  using Id = Turns::Id;

  struct Connection {
    UniqueFd fd;
    sockaddr_storage address{};
    socklen_t size = 0;
    PeerName peer;
    Clock::time_point deadline;
  };
  // One that has a thread, or is on the way to it. civetweb closes the descriptor, and somebody
  // else may get its number; the cookie tells.
  struct Guest {
    int fd = -1;
    std::uint64_t cookie = 0;
    PeerName peer;
  };

  void Run();
  int TimeoutMs() const;
  void AcceptFrom(int listener);
  void TakeIn(UniqueFd fd, const sockaddr_storage& address, socklen_t size);
  void LookAt(Id id, std::uint32_t events);
  void LetWait(Id id);
  void GiveUp(Id id);
  bool IsReady(std::string_view bytes) const;
  void MakeRoom();
  void CloseLate(Clock::time_point now);
  void NoteGone();
  void HandOut(Clock::time_point now);
  void Hurry(Clock::time_point now);
  Id FindGuest(const PeerName& peer) const;

  const std::vector<UniqueFd> listeners_;
  const Settings settings_;
  const std::size_t room_;
  UniqueFd epoll_;
  UniqueFd wake_;  // eventfd: the doorman's thread has something to do
  UniqueFd door_;  // eventfd, a semaphore: so many may be accepted
  std::thread thread_;
  std::atomic<bool> closing_ = false;

  // Of the doorman's thread alone. Ids grow: the first is the oldest.
  std::map<Id, Connection> arriving_;
  std::map<Id, Connection> ready_;
  Id last_id_ = 0;
  std::string peek_;

  mutable std::mutex mutex_;  // of all below
  Turns turns_;
  std::map<Id, Guest> guests_;
  std::deque<Connection> at_the_door_;
};

}  // namespace sched_exporter
