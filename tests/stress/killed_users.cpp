// Kills three of the four users of a Queue at random moments, round after round, and looks at what
// is left. killed_users.py does the same to CPython's Queue.
//
// Usage: stress_killed_users [ROUNDS] [SEED]

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "01-process/process.hpp"
#include "03-array/shared_region.hpp"
#include "05-queue/errors.hpp"
#include "05-queue/queue.hpp"

namespace {

using namespace std::chrono_literals;
using Number = std::uint32_t;

constexpr int kUsers = 4;     ///< two that put, and two that get
constexpr Number kGuest = 2;  ///< this process, when it puts
constexpr std::size_t kNumbers = 500;

/// 2,000 bytes that all say the same: who put it, and its number.
using Item = std::vector<Number>;

Item item_of(Number who, Number number) {
  return Item(kNumbers, number * 4 + who);
}

/// What the users say of themselves: how many items they have put, or got.
using Counters = std::array<std::atomic<Number>, kUsers>;

/// What came out of a queue, and whether it was right.
struct Seen {
  std::array<Number, 3> last{};  ///< by whom it was put
  int wrong = 0;

  void see(const Item& item) {
    const Number who = item.empty() ? 3 : item.front() % 4;
    if (item.size() != kNumbers || who > kGuest || item != Item(kNumbers, item.front())) {
      ++wrong;  // torn
      return;
    }
    const Number number = item.front() / 4;
    wrong += number > last[who] ? 0 : 1;  // twice, or out of its order
    last[who] = number;
  }
};

struct Totals {
  int usable = 0;
  int wrong = 0;
  long lost = 0;
};

/// One queue, four users, and three kills.
class Round {
 public:
  explicit Round(std::mt19937& random)
      : random_(random),
        region_(mp::SharedRegion::anonymous(sizeof(Counters))),
        done_(*new (region_.data()) Counters{}) {}

  void add_to(Totals& totals) {
    for (int user = 0; user < kUsers; ++user) {
      users_.push_back(std::make_unique<mp::Process>([this, user] { use(user); }));
      users_.back()->start();
    }
    pause(5'000us);
    std::array<int, kUsers> order{0, 1, 2, 3};
    std::ranges::shuffle(order, random_);
    for (int i = 0; i < kUsers - 1; ++i) {
      pause(1'000us);
      kill(order[static_cast<std::size_t>(i)]);
    }
    totals.usable += goes_on_with(order.back()) ? 1 : 0;
    kill(order.back());
    try {
      for (;;) {
        get(0s);
      }
    } catch (const mp::Empty&) {
    }
    // Each getter that was killed may have had one in its hands.
    const Number put = done_[0] + done_[1] + of_the_guest_;
    const Number got = done_[2] + done_[3] + got_;
    totals.lost += std::max(0L, long{put} - long{got} - 2);
    totals.wrong += seen_.wrong;
  }

 private:
  void use(int user) {
    auto& mine = done_[static_cast<std::size_t>(user)];
    Seen seen;
    for (;;) {
      if (user < 2) {
        queue_.put(item_of(static_cast<Number>(user), mine + 1));
      } else {
        seen.see(queue_.get());
        if (seen.wrong > 0) {
          std::abort();
        }
      }
      ++mine;
    }
  }

  void get(std::chrono::milliseconds limit) {
    seen_.see(queue_.get(true, limit));
    ++got_;
  }

  /// Whether this process and the one that is left pass 20 items on.
  bool goes_on_with(int user) {
    const auto& theirs = done_[static_cast<std::size_t>(user)];
    const Number before = theirs;
    try {
      for (Number i = 1; i <= 20; ++i) {
        if (user < 2) {
          get(1s);
        } else {
          queue_.put(item_of(kGuest, of_the_guest_ + 1), true, 1s);
          ++of_the_guest_;
        }
      }
    } catch (const mp::Full&) {
      return false;
    } catch (const mp::Empty&) {
      return false;
    }
    return theirs > before && users_[static_cast<std::size_t>(user)]->is_alive();
  }

  void kill(int user) {
    users_[static_cast<std::size_t>(user)]->kill();
    users_[static_cast<std::size_t>(user)]->join();
  }

  void pause(std::chrono::microseconds longest) {
    std::this_thread::sleep_for(longest * std::uniform_real_distribution<>()(random_));
  }

  std::mt19937& random_;
  mp::SharedRegion region_;
  Counters& done_;
  mp::Queue<Item> queue_{9};
  std::vector<std::unique_ptr<mp::Process>> users_;
  Seen seen_;  // a getter that was killed has seen others: the numbers have gaps
  Number got_ = 0;
  Number of_the_guest_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::stoi(argv[1]) : 1'000;  // throws for what is no number
  const unsigned seed = argc > 2 ? static_cast<unsigned>(std::stoul(argv[2])) : 1;
  std::mt19937 random(seed);
  Totals totals;
  for (int i = 0; i < rounds; ++i) {
    Round(random).add_to(totals);
  }
  std::printf(
      "mp::Queue: %d kills in %d rounds: usable after %d, items torn or doubled %d, lost "
      "%ld\n",
      3 * rounds, rounds, totals.usable, totals.wrong, totals.lost);
  return totals.usable == rounds && totals.wrong == 0 && totals.lost == 0 ? 0 : 1;
}
