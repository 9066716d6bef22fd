// Clients that want nothing but to be in the way: silent, slow, half open, thousands of them. A
// good client scrapes all the time.

#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/attack.h"
#include "tests/support/http_client.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

const seconds kAttack{IsSanitized() ? 3 : 4};
/// An attack goes on until so many scrapes were answered beside it. A server whose threads wait for
/// silent clients answers one in four seconds.
constexpr int kScrapes = 20;
constexpr seconds kPatienceWithScrapes{60};

/// What comes from where: the good client has 127.0.0.1.
class HostileClients : public UnderAttack, public testing::WithParamInterface<bool> {
 protected:
  static std::string Source(int number) {
    return GetParam() ? std::string("127.0.0.1") : OtherAddress(number);
  }
  static std::string Name(const std::string& attack) {
    return attack + (GetParam() ? ", from the good client's address" : ", from 8 other addresses");
  }

  /// Keeps `count` connections: as soon as the server ends one, another one comes.
  void Attack(int count, int receive_bytes,
              const std::function<void(const UniqueFd&, int round)>& act, int scrapes = kScrapes) {
    AllowDescriptors(10'000);
    std::vector<UniqueFd> connections(static_cast<std::size_t>(count));
    std::vector<int> rounds(connections.size());
    const int enough = good_scrapes() + scrapes;
    const auto begin = Clock::now();
    do {
      for (std::size_t i = 0; i < connections.size(); ++i) {
        if (!connections[i].valid() || (receive_bytes == 0 && IsOver(connections[i])) ||
            HasHungUp(connections[i])) {
          connections[i] =
              ConnectFrom(Source(static_cast<int>(i)), exporter_->port(), receive_bytes);
          rounds[i] = 0;
        }
        act(connections[i], rounds[i]++);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    } while (Clock::now() < begin + kAttack ||
             (good_scrapes() < enough && Clock::now() < begin + kPatienceWithScrapes));
    EXPECT_GE(good_scrapes(), enough) << "during the attack";
  }

  /// Of attacks with whole requests, which nobody can tell from a client's at the same address.
  static int ScrapesBesideRequests() { return GetParam() ? 1 : kScrapes; }

  /// Also where much is unread.
  static bool HasHungUp(const UniqueFd& fd) {
    pollfd end{fd.get(), POLLRDHUP, 0};
    return poll(&end, 1, 0) == 1 && (end.revents & (POLLRDHUP | POLLERR | POLLHUP)) != 0;
  }
};

TEST_P(HostileClients, ThreeThousandThatSayNothing) {
  Start();
  Begin();
  Attack(3'000, 0, [](const UniqueFd&, int) {});
  AwaitScrapes(5);
  EndOf(Name("3,000 silent connections"));
}

TEST_P(HostileClients, HalfARequestThenSilence) {
  Start();
  Begin();
  Attack(1'000, 0, [](const UniqueFd& fd, int round) {
    if (round == 1) {
      SendSome(fd, "GET /metrics HTTP/1.1\r\nHost: a\r\n");
    }
  });
  AwaitScrapes(5);
  EndOf(Name("1,000 half requests"));
}

TEST_P(HostileClients, HeadersThatNeverEnd) {
  Start();
  Begin();
  Attack(500, 0, [](const UniqueFd& fd, int round) {
    SendSome(fd, round == 0 ? std::string_view("GET /metrics HTTP/1.1\r\n") : "X: y\r\n");
  });
  AwaitScrapes(5);
  EndOf(Name("500 connections, headers without end"));
}

TEST_P(HostileClients, OneByteAtATime) {
  const std::string request = RequestText("GET", "/metrics");
  Start();
  Begin();
  Attack(500, 0, [&](const UniqueFd& fd, int round) {
    if (round % 20 == 0) {  // one a second
      SendSome(fd, std::string_view(request).substr(static_cast<std::size_t>(round / 20), 1));
    }
  });
  AwaitScrapes(5);
  EndOf(Name("500 connections, a byte a second"));
}

TEST_P(HostileClients, AskForMuchAndReadNothing) {
  // A thousand processes with series make an answer of a megabyte.
  Gate end;
  const pid_t sleepers = StartSleepers(IsSanitized() ? 200 : 1'000, end);
  Start();
  Begin();
  const auto ask = [](const UniqueFd& fd, int round) {
    if (round == 1) {
      SendSome(fd, RequestText("GET", "/metrics"));
    }
  };
  Attack(200, 4'096, ask, ScrapesBesideRequests());
  AwaitScrapes(5);
  EndOf(Name("200 readers that don't read"), GetParam());
  end.Open();
  Wait(sleepers);
}

TEST_P(HostileClients, AreServedOnceAndStay) {
  Start();
  Begin();
  const auto ask = [](const UniqueFd& fd, int round) {
    if (round == 1) {
      SendSome(fd, RequestText("GET", "/healthz"));
    }
  };
  Attack(200, 0, ask, ScrapesBesideRequests());
  AwaitScrapes(5);
  EndOf(Name("200 connections that stay"), GetParam());
}

TEST_P(HostileClients, ConnectAndReset) {
  Start();
  Begin();
  const linger at_once{1, 0};
  const auto until = Clock::now() + kAttack;
  int connections = 0;
  for (; Clock::now() < until; ++connections) {
    const UniqueFd fd = ConnectFrom(Source(connections), exporter_->port());
    setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    if (connections % 2 == 0) {
      SendSome(fd, RequestText("GET", "/metrics"));
    }
  }
  AwaitScrapes(5);
  EndOf(Name(std::to_string(connections) + " connections that are reset"), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Addresses, HostileClients, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Same" : "Others"; });

}  // namespace
}  // namespace sched_exporter::test_support
