#include "04-lock/robust_lock.hpp"

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "04-lock/asked.hpp"
#include "04-lock/in_words.hpp"
#include "support/child.hpp"
#include "support/faults.hpp"
#include "support/kid.hpp"
#include "support/lesson.hpp"
#include "support/recorder.hpp"
#include "support/stepped.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;

/// A lock at a place that the test knows.
struct Scene {
  Shared<RobustLock::State> state;
  RobustLock lock{*state};
};

std::string in_words(Acquired how) {
  switch (how) {
    case Acquired::kNo:
      return "kNo";
    case Acquired::kYes:
      return "kYes";
    case Acquired::kOwnerDied:
      return "kOwnerDied";
  }
  return "nothing that there is";
}

/// Takes the lock and gives it back. @return what acquire() says.
std::string take(RobustLock& lock, std::chrono::milliseconds limit = 1500ms) {
  const Acquired how = lock.acquire(limit);
  if (how != Acquired::kNo) {
    lock.release();
  }
  return in_words(how);
}

/// The same by another process, which has some time for it.
std::string other_takes(RobustLock& lock) {
  return Asked([&lock] { return take(lock); }).answer();
}
/// The same by another process, which only tries.
std::string other_tries(RobustLock& lock) {
  return Asked([&lock] { return take(lock, 0ms); }).answer();
}

/// A child that does something with locks, and then stays as it is until it is killed.
class Victim {
 public:
  explicit Victim(const std::function<void()>& action)
      : kid_([this, &action] {
          action();
          *ready_ = true;
          for (;;) {
            pause();
          }
          return 0;
        }) {
    expect(becomes_true([this] { return *ready_ || !kid_.is_running(); }) && *ready_,
           "a child to take a free lock", "one that came to its end, or to no end, over it");
  }
  /// As the user would: kill -9. It is gone when this returns.
  void kill() const {
    kid_.signal(SIGKILL);
    kid_.wait_for_end();
  }

 private:
  Shared<std::atomic<bool>> ready_;
  Kid kid_;
};

/// A child that waits for the lock, and sleeps.
std::unique_ptr<Asked> sleeper(RobustLock& lock) {
  auto child = std::make_unique<Asked>(
      [&lock] {
        const Acquired how = lock.acquire();
        lock.release();
        return in_words(how);
      },
      3);
  expect(falls_asleep_in_futex(child->pid()) && child->is_busy(),
         "a child to sleep in futex(2) while the lock is taken",
         child->is_busy() ? "one that does not sleep" : "its answer: " + child->answer());
  return child;
}

/// What the kernel would find if the calling thread ended now: the locks in its list, by their
/// place in `all`, and the pending one.
std::string kernel_knows(const std::vector<RobustLock::State*>& all) {
  robust_list_head* head = nullptr;
  std::size_t size = 0;
  must(syscall(SYS_get_robust_list, 0, &head, &size), "get_robust_list");
  if (head == nullptr) {
    return "no list";
  }
  const auto name_of = [&all, head](robust_list* entry) {
    const auto* const word = reinterpret_cast<std::byte*>(entry) + head->futex_offset;
    const auto found = std::find_if(all.begin(), all.end(), [word](const auto* state) {
      return reinterpret_cast<const std::byte*>(&state->word) == word;
    });
    return found == all.end() ? std::string("?") : std::string(1, "ABCDE"[found - all.begin()]);
  };
  std::string names;
  for (robust_list* entry = head->list.next; entry != &head->list; entry = entry->next) {
    if (entry == nullptr || names.size() > 8) {
      return "a list that does not end";
    }
    names += name_of(entry);
    if (names.back() == '?') {
      return "a list with something that is no lock of this process: " + names;
    }
  }
  std::sort(names.begin(), names.end());
  names = names.empty() ? "none" : names;
  return head->list_op_pending == nullptr ? names
                                          : names + ", pending " + name_of(head->list_op_pending);
}

TEST(RobustLock, TakenAndGivenBack) {
  lesson("Acquire and release");
  const Scene scene;
  RobustLock lock(*scene.state);
  did("took a free lock");
  expect_eq("acquire()", in_words(lock.acquire()), "kYes");
  did("tried the lock in a child, while the parent held it");
  expect_eq("try_acquire() there", other_tries(lock), "kNo");
  did("gave the lock back, and took it in a child");
  lock.release();
  expect_eq("acquire() there", other_takes(lock), "kYes");
  did("took the lock once more, after the child");
  expect_eq("acquire()", take(lock), "kYes");
}

TEST(RobustLock, InMemoryOfItsOwn) {
  lesson("Acquire and release");
  did("took a lock that has memory of its own, with a Guard, and tried it in a child");
  RobustLock lock;
  {
    const RobustLock::Guard guard(lock);
    expect_eq("owner_died()", guard.owner_died(), false);
    expect_eq("try_acquire() in the child", other_tries(lock), "kNo");
  }
  did("left the Guard's block, and tried the lock in a child");
  expect_eq("try_acquire() in the child", other_tries(lock), "kYes");
}

TEST(RobustLock, ReleaseWakesASleeper) {
  lesson("Acquire and release");
  did("gave a lock back for which two children slept");
  Scene scene;
  (void)scene.lock.acquire();
  const auto one = sleeper(scene.lock);
  const auto other = sleeper(scene.lock);
  scene.lock.release();
  expect_eq("acquire() in the first one", one->answer(), "kYes");
  expect_eq("acquire() in the second one", other->answer(), "kYes");
}

TEST(RobustLock, OneIsWoken) {
  lesson("Acquire and release");
  did("gave a lock back for which two children slept, and looked at how many are to be woken");
  Scene scene;
  (void)scene.lock.acquire();
  const auto one = sleeper(scene.lock);
  const auto other = sleeper(scene.lock);
  Faults faults;
  scene.lock.release();
  int told = 0;
  for (const Call& call : faults.calls("futex")) {
    const auto command = static_cast<int>(call.args[1]) & FUTEX_CMD_MASK;
    if (command == FUTEX_WAKE || command == FUTEX_WAKE_BITSET) {
      told += static_cast<int>(std::min(call.args[2], 1'000L));
    }
  }
  expect_eq("how many the kernel is told to wake", told, 1);
}

TEST(RobustLock, ErrorOfTheWakeUp) {
  lesson("Acquire and release");
  did("made futex(2) fail with ENOSYS for the release() of a lock A for which a child slept, and "
      "looked what the kernel knows (get_robust_list)");
  Scene scene;
  (void)scene.lock.acquire();
  const auto one = sleeper(scene.lock);
  std::string what = "no exception";
  {
    Faults faults;
    faults.fail("futex", ENOSYS, 5);
    try {
      scene.lock.release();
    } catch (const std::system_error& error) {
      what = strerrorname_np(error.code().value());
    }
  }
  expect_eq("what comes of it, and the list then", what + ", " + kernel_knows({&*scene.state}),
            "ENOSYS, none");
}

TEST(RobustLock, OwnerKilled) {
  lesson("When the owner dies");
  did("killed a process that held the lock, and took it");
  Scene scene;
  const Victim owner([&] { (void)scene.lock.acquire(); });
  owner.kill();
  expect_eq("acquire() after it", other_takes(scene.lock), "kOwnerDied");
  did("took the lock once more, after one process that had been told, and had given it back");
  expect_eq("acquire() after that", other_takes(scene.lock), "kYes");
}

TEST(RobustLock, TriedWhenTheOwnerIsDead) {
  lesson("When the owner dies");
  const auto tried = [](const std::string& words, const std::function<Acquired(RobustLock&)>& way) {
    did("killed a process that held the lock, and tried it with " + words + " and then once more");
    Scene scene;
    Victim([&] { (void)scene.lock.acquire(); }).kill();
    expect_eq("what comes of it", Asked([&] {
                                    std::string said;
                                    for (int i = 0; i < 2; ++i) {
                                      const Acquired how = way(scene.lock);
                                      said += (i == 0 ? "" : ", ") + in_words(how);
                                      if (how == Acquired::kNo) {
                                        break;
                                      }
                                      scene.lock.release();
                                    }
                                    return said;
                                  }).answer(),
              "kOwnerDied, kYes");
  };
  tried("try_acquire()", [](RobustLock& lock) { return lock.try_acquire(); });
  tried("acquire(-5s)", [](RobustLock& lock) { return lock.acquire(-5s); });
  const auto passed = Deadline::after(1ns);
  becomes_true([&passed] { return passed.remaining() == 0ns; });
  tried("a deadline that has passed",
        [&passed](RobustLock& lock) { return lock.acquire_until(passed); });
}

TEST(RobustLock, OwnerEnds) {
  lesson("When the owner dies");
  did("let a process end without giving the lock back, and took it");
  Scene scene;
  expect_eq("acquire() there", Asked([&] { return in_words(scene.lock.acquire()); }).answer(),
            "kYes");
  expect_eq("acquire() after it", other_takes(scene.lock), "kOwnerDied");
}

TEST(RobustLock, TwoOwnersDie) {
  lesson("When the owner dies");
  did("killed an owner, and the one who took over from it before it gave the lock back");
  Scene scene;
  Victim([&] { (void)scene.lock.acquire(); }).kill();
  Victim([&] { (void)scene.lock.acquire(); }).kill();
  expect_eq("acquire() after them", other_takes(scene.lock), "kOwnerDied");
  expect_eq("acquire() after that", other_takes(scene.lock), "kYes");
}

TEST(RobustLock, GuardSaysThatTheOwnerDied) {
  lesson("When the owner dies");
  did("killed an owner, and took the lock with a Guard");
  Scene scene;
  Victim([&] { (void)scene.lock.acquire(); }).kill();
  expect_eq("owner_died(), and what comes after it",
            Asked([&] {
              const bool died = RobustLock::Guard(scene.lock).owner_died();
              return (died ? "true, " : "false, ") + take(scene.lock, 0ms);
            }).answer(),
            "true, kYes");
}

TEST(RobustLock, WaitersAsleepWhenTheOwnerIsKilled) {
  lesson("When the owner dies");
  did("killed an owner while two processes slept for the lock");
  Scene scene;
  const Victim owner([&] { (void)scene.lock.acquire(); });
  const auto one = sleeper(scene.lock);
  const auto other = sleeper(scene.lock);
  owner.kill();
  std::array<std::string, 2> seen{one->answer(), other->answer()};
  std::sort(seen.begin(), seen.end());
  expect_eq("acquire() in one of them", seen[0], "kOwnerDied");
  expect_eq("acquire() in the other one", seen[1], "kYes");
}

TEST(RobustLock, SeveralLocksOfOneOwner) {
  lesson("When the owner dies");
  did("killed a process that had taken five locks, and had given the first and the third back");
  std::array<Scene, 5> scenes;
  Victim([&] {
    for (Scene& scene : scenes) {
      (void)scene.lock.acquire();
    }
    scenes[0].lock.release();
    scenes[2].lock.release();
  }).kill();
  for (std::size_t i = 0; i < scenes.size(); ++i) {
    if (!expect_eq("acquire() of lock " + std::to_string(i + 1), other_takes(scenes[i].lock),
                   i == 0 || i == 2 ? "kYes" : "kOwnerDied")) {
      return;
    }
  }
}

TEST(RobustLock, FortyLocksOfOneOwner) {
  lesson("When the owner dies");
  did("killed a process that held forty locks, and took one after the other");
  std::array<Scene, 40> scenes;
  Victim([&] {
    for (Scene& scene : scenes) {
      (void)scene.lock.acquire();
    }
  }).kill();
  expect_eq("what comes of it", Asked([&] {
                                  for (std::size_t i = 0; i < scenes.size(); ++i) {
                                    const std::string how = take(scenes[i].lock);
                                    if (how != "kOwnerDied") {
                                      return how + " for lock " + std::to_string(i + 1);
                                    }
                                  }
                                  return std::string("kOwnerDied, forty times");
                                }).answer(),
            "kOwnerDied, forty times");
}

TEST(RobustLock, TakenAgainBesideAnother) {
  lesson("Between the word and the list");
  did("killed a process that held one lock, and took another one three times");
  Scene kept;
  Scene other;
  Victim([&] {
    (void)kept.lock.acquire();
    (void)take(other.lock);
    (void)take(other.lock);
    (void)other.lock.acquire();
  }).kill();
  expect_eq("acquire() of the first lock", other_takes(kept.lock), "kOwnerDied");
  expect_eq("acquire() of the other lock", other_takes(other.lock), "kOwnerDied");
}

TEST(RobustLock, ListThatTheKernelReads) {
  lesson("Between the word and the list");
  std::array<Scene, 3> scenes;
  const std::vector<RobustLock::State*> all{&*scenes[0].state, &*scenes[1].state,
                                            &*scenes[2].state};
  did("took three locks A, B, C, gave them back in the order taken, and looked what the kernel "
      "knows in between (get_robust_list)");
  for (Scene& scene : scenes) {
    (void)scene.lock.acquire();
  }
  expect_eq("the list with all three taken", kernel_knows(all), "ABC");
  scenes[0].lock.release();
  expect_eq("the list without A", kernel_knows(all), "BC");
  scenes[1].lock.release();
  scenes[2].lock.release();
  expect_eq("the list at the end", kernel_knows(all), "none");
}

TEST(RobustLock, NothingPendingAfterATimeOut) {
  lesson("Between the word and the list");
  did("gave up to wait for a lock A that somebody held, and looked what the kernel knows "
      "(get_robust_list)");
  Scene scene;
  const Victim owner([&] { (void)scene.lock.acquire(); });
  expect_eq("acquire(5 ms), and the list then", Asked([&] {
                                                  const std::string how =
                                                      in_words(scene.lock.acquire(5ms));
                                                  return how + ", " + kernel_knows({&*scene.state});
                                                }).answer(),
            "kNo, none");
  did("tried a lock A that somebody held, and looked what the kernel knows");
  expect_eq("try_acquire(), and the list then", Asked([&] {
                                                  const std::string how =
                                                      in_words(scene.lock.try_acquire());
                                                  return how + ", " + kernel_knows({&*scene.state});
                                                }).answer(),
            "kNo, none");
}

TEST(RobustLock, NothingPendingAfterAnError) {
  lesson("Between the word and the list");
  did("waited for a lock A with a futex(2) that fails with ENOMEM, and looked what the kernel "
      "knows "
      "(get_robust_list)");
  Scene scene;
  const Victim owner([&] { (void)scene.lock.acquire(); });
  expect_eq("what comes of it, and the list then",
            Asked([&] {
              Faults faults;
              faults.fail("futex", ENOMEM);
              std::string what = "no exception";
              try {
                (void)scene.lock.acquire(1s);
              } catch (const std::system_error& error) {
                what = strerrorname_np(error.code().value());
              }
              return what + ", " + kernel_knows({&*scene.state});
            }).answer(),
            "ENOMEM, none");
}

TEST(RobustLock, WithoutAListNoLock) {
  lesson("When the owner dies");
  did("took a lock where set_robust_list(2) fails with EINVAL");
  Scene scene;
  expect_eq("what comes of it", Asked([&]() -> std::string {
                                  Faults faults;
                                  faults.fail("set_robust_list", EINVAL);
                                  try {
                                    return in_words(scene.lock.acquire(1s));
                                  } catch (const std::system_error& error) {
                                    return strerrorname_np(error.code().value());
                                  }
                                }).answer(),
            "EINVAL");
  expect_eq("try_acquire() afterwards", other_tries(scene.lock), "kYes");
}

TEST(RobustLock, ChildOfOneWhoHasUsedIt) {
  lesson("When the owner dies");
  did("took a lock and gave it back, forked a child that took it, and killed the child");
  Scene scene;
  (void)take(scene.lock);
  Victim([&] { (void)scene.lock.acquire(); }).kill();
  expect_eq("acquire() after it", take(scene.lock), "kOwnerDied");
}

TEST(RobustLock, ChildDoesNotInheritLocks) {
  lesson("When the owner dies");
  Scene scene;
  Scene other;
  (void)scene.lock.acquire();
  did("took a lock A, forked a child that took a lock B, and looked what the kernel knows there "
      "(get_robust_list)");
  expect_eq("the child's list", Asked([&] {
                                  (void)other.lock.acquire();
                                  return kernel_knows({&*scene.state, &*other.state});
                                }).answer(),
            "B");
  did("tried the lock of the parent, after a child of it had ended");
  expect_eq("try_acquire()", other_tries(scene.lock), "kNo");
  scene.lock.release();
}

TEST(RobustLock, ThreadEnds) {
  lesson("When the owner dies");
  did("let a thread end that held the lock, and took it in another one");
  Scene scene;
  (void)take(scene.lock);  // a stub says so here
  std::thread([&] { (void)scene.lock.acquire(); }).join();
  expect_eq("acquire()", take(scene.lock), "kOwnerDied");
}

TEST(RobustLock, TwoThreads) {
  lesson("When the owner dies");
  did("let two threads take a lock each, and the second one end");
  Scene first;
  Scene second;
  (void)take(first.lock);  // a stub says so here
  std::atomic<bool> end = false;
  std::atomic<bool> taken = false;
  std::thread longer([&] {
    (void)first.lock.acquire();
    taken = true;
    taken.notify_one();
    end.wait(false);
  });
  taken.wait(false);
  std::thread([&] { (void)second.lock.acquire(); }).join();
  expect_eq("acquire() of the second one's lock", other_takes(second.lock), "kOwnerDied");
  expect_eq("try_acquire() of the first one's lock", other_tries(first.lock), "kNo");
  did("let the first thread end, too");
  end = true;
  end.notify_one();
  longer.join();
  expect_eq("acquire() of its lock", other_takes(first.lock), "kOwnerDied");
}

TEST(RobustLock, AtTwoAddresses) {
  lesson("When the owner dies");
  const TwoViews<RobustLock::State> views;
  RobustLock here(views.here());
  RobustLock there(views.there());
  did("killed an owner that had the lock mapped at another address than one who slept for it");
  const Victim owner([&] { (void)there.acquire(); });
  const auto one = sleeper(here);
  owner.kill();
  expect_eq("acquire() in the one who slept", one->answer(), "kOwnerDied");
  did("gave a lock back at one address for which a process slept at another one");
  expect_eq("acquire(1 s) at the one address", in_words(here.acquire(1s)), "kYes");
  const auto other = sleeper(there);
  here.release();
  expect_eq("acquire() there", other->answer(), "kYes");
}

TEST(RobustLock, ReleasedByAStranger) {
  lesson("Who holds it");
  Scene scene;
  did("gave a lock back that nobody held");
  expect_eq("what comes of it", gives_back(scene.lock), "ValueError");
  (void)scene.lock.acquire();
  did("gave a lock back in a child, while its parent held it");
  expect_eq("what comes of it", Asked([&] { return gives_back(scene.lock); }).answer(),
            "ValueError");
  did("gave a lock back in another thread of the process that held it");
  std::string by_thread;
  std::thread([&] { by_thread = gives_back(scene.lock); }).join();
  expect_eq("what comes of it", by_thread, "ValueError");
  expect_eq("try_acquire() afterwards", other_tries(scene.lock), "kNo");
  did("gave a lock back twice");
  scene.lock.release();
  expect_eq("what comes of the second time", gives_back(scene.lock), "ValueError");
}

TEST(RobustLock, OnceMoreByTheOwner) {
  lesson("Who holds it");
  did("took a lock twice, without a deadline");
  Scene scene;
  expect_eq("what comes of the second time", Asked([&]() -> std::string {
                                               (void)scene.lock.acquire();
                                               try {
                                                 (void)scene.lock.acquire();
                                                 return "it is taken";
                                               } catch (const std::logic_error&) {
                                                 return "std::logic_error";
                                               }
                                             }).answer(),
            "std::logic_error");
  did("took a lock twice, the second time with a deadline, and looked what the kernel knows");
  expect_eq("what comes of the second time",
            Asked([&] {
              (void)scene.lock.acquire();
              const std::string how = in_words(scene.lock.acquire(2ms));
              const std::string list = kernel_knows({&*scene.state});
              scene.lock.release();
              return how + "; the list: " + list +
                     "; try_acquire() after release(): " + other_tries(scene.lock);
            }).answer(),
            "kNo; the list: A; try_acquire() after release(): kYes");
}

TEST(RobustLock, GivesUpInTime) {
  lesson("A moment, not a duration");
  did("waited 20 ms for a lock that somebody held");
  Scene scene;
  const Victim owner([&] { (void)scene.lock.acquire(); });
  expect_eq("acquire(20 ms)",
            Asked([&] {
              const auto start = monotonic_now();
              const std::string how = in_words(scene.lock.acquire(20ms));
              return how + (monotonic_now() - start < 20ms ? ", before they were over" : "");
            }).answer(),
            "kNo");
}

TEST(RobustLock, NoSystemCallWhereNobodyWaits) {
  lesson("Three states");
  std::string why;
  if (!recorder_works(why)) {
    GTEST_SKIP() << why;
  }
  did("took a lock and gave it back a hundred times, after the first time, with nobody else there");
  Scene scene;
  const Recording recording = record([&] {
    (void)scene.lock.acquire();
    scene.lock.release();
    (void)syscall(SYS_getppid);  // from here on they count
    for (int i = 0; i < 100; ++i) {
      (void)scene.lock.acquire();
      scene.lock.release();
    }
  });
  const auto begin =
      std::find_if(recording.calls.begin(), recording.calls.end(),
                   [](const RecordedCall& call) { return call.number == SYS_getppid; });
  expect(begin != recording.calls.end(), "the body to come so far",
         recording.threw.empty() ? "its end before" : recording.threw);
  expect(begin == recording.calls.end() || begin + 1 == recording.calls.end(), "no system call",
         recording.to_string());
}

TEST(RobustLock, KilledBeforeTheWakeUp) {
  lesson("Between the word and the list");
  did("killed an owner in release(), before futex(FUTEX_WAKE), while another process slept");
  Scene scene;
  const Gate gate;
  const Kid owner([&] {
    (void)scene.lock.acquire();
    gate.pass();
    Faults faults;
    faults.before("futex", [](const Call&) { ::kill(getpid(), SIGKILL); });
    scene.lock.release();
    return 0;
  });
  becomes_true([&] { return scene.state->word != 0 || !owner.is_running(); });
  const auto one = sleeper(scene.lock);
  gate.open();
  owner.wait_for_end();
  const std::string seen = one->answer();
  expect(seen == "kYes" || seen == "kOwnerDied", "the other process to get the lock",
         "its answer: " + seen);
}

TEST(RobustLock, ThirdComesInBeforeTheWakeUp) {
  lesson("Between the word and the list");
  did("killed an owner in release(), before futex(FUTEX_WAKE), while another process slept; a "
      "third "
      "one took the lock in between, and gave it back afterwards");
  Scene scene;
  const Gate gate;
  const Gate third_may_come;
  const Gate third_was_there;
  const Gate third_may_go;
  const Kid owner([&] {
    (void)scene.lock.acquire();
    gate.pass();
    Faults faults;
    faults.before("futex", [&](const Call&) {
      third_may_come.open();
      third_was_there.pass();
      ::kill(getpid(), SIGKILL);
    });
    scene.lock.release();
    return 0;
  });
  becomes_true([&] { return scene.state->word != 0 || !owner.is_running(); });
  const auto one = sleeper(scene.lock);
  const Asked third([&] {
    third_may_come.pass();
    const Acquired how = scene.lock.acquire(100ms);
    third_was_there.open();
    third_may_go.pass();
    if (how != Acquired::kNo) {
      scene.lock.release();
    }
    return in_words(how);
  });
  gate.open();
  owner.wait_for_end();
  third_may_go.open();
  const std::string seen = one->answer();
  expect(seen == "kYes" || seen == "kOwnerDied", "the one who slept to get the lock",
         "its answer: " + seen);
}

/// Kills a child after 1, 2, 3 … instructions of `action`, at most so many times, spread evenly.
/// @param scene  sets what else there is. @return what checks what must hold then: it is told how
///               many instructions it were, and whether the child had the lock.
void kill_at_each_instruction(RobustLock::State& state, int most,
                              const std::function<void()>& before,
                              const std::function<void()>& action,
                              const std::function<std::function<bool(int, bool)>()>& scene) {
  const std::vector<int> counts = moments_of(before, action, most);
  state.word = 0;
  const auto enough = monotonic_now() + 1s;
  for (const int count : counts) {
    if (monotonic_now() > enough) {
      break;
    }
    Stepped child(before, action);
    const auto check = scene();
    (void)child.step(count);
    const bool had_it = (state.word & FUTEX_TID_MASK) == child.number();
    child.kill();
    if (!check(count, had_it)) {
      break;
    }
  }
}

/// What must hold after each death: the lock can be taken, and says so if the dead child had it.
std::function<std::function<bool(int, bool)>()> handed_on(Scene& scene) {
  return [&scene] {
    return [&scene](int count, bool had_it) {
      return expect_eq("acquire() after a death at instruction " + std::to_string(count),
                       take(scene.lock), had_it ? "kOwnerDied" : "kYes");
    };
  };
}

TEST(RobustLock, KilledAtEachInstructionOfAcquire) {
  lesson("Between the word and the list");
  std::string why;
  if (!recorder_works(why)) {
    GTEST_SKIP() << why;
  }
  did("killed a child after each instruction of acquire(), or each second or third …, and took the "
      "lock then");
  Scene scene;
  (void)take(scene.lock);
  kill_at_each_instruction(
      *scene.state, 100, [&] { (void)take(scene.lock); }, [&] { (void)scene.lock.acquire(); },
      handed_on(scene));
}

TEST(RobustLock, KilledAtEachInstructionOfRelease) {
  lesson("Between the word and the list");
  std::string why;
  if (!recorder_works(why)) {
    GTEST_SKIP() << why;
  }
  did("killed a child after each instruction of release(), or each second or third …, and took the "
      "lock then");
  Scene scene;
  (void)take(scene.lock);
  kill_at_each_instruction(
      *scene.state, 100, [&] { (void)scene.lock.acquire(); }, [&] { scene.lock.release(); },
      handed_on(scene));
}

TEST(RobustLock, KilledAtEachInstructionOfReleaseWhileOneSleeps) {
  lesson("Between the word and the list");
  std::string why;
  if (!recorder_works(why)) {
    GTEST_SKIP() << why;
  }
  did("killed a child after each instruction of release(), or each second or third …, while "
      "another "
      "one slept for the lock");
  Scene scene;
  (void)take(scene.lock);
  std::unique_ptr<Asked> other;
  kill_at_each_instruction(
      *scene.state, 100, [&] { (void)scene.lock.acquire(); }, [&] { scene.lock.release(); },
      [&] {
        other = std::make_unique<Asked>([&] {
          const Acquired how = scene.lock.acquire();  // with a time-out, it would look once more
          scene.lock.release();
          return in_words(how);
        });
        while (other->is_busy() && !is_asleep_in_futex(other->pid())) {
          sched_yield();
        }
        return [&](int count, bool had_it) {
          return expect_eq(
              "acquire() of the other one after a death at instruction " + std::to_string(count),
              other->answer(), had_it ? "kOwnerDied" : "kYes");
        };
      });
}

/// What the processes of a sweep share. Two numbers are equal, unless somebody died between them.
struct Sweep {
  RobustLock::State state;
  std::atomic<int> first{0};
  std::atomic<int> second{0};
  std::atomic<int> inside{0};
  std::atomic<int> not_told{0};  ///< the numbers differed, and kYes was said
  std::atomic<int> two_inside{0};
  std::atomic<int> turn{0};                ///< the number of the victim
  std::array<std::atomic<int>, 2> done{};  ///< the turn that each of the others is through with
  std::atomic<int> rounds_of_the_victim{0};
};

/// Takes the lock, changes both numbers, gives it back.
void one_round(Sweep& sweep, RobustLock& lock) {
  if (lock.acquire() == Acquired::kYes) {
    sweep.not_told += sweep.first != sweep.second ? 1 : 0;
    sweep.two_inside += sweep.inside != 0 ? 1 : 0;
  }
  sweep.inside = 1;
  sweep.second = sweep.first.load();
  ++sweep.first;
  ++sweep.second;
  sweep.inside = 0;
  lock.release();
}

/// Looks again and again, and lets others run. @return whether it has become true, in 2 s.
bool yields_until(const std::function<bool()>& condition) {
  const auto limit = monotonic_now() + 2s;
  while (!condition() && monotonic_now() < limit) {
    sched_yield();
  }
  return condition();
}

/// Kills one of three that want the same lock, at many moments. The others do some rounds
/// meanwhile, and have to come through with them each time.
/// @param moment  waits until the k-th victim is to be killed.
void sweep_of_kills(int kills, const std::function<void(Sweep&, int)>& moment) {
  constexpr int kRounds = 10;
  const Shared<Sweep> shared;
  Sweep& sweep = *shared;
  RobustLock lock(sweep.state);
  (void)take(lock);  // a stub says so here
  std::array<std::unique_ptr<Kid>, 2> others;
  for (std::size_t i = 0; i < others.size(); ++i) {
    others[i] = std::make_unique<Kid>(
        [&, i] {
          for (int turn = 1; turn <= kills; ++turn) {
            while (sweep.turn < turn) {
              sched_yield();
            }
            for (int round = 0; round < kRounds; ++round) {
              one_round(sweep, lock);
            }
            sweep.done[i] = turn;
          }
          return 0;
        },
        4);
  }
  const auto enough = monotonic_now() + 900ms;  // on a slow machine, they are fewer
  for (int turn = 1; turn <= kills && monotonic_now() < enough; ++turn) {
    sweep.rounds_of_the_victim = 0;
    const Kid victim([&] {
      for (;;) {
        one_round(sweep, lock);
        ++sweep.rounds_of_the_victim;
      }
      return 0;
    });
    sweep.turn = turn;
    moment(sweep, turn);
    victim.signal(SIGKILL);
    victim.wait_for_end();
    if (!expect(yields_until([&] { return sweep.done[0] == turn && sweep.done[1] == turn; }),
                "both others to get the lock as often as they want it, after each kill",
                "one that does not get it any more, after kill number " + std::to_string(turn))) {
      break;
    }
  }
  expect_eq("how often two were inside", sweep.two_inside.load(), 0);
  expect_eq("how often somebody took over half a change, and was not told", sweep.not_told.load(),
            0);
}

/// Lets some time pass, without sleeping: so many looks at the clock.
void look_at_the_clock(int times) {
  for (int i = 0; i < times; ++i) {
    (void)monotonic_now();
  }
}

TEST(RobustLock, SweepOfKillsAfterSomeRounds) {
  lesson("When the owner dies");
  did("killed up to 400 processes, one after the other, after so many rounds of acquire() and "
      "release(), "
      "while two others did the same");
  sweep_of_kills(400, [](Sweep& sweep, int turn) {
    yields_until([&] { return sweep.rounds_of_the_victim >= 1 + turn % 7; });
    look_at_the_clock(turn % 23);
  });
}

TEST(RobustLock, SweepOfKillsAfterSomeTime) {
  lesson("When the owner dies");
  did("killed up to 400 processes, one after the other, a little after they had been made to take "
      "a lock "
      "and to give it back, while two others did the same");
  sweep_of_kills(400, [](Sweep&, int turn) { look_at_the_clock(37 * (turn % 83)); });
}

}  // namespace
}  // namespace mp::test
