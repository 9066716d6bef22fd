#pragma once

#include <chrono>
#include <cstddef>

/// What the server allows its clients.
namespace sched_exporter {

/// civetweb gives each connection a thread until it is closed; the doorman lets it in when its
/// request is there. What comes after that, silence between requests and a handshake, must end
/// sooner than the ten seconds that Prometheus waits for a scrape by default. read_message() of
/// civetweb checks the limit after each wait, and each wait may take as long as the limit: a client
/// that sends one byte just before it has twice the time, 8 s.
inline constexpr const char* kRequestTimeoutMs = "4000";
/// The handshake has the same limit (sslize() of civetweb) and comes before: three times it makes
/// 8 s again.
inline constexpr const char* kRequestTimeoutMsOfTls = "2600";
/// Between two requests. A scrape interval is longer than any value that leaves threads free, and
/// connecting again costs Prometheus a round trip every 15 s.
inline constexpr const char* kKeepAliveTimeoutMs = "2000";
/// Sixteen threads cost 0.7 MB; a pair of Prometheus servers needs two.
inline constexpr std::size_t kThreads = 16;
inline constexpr std::size_t kLargestHead = 8192;
/// In which a thread has begun, also on a host whose CPUs are taken.
inline constexpr auto kThreadPatience = std::chrono::seconds(10);
/// The doorman lets no more in than there are threads.
inline constexpr const char* kQueue = "16";
/// So that there are threads for others, whatever one address does.
inline constexpr std::size_t kThreadsOfAClient = 12;
/// Beyond these a client is told to come later.
inline constexpr std::size_t kWaiting = 256;
/// Connections that have not sent a whole request. Where more than these come in the time that a
/// client needs from connect() to send(), it may lose its own: with 512 one scrape in 160 did, on a
/// busy machine with 1,000 attackers.
inline constexpr std::size_t kRoom = 2'048;
inline constexpr auto kHeadPatience = std::chrono::seconds(4);
inline constexpr auto kHelloPatience = std::chrono::milliseconds(2600);
/// With others behind it a client must go on, so that each of them has its turn in that time.
inline constexpr auto kPatience = std::chrono::milliseconds(500);
inline constexpr auto kLeastPatience = std::chrono::milliseconds(25);
/// A whole answer must be taken in this time. civetweb's own limit starts anew with each byte.
inline constexpr auto kWriteTimeout = std::chrono::seconds(30);
/// What a client takes counts as going on: 128 KB a second are enough where others wait.
inline constexpr std::size_t kWriteBytes = 65536;

}  // namespace sched_exporter
