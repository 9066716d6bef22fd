#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sched_exporter {

/// Who of the connections with a whole request is given one of the server's threads next, and who
/// has to give one back because its client stands still while others wait. Connections are numbers.
/// Not for several threads at once. The time is the caller's.
class Turns {
 public:
  using Clock = std::chrono::steady_clock;
  using Id = std::uint64_t;

  struct Limits {
    std::size_t threads;       ///< Of the server.
    std::size_t of_a_client;   ///< Threads that one address may have, so that others find one free.
    std::size_t waiting;       ///< Connections that may wait for a thread.
    Clock::duration patience;  ///< In which all that wait shall have had their turn.
    Clock::duration least_patience;  ///< So long a thread waits for its client in any case.
    bool begins_with_work;  ///< All is there that the server needs to begin, as without TLS.
  };

  explicit Turns(const Limits& limits) : limits_(limits) {}

  /// A connection that could be served now; `client` is its address. Where too many wait, the one
  /// that has to go: the newest of the address that most of them have.
  std::optional<Id> Arrive(Id id, const std::string& client);

  /// Gives a thread to the connection whose address has fewest of them, of equals to the oldest.
  /// Nothing where nobody may have one.
  std::optional<Id> Next(Clock::time_point now);

  /// A connection whose client has let its thread wait longer than those that wait for it have
  /// time: the more of them there are, the less. Only of the addresses that have most threads, the
  /// one that waits longest. It is told once, and no more of them than wait.
  std::optional<Id> Dawdler(Clock::time_point now);

  /// The server works for a connection that has a thread; its client is not waited for.
  void Works(Id id);
  /// The thread waits for its client, from `now` on.
  void Waits(Id id, Clock::time_point now);
  /// It gave its thread back, or its client has gone before it had one.
  void Leave(Id id);

  /// How many wait for a thread.
  std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    Id id;
    std::string client;
  };
  struct Guest {
    std::string client;
    std::optional<Clock::time_point> waits_since;
    bool has_to_go = false;
  };

  std::size_t ThreadsOf(const std::string& client) const;
  std::size_t WaitingOf(const std::string& client) const;
  std::size_t MostThreads() const;
  std::size_t Going() const;
  std::optional<Clock::duration> PatienceWith(const Guest& guest) const;

  const Limits limits_;
  std::vector<Waiting> waiting_;  // the oldest first
  std::map<Id, Guest> guests_;
};

}  // namespace sched_exporter
