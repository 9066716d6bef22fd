#include "exporter/http/turns.h"

#include <algorithm>
#include <iterator>

namespace sched_exporter {

std::optional<Turns::Id> Turns::Arrive(Id id, const std::string& client) {
  waiting_.push_back({id, client});
  if (waiting_.size() <= limits_.waiting) return std::nullopt;
  std::map<std::string, std::size_t> counts;
  for (const Waiting& waiting : waiting_) ++counts[waiting.client];
  const auto most =
      std::max_element(counts.begin(), counts.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  const auto newest = std::find_if(waiting_.rbegin(), waiting_.rend(), [&](const Waiting& waiting) {
    return waiting.client == most->first;
  });
  const Id gone = newest->id;
  waiting_.erase(std::next(newest).base());
  return gone;
}

std::size_t Turns::ThreadsOf(const std::string& client) const {
  return static_cast<std::size_t>(
      std::count_if(guests_.begin(), guests_.end(),
                    [&](const auto& guest) { return guest.second.client == client; }));
}

std::optional<Turns::Id> Turns::Next(Clock::time_point now) {
  if (guests_.size() >= limits_.threads) return std::nullopt;
  std::size_t fewest = limits_.of_a_client;
  auto next = waiting_.end();
  for (auto waiting = waiting_.begin(); waiting != waiting_.end(); ++waiting) {
    const std::size_t threads = ThreadsOf(waiting->client);
    if (threads < fewest) {
      fewest = threads;
      next = waiting;
    }
  }
  if (next == waiting_.end()) return std::nullopt;
  const Id id = next->id;
  guests_[id] = {next->client, limits_.begins_with_work ? std::nullopt : std::optional(now), false};
  waiting_.erase(next);
  return id;
}

std::size_t Turns::WaitingOf(const std::string& client) const {
  return static_cast<std::size_t>(
      std::count_if(waiting_.begin(), waiting_.end(),
                    [&](const Waiting& waiting) { return waiting.client == client; }));
}

std::size_t Turns::MostThreads() const {
  std::size_t most = 0;
  for (const auto& [id, guest] : guests_) most = std::max(most, ThreadsOf(guest.client));
  return most;
}

std::size_t Turns::Going() const {
  return static_cast<std::size_t>(std::count_if(
      guests_.begin(), guests_.end(), [](const auto& guest) { return guest.second.has_to_go; }));
}

// It blocks somebody where all threads are taken, or where its address has as many as it may have
// and waits for more. Nothing where it is in nobody's way.
std::optional<Turns::Clock::duration> Turns::PatienceWith(const Guest& guest) const {
  const bool all_taken = guests_.size() >= limits_.threads;
  const bool at_its_limit = ThreadsOf(guest.client) >= limits_.of_a_client;
  const std::size_t waiting = all_taken      ? waiting_.size()
                              : at_its_limit ? WaitingOf(guest.client)
                                             : 0;
  if (waiting == 0) return std::nullopt;
  const std::size_t threads = all_taken ? limits_.threads : limits_.of_a_client;
  const auto share = limits_.patience * threads / std::max(waiting, threads);
  return std::max<Clock::duration>(share, limits_.least_patience);
}

std::optional<Turns::Id> Turns::Dawdler(Clock::time_point now) {
  if (Going() >= waiting_.size()) return std::nullopt;
  auto slowest = guests_.end();
  const std::size_t most = MostThreads();
  for (auto guest = guests_.begin(); guest != guests_.end(); ++guest) {
    const auto& since = guest->second.waits_since;
    if (!since || guest->second.has_to_go) continue;
    const auto patience = PatienceWith(guest->second);
    if (!patience || now - *since < *patience) continue;
    if (ThreadsOf(guest->second.client) < most) continue;
    if (slowest == guests_.end() || *since < *slowest->second.waits_since) slowest = guest;
  }
  if (slowest == guests_.end()) return std::nullopt;
  slowest->second.has_to_go = true;
  return slowest->first;
}

void Turns::Works(Id id) {
  if (const auto guest = guests_.find(id); guest != guests_.end()) {
    guest->second.waits_since.reset();
  }
}

void Turns::Waits(Id id, Clock::time_point now) {
  if (const auto guest = guests_.find(id); guest != guests_.end()) {
    guest->second.waits_since = now;
  }
}

void Turns::Leave(Id id) {
  guests_.erase(id);
  std::erase_if(waiting_, [id](const Waiting& waiting) { return waiting.id == id; });
}

}  // namespace sched_exporter
