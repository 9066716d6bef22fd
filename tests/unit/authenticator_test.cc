#include "exporter/http/authenticator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <thread>
#include <vector>

#include "tests/support/certificates.h"

namespace sched_exporter {
namespace {

using namespace std::chrono_literals;
using test_support::BcryptHash;
using Clock = Authenticator::Clock;

const Clock::time_point kStart{1'000h};

// Known answers of crypt_blowfish's own test, for the three prefixes.
TEST(Bcrypt, KnowsItsHashes) {
  EXPECT_TRUE(HasBcryptHash("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
  EXPECT_TRUE(
      HasBcryptHash("U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"));
  EXPECT_TRUE(HasBcryptHash("", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"));
  for (const char* prefix : {"$2a$", "$2b$", "$2y$"}) {
    const std::string hash = BcryptHash("s3cret", 4, prefix);
    EXPECT_TRUE(HasBcryptHash("s3cret", hash)) << prefix;
    EXPECT_FALSE(HasBcryptHash("s3cret ", hash)) << prefix;
    EXPECT_FALSE(HasBcryptHash("", hash)) << prefix;
    // crypt(3) would see only what is before the zero byte.
    EXPECT_FALSE(HasBcryptHash(std::string("s3cret\0x", 8), hash)) << prefix;
  }
  EXPECT_FALSE(HasBcryptHash("s3cret", "nonsense"));
}

/// An authenticator whose bcrypt is counted: a hash is "hash of PASSWORD".
class AuthenticatorTest : public ::testing::Test {
 protected:
  Authenticator::Verdict Try(const std::string& user, const std::string& password,
                             Clock::duration after = 0s, const std::string& client = "192.0.2.1") {
    return authenticator_.Check(users_, {user, password}, client, kStart + after);
  }

  std::vector<std::string> hashed_;
  Authenticator::Users users_{{"alice", "hash of a"}, {"bob", "hash of b"}};
  Authenticator authenticator_{[this](const std::string& password, const std::string& hash) {
    hashed_.push_back(hash);
    return hash == "hash of " + password;
  }};
};

TEST_F(AuthenticatorTest, RightPasswordsCostOneBcryptEach) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(Try("alice", "a").is_good);
    EXPECT_TRUE(Try("bob", "b").is_good);
  }
  EXPECT_EQ(hashed_, (std::vector<std::string>{"hash of a", "hash of b"}));
}

TEST_F(AuthenticatorTest, AnUnknownUserCostsWhatAWrongPasswordCosts) {
  EXPECT_FALSE(Try("alice", "b").is_good);
  EXPECT_EQ(hashed_.size(), 1U);
  EXPECT_FALSE(Try("nobody", "b").is_good);
  ASSERT_EQ(hashed_.size(), 2U);
  // Of the same cost, as it is somebody's hash; and not good, although it may even fit.
  EXPECT_THAT(hashed_[1], ::testing::StartsWith("hash of "));
  EXPECT_FALSE(Try("nobody", "a").is_good);
  EXPECT_FALSE(Try("nobody", "b").is_good);
  EXPECT_EQ(hashed_[1], hashed_[2]);  // always the same stand-in
  EXPECT_EQ(hashed_.size(), 4U);
}

TEST_F(AuthenticatorTest, ANewHashIsAskedAgain) {
  EXPECT_TRUE(Try("alice", "a").is_good);
  users_["alice"] = "hash of c";
  EXPECT_FALSE(Try("alice", "a").is_good);
  EXPECT_TRUE(Try("alice", "c").is_good);
  users_.erase("alice");
  EXPECT_FALSE(Try("alice", "c").is_good);
}

TEST_F(AuthenticatorTest, NoPartOfOneIsTakenForAnother) {
  users_ = {{"al", "hash of x"}, {"a", "hash of x"}};
  EXPECT_TRUE(Try("al", "x").is_good);
  hashed_.clear();
  EXPECT_TRUE(Try("a", "x").is_good);
  EXPECT_EQ(hashed_.size(), 1U);
}

TEST_F(AuthenticatorTest, AClientHasFiveTriesAndThenOneEachTwoSeconds) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Try("alice", "wrong").wait, 0s) << i;
  }
  EXPECT_EQ(Try("alice", "wrong").wait, 2s);
  EXPECT_EQ(Try("alice", "a").wait, 2s);  // nobody looks whether it is right
  EXPECT_EQ(Try("alice", "wrong", 1s).wait, 1s);
  EXPECT_EQ(hashed_.size(), 5U);
  EXPECT_EQ(Try("alice", "wrong", 2s).wait, 0s);
  EXPECT_EQ(Try("alice", "wrong", 2s).wait, 2s);
  EXPECT_TRUE(Try("alice", "a", 2s, "192.0.2.2").is_good);
  EXPECT_TRUE(Try("alice", "a", 2s).is_good);  // known now, whoever asks
}

// Behind a proxy all clients have one address.
TEST_F(AuthenticatorTest, WrongPasswordsOfOneNameKeepNoOtherOut) {
  while (Try("mallory", "wrong").wait == 0s) {
  }
  EXPECT_TRUE(Try("alice", "a").is_good);
}

TEST_F(AuthenticatorTest, AnAddressHasFifteenTriesOfAllNamesAndThenOneASecond) {
  for (int i = 0; i < 15; ++i) {
    EXPECT_EQ(Try(std::to_string(i), "wrong").wait, 0s) << i;
  }
  EXPECT_EQ(Try("alice", "wrong").wait, 1s);
  EXPECT_EQ(Try("alice", "wrong", 1s).wait, 0s);
  EXPECT_EQ(Try("bob", "wrong", 1s).wait, 1s);
}

TEST_F(AuthenticatorTest, AddressesThatGoOnFailingKeepNoNewOneOut) {
  for (auto after = 0ms; after < 60s; after += 100ms) {
    for (int i = 0; i < 20; ++i) {
      Try("alice", "wrong", after, "attacker " + std::to_string(i));
    }
  }
  EXPECT_TRUE(Try("alice", "a", 60s, "scraper").is_good);
}

TEST_F(AuthenticatorTest, RightPasswordsUseUpNoTries) {
  for (int i = 0; i < 50; ++i) {
    users_["user" + std::to_string(i)] = "hash of x";
    EXPECT_TRUE(Try("user" + std::to_string(i), "x").is_good) << i;
  }
}

TEST_F(AuthenticatorTest, AllClientsTogetherHaveTwentyTriesAndThenFourASecond) {
  const auto tries = [this](Clock::duration after) {
    const std::size_t before = hashed_.size();
    for (int i = 0; i < 1'000; ++i) {
      Try("alice", "wrong", after, "client " + std::to_string(i));
    }
    return hashed_.size() - before;
  };
  EXPECT_EQ(tries(0s), 20U);
  EXPECT_EQ(tries(1s), 4U);
  EXPECT_EQ(tries(61s), 20U);
}

TEST(AttemptLimiter, RemembersABoundedNumberOfClients) {
  AttemptLimiter limiter;
  for (int i = 0; i < 100'000; ++i) {
    limiter.Begin(std::to_string(i), "alice", kStart + i * 1ms);
  }
  EXPECT_LE(limiter.clients(), AttemptLimiter::kMostClients);
  // One that goes on is not forgotten for those that come once.
  AttemptLimiter other;
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(other.Begin("me", "alice", kStart));
  }
  for (std::size_t i = 0; i < 3 * AttemptLimiter::kMostClients; ++i) {
    other.Begin(std::to_string(i), "alice", kStart);
    ASSERT_TRUE(other.Begin("me", "alice", kStart)) << i;
  }
}

TEST(AttemptLimiter, ForgetsWhoTriesNoMore) {
  AttemptLimiter limiter;
  for (std::size_t i = 0; i < AttemptLimiter::kMostClients; ++i) {
    limiter.Begin(std::to_string(i), "alice", kStart);
  }
  limiter.Begin("late", "alice", kStart + 1h);
  EXPECT_EQ(limiter.clients(), 1U);
}

TEST(GoodCredentials, AreBounded) {
  GoodCredentials good;
  for (int i = 0; i < 1'000; ++i) {
    good.Add({"me", std::to_string(i)}, "hash");
    good.Add({"me", std::to_string(i)}, "hash");
  }
  EXPECT_EQ(good.size(), GoodCredentials::kMost);
  EXPECT_TRUE(good.Has({"me", "999"}, "hash"));
  EXPECT_FALSE(good.Has({"me", "999"}, "hasH"));
  EXPECT_FALSE(good.Has({"me", "0"}, "hash"));
}

/// A bcrypt that lasts until the test says so.
class SlowBcrypt {
 public:
  bool Hash(const std::string& password) {
    if (password != "slow") {
      return password == "right";
    }
    std::unique_lock lock(mutex_);
    ++running_;
    most_ = std::max(most_, running_);
    changed_.notify_all();
    changed_.wait(lock, [this] { return ends_; });
    --running_;
    return false;
  }
  void WaitForOne() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return running_ > 0; });
  }
  void End() {
    const std::lock_guard lock(mutex_);
    ends_ = true;
    changed_.notify_all();
  }
  int most() {
    const std::lock_guard lock(mutex_);
    return most_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int running_ = 0;
  int most_ = 0;
  bool ends_ = false;
};

// Of one scraper, right after the start. More than the tries that it has: those that wait for the
// first one's bcrypt need none of their own.
TEST(AuthenticatorThreads, RightPasswordsAtOnceCostOneBcrypt) {
  std::mutex mutex;
  std::condition_variable changed;
  std::atomic<int> hashed = 0;
  bool ends = false;
  Authenticator authenticator([&](const std::string& /*password*/, const std::string& /*hash*/) {
    ++hashed;
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return ends; });
    return true;
  });
  const Authenticator::Users users{{"alice", "hash"}};
  std::atomic<int> begun = 0;
  std::atomic<int> good = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i <= Authenticator::kMostWaiting; ++i) {
    threads.emplace_back([&] {
      ++begun;
      good += authenticator.Check(users, {"alice", "a"}, "client", kStart).is_good ? 1 : 0;
    });
  }
  while (begun <= Authenticator::kMostWaiting || hashed == 0) {
    std::this_thread::yield();
  }
  {
    const std::lock_guard lock(mutex);
    ends = true;
  }
  changed.notify_all();
  threads.clear();
  EXPECT_EQ(good, Authenticator::kMostWaiting + 1);
  EXPECT_EQ(hashed, 1);
}

// Sixteen server threads full of passwords: one computes, three wait, the others are free at once.
TEST(AuthenticatorThreads, OneBcryptAtATimeAndKnownCredentialsAtOnce) {
  SlowBcrypt bcrypt;
  Authenticator authenticator([&](const std::string& password, const std::string& /*hash*/) {
    return bcrypt.Hash(password);
  });
  const Authenticator::Users users{{"alice", "hash"}};
  ASSERT_TRUE(authenticator.Check(users, {"alice", "right"}, "good", kStart).is_good);
  std::atomic<int> refused = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 15; ++i) {
    threads.emplace_back([&, client = "client " + std::to_string(i)] {
      refused += authenticator.Check(users, {"alice", "slow"}, client, kStart).wait > 0s ? 1 : 0;
    });
  }
  bcrypt.WaitForOne();
  EXPECT_TRUE(authenticator.Check(users, {"alice", "right"}, "good", kStart).is_good);
  // All but the one that computes come back while that one still does.
  while (refused < 14) {
    std::this_thread::yield();
  }
  EXPECT_EQ(bcrypt.most(), 1);
  bcrypt.End();
  threads.clear();
  EXPECT_EQ(refused, 14);
}

}  // namespace
}  // namespace sched_exporter
