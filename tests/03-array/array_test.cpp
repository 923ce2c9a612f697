#include "03-array/array.hpp"

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "00-syscalls/deadline.hpp"
#include "00-syscalls/errors.hpp"
#include "03-array/errors.hpp"
#include "support/child.hpp"
#include "support/faults.hpp"
#include "support/kid.hpp"
#include "support/lesson.hpp"

namespace mp::test {
namespace {

constexpr unsigned kPatient = 10;  // seconds for a child; on a busy machine it takes its time

/// As Python writes a list: "[1, 2, 3]".
template <class Range>
std::string in_python(const Range& values) {
  std::string text;
  for (const auto& value : values) {
    text += text.empty() ? "" : ", ";
    text += std::to_string(value);
  }
  return "[" + text + "]";
}

template <Shareable T>
std::string in_python(const Array<T>& array) {
  return in_python(array.snapshot());
}

std::span<const std::byte> bytes_of_int(const int& value) {
  return std::as_bytes(std::span(&value, 1));
}

int load_int(const LockedElements& elements, std::ptrdiff_t index) {
  int value = -1;
  elements.load(index, std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

void store_int(const LockedElements& elements, std::ptrdiff_t index, int value) {
  elements.store(index, bytes_of_int(value));
}

std::vector<int> ints(const Bytes& bytes) {
  return values_in<int>(bytes);
}

/// Whether another process gets the lock, without waiting for it.
bool free_for_others(RLock& lock) {
  const Kid kid(
      [&lock] {
        if (!lock.try_acquire()) {
          return 1;
        }
        lock.release();
        return 0;
      },
      kPatient);
  return kid.take() == 0;
}

bool expect_free(RLock& lock) {
  return expect(!lock.is_mine() && free_for_others(lock),
                "the lock to be free, so that another process gets it",
                lock.is_mine() ? "this process holds it" : "another process does not get it");
}

/// Another process that wants the lock of six numbers as well. It has it to begin with, lets go as
/// soon as the code under test waits for it, and takes it again as soon as the code gives it back:
/// whoever believes that nobody comes in between is wrong, each time.
///
/// When it takes the lock, and once more before it lets go, it writes the same new number to all
/// elements: 1 and 2 the first time, 3 and 4 the second time, and so on.
template <class T>
class RivalOf {
 public:
  static constexpr std::size_t kLength = 6;
  using Values = std::array<T, kLength>;

  explicit RivalOf(const LockedElements& elements)
      : kid_([this, &elements] { return run(elements); }, kPatient) {
    if (!let_it_take()) {
      throw std::runtime_error("another process does not get the lock, although nobody holds it");
    }
    faults_ = std::make_unique<Faults>();  // after the fork: these hooks are not for the child
    faults_->before("futex", [this](const Call& call) {
      const auto operation = call.args[1] & FUTEX_CMD_MASK;
      if (operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET) {
        before_wait(call.args[3] != 0);
      } else if (operation == FUTEX_WAKE) {
        before_wake();
      }
    });
  }

  /// How often the code under test has taken the lock and given it back.
  [[nodiscard]] int times() const { return times_; }
  /// What was there when it gave the lock back for the first time.
  [[nodiscard]] std::string seen() const { return in_python((*seen_)[1]); }

 private:
  static constexpr int kTurns = 20;

  int run(const LockedElements& elements) {
    const std::span<T> values(reinterpret_cast<T*>(elements.get_obj().data()), kLength);
    for (std::size_t turn = 0; turn < kTurns; ++turn) {
      take_.pass();
      elements.get_lock().acquire();
      std::ranges::copy(values, (*seen_)[turn].begin());
      std::ranges::fill(values, static_cast<T>(2 * turn + 1));
      taken_.open();
      let_go_.pass();
      std::ranges::fill(values, static_cast<T>(2 * turn + 2));
      elements.get_lock().release();
    }
    pause();
    return 0;
  }

  /// @return whether it has the lock: it is free, and should be its at once.
  bool let_it_take() {
    take_.open();
    pollfd item{taken_.entrance(), POLLIN, 0};
    if (::poll(&item, 1, 2000) != 1) {
      return false;
    }
    taken_.pass();
    has_it_ = true;
    return true;
  }
  void before_wait(bool with_a_limit) {
    // Who tries again and again gets it. Who tries a few times and then goes on without it is found
    // out. Long tries are fewer: the test has a limit, too.
    constexpr int kTries = 10;
    if (!has_it_) {
      return;
    }
    if (with_a_limit && ++tries_ < kTries) {
      if (!patience_) {
        patience_ = Deadline::after(std::chrono::milliseconds(2600));
      }
      if (patience_->remaining() > std::chrono::nanoseconds::zero()) {
        return;
      }
    }
    has_it_ = false;
    let_go_.open();
  }
  void before_wake() {
    ++times_;
    if (!has_it_ && times_ < kTurns) {
      (void)let_it_take();
    }
  }

  Gate take_;
  Gate taken_;
  Gate let_go_;
  Shared<std::array<Values, kTurns>> seen_;
  Kid kid_;
  std::unique_ptr<Faults> faults_;
  bool has_it_ = false;
  int tries_ = 0;
  std::optional<Deadline> patience_;
  int times_ = 0;
};

using Rival = RivalOf<int>;

template <class T>
bool expect_once(const RivalOf<T>& rival) {
  return expect(rival.times() == 1, "the lock to be taken once, and given back",
                rival.times() == 0 ? "it is not taken: the code went on while another had it"
                                   : "it is taken " + std::to_string(rival.times()) + " times");
}

// ---- elements

TEST(Array, MadeFromALength) {
  lesson("Elements and indices");
  did("made arrays of a length");
  const Array<int> array(5);
  expect_eq("how many elements it has", array.size(), std::size_t{5});
  expect_eq("its elements", in_python(array), "[0, 0, 0, 0, 0]");
  array[1] = 7;
  array[-1] = 9;
  expect_eq("its elements after a[1] = 7 and a[-1] = 9", in_python(array), "[0, 7, 0, 0, 9]");
  expect_eq("a[1]", int(array[1]), 7);
  expect_eq("a[-5]", int(array[-5]), 0);
  const Array<double> empty(0);
  expect_eq("how many elements one of length 0 has", empty.size(), std::size_t{0});
  expect_eq("its elements", in_python(empty), "[]");
}

TEST(Array, MadeFromASequence) {
  lesson("Elements and indices");
  did("made arrays of the numbers of a list, a vector, a std::list and a std::set");
  expect_eq("one from a list", in_python(Array<short>({1, -2, 3})), "[1, -2, 3]");
  const std::vector<int> vector{4, 5, 6};
  expect_eq("one from a vector", in_python(Array<int>(vector)), "[4, 5, 6]");
  const std::list<int> list{7, 8};
  const std::set<int> set{6, 3, 5, 4};
  expect_eq("one from a std::list", in_python(Array<long>(list)), "[7, 8]");
  expect_eq("one from a std::set", in_python(Array<long>(set)), "[3, 4, 5, 6]");
}

TEST(Array, LengthsThatCannotBe) {
  lesson("Elements and indices");
  for (const std::ptrdiff_t length : {std::ptrdiff_t{-1}, std::ptrdiff_t{-20}, PTRDIFF_MIN}) {
    did("made an array of " + std::to_string(length) + " elements of 8 bytes");
    expect_throw<ValueError>("ValueError", [length] { const LockedElements elements(length, 8); });
  }
  did("made an array of 2^61 elements of 8 bytes, which are 0 bytes if you let it");
  expect_throw<ValueError>("ValueError",
                           [] { const LockedElements elements(std::ptrdiff_t{1} << 61, 8); });
  did("made an array of more bytes than the address space has");
  expect_throw<std::system_error>("std::system_error", [] {
    const LockedElements elements(PTRDIFF_MAX - (std::ptrdiff_t{1} << 20), 1);
  });
}

TEST(Array, IndicesOutside) {
  lesson("Elements and indices");
  const LockedElements elements(5, sizeof(int));
  for (int i = 0; i < 5; ++i) {
    store_int(elements, i, i + 1);
  }
  for (const std::ptrdiff_t index :
       {std::ptrdiff_t{5}, std::ptrdiff_t{-6}, std::ptrdiff_t{-7}, PTRDIFF_MAX, PTRDIFF_MIN}) {
    did("read and wrote the element " + std::to_string(index) + " of five");
    expect_throw<IndexError>("IndexError", [&] { (void)load_int(elements, index); });
    expect_throw<IndexError>("IndexError", [&] { store_int(elements, index, 99); });
  }
  expect_eq("the elements", in_python(ints(elements.snapshot())), "[1, 2, 3, 4, 5]");
  did("read the element 5 of five by [], which does not wait until it is read or written");
  const Array<int> array(5);
  expect_throw<IndexError>("IndexError", [&array] { (void)array[5]; });
}

TEST(Array, ElementsOfAnySize) {
  lesson("Elements and indices");
  for (const std::size_t size : {1, 2, 3, 8, 12, 100}) {
    did("wrote to and read from 6 elements of " + std::to_string(size) + " bytes");
    const LockedElements elements(6, size);
    expect_eq("how many elements there are", elements.get_obj().size(), std::size_t{6});
    std::string expected(6 * size, '\0');
    for (const std::ptrdiff_t index : {4, 0, -3}) {
      const std::string value(size, static_cast<char>('a' + index));
      elements.store(index, bytes_of(value));
      const auto place = static_cast<std::size_t>(index < 0 ? index + 6 : index);
      expected.replace(place * size, size, value);
      std::string back(size, '?');
      elements.load(index - (index < 0 ? 0 : 6), std::as_writable_bytes(std::span(back)));
      expect_eq("the same element, counted from the other end", back, value);
    }
    expect(text_of(elements.snapshot()) == expected, "these three to be written, the others 0",
           "other bytes");
  }
}

TEST(Array, Slices) {
  lesson("Slices are copies");
  did("read slices of an array, and wrote to them");
  const Array<int> array({0, 1, 2, 3, 4, 5});
  expect_eq("a[1:4]", in_python(array.slice({1, 4, {}})), "[1, 2, 3]");
  expect_eq("a[::-2]", in_python(array.slice({{}, {}, -2})), "[5, 3, 1]");
  expect_eq("a[4:100]", in_python(array.slice({4, 100, {}})), "[4, 5]");
  expect_eq("a[4:1]", in_python(array.slice({4, 1, {}})), "[]");
  array.assign({{}, {}, 2}, {10, 12, 14});
  expect_eq("the array after a[::2] = [10, 12, 14]", in_python(array), "[10, 1, 12, 3, 14, 5]");
  array.assign({-1, -3, -1}, {25, 24});
  expect_eq("the array after a[-1:-3:-1] = [25, 24]", in_python(array), "[10, 1, 12, 3, 24, 25]");
}

TEST(Array, AllOrNothing) {
  lesson("All or nothing");
  const Array<int> array({1, 2, 3, 4});
  for (const std::size_t count : {0, 1, 3}) {
    did("wrote " + std::to_string(count) + " values to a slice of two");
    const std::vector<int> values(count, 9);
    expect_throw<ValueError>("ValueError", [&] { array.assign({1, 3, {}}, values); });
  }
  did("wrote to a slice with a step of 0");
  expect_throw<ValueError>("ValueError", [&array] { array.assign({{}, {}, 0}, {}); });
  expect_eq("the array", in_python(array), "[1, 2, 3, 4]");
}

TEST(Array, NoElements) {
  lesson("All or nothing");
  did("read and wrote slices of an array of no elements");
  const Array<int> array(0);
  expect_eq("a[:]", in_python(array.slice({})), "[]");
  array.assign({}, {});
  expect_throw<ValueError>("ValueError", [&array] { array.assign({}, {1}); });
  expect_throw<ValueError>("ValueError", [&array] { (void)array.slice({{}, {}, 0}); });
  expect_throw<ValueError>("ValueError", [&array] { array.assign({{}, {}, 0}, {}); });
}

TEST(Array, SnapshotIsACopy) {
  lesson("Slices are copies");
  did("took a snapshot, and changed the array");
  const Array<int> array({1, 2, 3});
  const std::vector<int> copy = array.snapshot();
  array[0] = 10;
  expect_eq("the snapshot", in_python(copy), "[1, 2, 3]");
  expect_eq("the array", in_python(array), "[10, 2, 3]");
}

TEST(Array, ElementsAsExpressions) {
  lesson("Elements and indices");
  did("assigned elements to each other, added to them, and walked over them");
  const Array<int> array({1, 2, 3});
  array[0] = array[2];
  array[1] += 40;
  auto last = array[-1];
  last = array[1];
  expect_eq("the array", in_python(array), "[3, 42, 42]");
  int sum = 0;
  for (const int value : array) {
    sum += value;
  }
  expect_eq("the sum of its elements", sum, 87);
}

// ---- the memory

TEST(Array, SharedWithAChild) {
  lesson("What fork shares");
  did("wrote to an array before and after a fork, and had the child write to it");
  const Array<int> array({1, 2, 3});
  const Gate changed;
  const Kid kid(
      [&] {
        changed.pass();
        if (array[0] != 10) {
          return 1;
        }
        array[1] = 20;
        array.assign({2, {}, {}}, {30});
        return 0;
      },
      kPatient);
  array[0] = 10;
  changed.open();
  kid.wait_for_end();
  expect_eq("the child's exit code: 1 if it has not seen what its parent wrote", kid.take(),
            std::optional(0));
  expect_eq("the array", in_python(array), "[10, 20, 30]");
}

TEST(Array, OneRegion) {
  lesson("A lock beside the data");
  did("made an array of 4096 bytes, and looked at the memory that it takes");
  const Faults faults;
  const LockedElements elements(4096, 1);
  std::vector<Call> maps = faults.calls("mmap");
  std::erase_if(maps, [](const Call& call) { return (call.args[3] & MAP_SHARED) == 0; });
  if (expect_eq("the number of shared mappings, for the elements and their lock together,",
                maps.size(), std::size_t{1})) {
    expect(maps[0].args[1] >= static_cast<long>(LockedElements::kFront) + 4096,
           "the mapping to have room for the elements and for what is in front of them",
           std::to_string(maps[0].args[1]) + " bytes");
  }
}

TEST(Array, ElementsBehindTheFront) {
  lesson("A lock beside the data");
  for (const std::ptrdiff_t length : {1, 4096, 10'000}) {
    did("looked where the elements are in an array of " + std::to_string(length));
    const LockedElements elements(length, sizeof(int));
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    expect_eq("the first one's distance from the beginning of a page, in bytes,",
              reinterpret_cast<std::uintptr_t>(elements.get_obj().data()) % page,
              LockedElements::kFront);
  }
}

TEST(Array, LockAtTheFront) {
  lesson("A lock beside the data");
  did("took the lock of an array, and looked at what is in front of its elements");
  const LockedElements elements(4, sizeof(int));
  std::byte* const front = elements.get_obj().data() - LockedElements::kFront;
  if (!expect_eq("how many bytes behind the beginning of a page that is",
                 reinterpret_cast<std::uintptr_t>(front) % 4096, std::size_t{0})) {
    return;
  }
  RLock the_same(*reinterpret_cast<RLock::State*>(front));
  elements.get_lock().acquire();
  expect(the_same.is_mine(), "the state of a lock that this process holds", "another one");
  elements.get_lock().release();
  expect(!the_same.is_mine(), "the state of a lock that this process no longer holds",
         "another one");
}

TEST(Array, ElementsDoNotTouchTheLock) {
  lesson("A lock beside the data");
  did("wrote 1s to all bits of all elements while it held the lock");
  const LockedElements elements(20, 1);
  elements.get_lock().acquire();
  const std::string ones(20, '\xff');
  for (std::ptrdiff_t index = -20; index < 20; ++index) {
    elements.store(index, bytes_of(std::string_view(ones).substr(0, 1)));
  }
  elements.set_slice({}, bytes_of(ones));
  std::ranges::fill(std::span(elements.get_obj().data(), 20), std::byte{0xff});
  if (expect(elements.get_lock().is_mine(), "the lock to be held still", "it is not")) {
    elements.get_lock().release();
    expect_free(elements.get_lock());
  }
  did("wrote 1s to all bits of all elements while nobody held the lock");
  elements.set_slice({}, bytes_of(ones));
  expect_free(elements.get_lock());
  expect(text_of(elements.snapshot()) == ones, "the elements as they were written", "other bytes");
}

// ---- the lock

TEST(Array, LockIsFreeBetweenCalls) {
  lesson("A lock beside the data");
  did("made an array");
  const LockedElements elements(4, sizeof(int));
  expect_free(elements.get_lock());
  const std::vector<int> values{1, 2, 3, 4};
  const std::vector<std::pair<const char*, std::function<void()>>> calls{
      {"read an element", [&] { (void)load_int(elements, 1); }},
      {"wrote an element", [&] { store_int(elements, 1, 5); }},
      {"took a snapshot", [&] { (void)elements.snapshot(); }},
      {"read a slice",
       [&] {
         (void)elements.get_slice({1, 3, {}});
       }},
      {"wrote a slice", [&] { elements.set_slice({}, std::as_bytes(std::span(values))); }},
  };
  for (const auto& [name, call] : calls) {
    did(name);
    call();
    expect_free(elements.get_lock());
  }
}

TEST(Array, LockIsFreeAfterIndexError) {
  lesson("A lock beside the data");
  const LockedElements elements(4, sizeof(int));
  did("read an element that is not there");
  expect_throw<IndexError>("IndexError", [&] { (void)load_int(elements, 4); });
  expect_free(elements.get_lock());
  did("wrote an element that is not there");
  expect_throw<IndexError>("IndexError", [&] { store_int(elements, -5, 1); });
  expect_free(elements.get_lock());
}

TEST(Array, LockIsFreeAfterValueError) {
  lesson("A lock beside the data");
  const LockedElements elements(4, sizeof(int));
  did("read a slice with a step of 0");
  expect_throw<ValueError>("ValueError", [&] { (void)elements.get_slice({{}, {}, 0}); });
  expect_free(elements.get_lock());
  did("wrote one value to a slice of four");
  expect_throw<ValueError>("ValueError", [&] { elements.set_slice({}, bytes_of_int(1)); });
  expect_free(elements.get_lock());
}

TEST(Array, HolderMayUseTheElements) {
  lesson("A lock beside the data");
  did("used the elements while it held the lock");
  const LockedElements elements(3, sizeof(int));
  RLock& lock = elements.get_lock();
  const std::vector<int> values{7, 8, 9};
  lock.acquire();
  store_int(elements, 0, 5);
  expect_eq("an element", load_int(elements, 0), 5);
  elements.set_slice({}, std::as_bytes(std::span(values)));
  expect_eq("a slice", in_python(ints(elements.get_slice({1, {}, {}}))), "[8, 9]");
  expect_eq("a snapshot", in_python(ints(elements.snapshot())), "[7, 8, 9]");
  expect_throw<IndexError>("IndexError", [&] { (void)load_int(elements, 3); });
  expect_throw<ValueError>("ValueError", [&] { (void)elements.get_slice({{}, {}, 0}); });
  if (expect(lock.is_mine(), "the lock to be held still, since nobody has given it back",
             "it is not")) {
    expect_eq("whether another process gets it", free_for_others(lock), false);
    lock.release();
  }
  expect_free(lock);
}

template <class T>
void load_beside_a_rival() {
  did("read an element of " + std::to_string(sizeof(T)) +
      " bytes that another process, which held the lock, wrote 1 and then 2 to; it wrote 3 as soon "
      "as it got the lock again");
  const LockedElements elements(RivalOf<T>::kLength, sizeof(T));
  const RivalOf<T> rival(elements);
  T value = 0;
  elements.load(2, std::as_writable_bytes(std::span(&value, 1)));
  expect_once(rival);
  expect_eq("the element", static_cast<int>(value), 2);
}

TEST(Array, LoadWaitsForTheLock) {
  lesson("A lock beside the data");
  load_beside_a_rival<int>();
  load_beside_a_rival<std::int64_t>();
  load_beside_a_rival<std::int16_t>();
  load_beside_a_rival<std::int8_t>();
}

template <class T>
void store_beside_a_rival() {
  did("wrote 70 to an element of " + std::to_string(sizeof(T)) +
      " bytes while another process held the lock and wrote 1 and then 2 to all");
  const LockedElements elements(RivalOf<T>::kLength, sizeof(T));
  const RivalOf<T> rival(elements);
  const T value = 70;
  elements.store(2, std::as_bytes(std::span(&value, 1)));
  if (expect_once(rival)) {
    expect_eq("what the other process finds when it gets the lock again", rival.seen(),
              "[2, 2, 70, 2, 2, 2]");
  }
}

TEST(Array, StoreWaitsForTheLock) {
  lesson("A lock beside the data");
  store_beside_a_rival<int>();
  store_beside_a_rival<std::int64_t>();
  store_beside_a_rival<std::int16_t>();
  store_beside_a_rival<std::int8_t>();
}

TEST(Array, SnapshotIsOneMoment) {
  lesson("One moment");
  did("took a snapshot while another process, whenever it had the lock, wrote the same number to "
      "all elements: 1 and then 2 the first time, 3 and then 4 the second time");
  const LockedElements elements(Rival::kLength, sizeof(int));
  const Rival rival(elements);
  const Bytes snapshot = elements.snapshot();
  expect_once(rival);
  expect_eq("the snapshot", in_python(ints(snapshot)), "[2, 2, 2, 2, 2, 2]");
}

TEST(Array, SliceIsReadAtOneMoment) {
  lesson("One moment");
  struct Case {
    const char* name;
    Slice slice;
    const char* expected;
  };
  const std::vector<Case> cases{{"a[::-2]", {{}, {}, -2}, "[2, 2, 2]"},
                                {"a[1:4]", {1, 4, {}}, "[2, 2, 2]"},
                                {"a[0:6:1]", {0, 6, 1}, "[2, 2, 2, 2, 2, 2]"},
                                {"a[:2]", {{}, 2, {}}, "[2, 2]"},
                                {"a[-2:]", {-2, {}, {}}, "[2, 2]"},
                                {"a[3:4]", {3, 4, {}}, "[2]"}};
  for (const Case& one : cases) {
    did(std::string("read ") + one.name +
        " while another process, whenever it had the lock, wrote the same number to all elements: "
        "1 and then 2 the first time, 3 and then 4 the second time");
    const LockedElements elements(Rival::kLength, sizeof(int));
    const Rival rival(elements);
    const Bytes slice = elements.get_slice(one.slice);
    expect_once(rival);
    expect_eq("the slice", in_python(ints(slice)), one.expected);
  }
}

TEST(Array, SliceIsWrittenAtOneMoment) {
  lesson("One moment");
  struct Case {
    const char* name;
    Slice slice;
    std::vector<int> values;
    const char* expected;
  };
  const std::vector<Case> cases{
      {"a[1:5] = [70, 71, 72, 73]", {1, 5, {}}, {70, 71, 72, 73}, "[2, 70, 71, 72, 73, 2]"},
      {"a[::-3] = [70, 71]", {{}, {}, -3}, {70, 71}, "[2, 2, 71, 2, 2, 70]"},
      {"a[3:4] = [70]", {3, 4, {}}, {70}, "[2, 2, 2, 70, 2, 2]"}};
  for (const Case& one : cases) {
    did(std::string("wrote ") + one.name +
        " while another process held the lock and wrote 1 and then 2 to all");
    const LockedElements elements(Rival::kLength, sizeof(int));
    const Rival rival(elements);
    elements.set_slice(one.slice, std::as_bytes(std::span(one.values)));
    if (expect_once(rival)) {
      expect_eq("what the other process finds when it gets the lock again", rival.seen(),
                one.expected);
    }
  }
}

TEST(Array, HolderKeepsOthersOut) {
  lesson("Two that write at once");
  did("held the lock of an array, and read and wrote there, while another process waited for it to "
      "write -1 to all elements");
  const Array<int> array(Rival::kLength);
  const Gate ready;
  array.get_lock().acquire();
  const Kid kid(
      [&] {
        Faults faults;
        faults.before("futex", [&ready](const Call& /*call*/) { ready.open(); });
        array.assign({}, {-1, -1, -1, -1, -1, -1});
        ready.open();  // if it has not waited, it has written by now
        return 0;
      },
      kPatient);
  ready.pass();
  for (int i = 0; i < 6; ++i) {
    array[i] = 10 + i;
  }
  const std::string held = in_python(array);
  array.get_lock().release();
  kid.wait_for_end();
  expect_eq("the array while the lock was held", held, "[10, 11, 12, 13, 14, 15]");
  expect_eq("the array in the end", in_python(array), "[-1, -1, -1, -1, -1, -1]");
}

TEST(Array, IncrementsUnderTheLock) {
  lesson("Two that write at once");
  did("had four processes add 1 to an element 2000 times each, with get_lock() around it");
  constexpr int kTimes = 2000;
  const Array<int> array(3);
  std::vector<std::unique_ptr<Kid>> kids;
  for (int i = 0; i < 4; ++i) {
    kids.push_back(std::make_unique<Kid>(
        [&array] {
          for (int n = 0; n < kTimes; ++n) {
            const std::lock_guard guard(array.get_lock());
            array[1] += 1;
          }
          return 0;
        },
        kPatient));
  }
  for (const auto& kid : kids) {
    kid->wait_for_end();
    expect_eq("a child's exit code", kid->take(), std::optional(0));
  }
  expect_eq("the elements", in_python(array), "[0, 8000, 0]");
}

TEST(Array, SnapshotsBesideAWriter) {
  lesson("One moment");
  did("took snapshots while another process wrote the same number to all 256 elements, and then "
      "the next number, and so on");
  const Array<int> array(256);
  const Shared<std::atomic<bool>> over;
  const Kid kid(
      [&] {
        for (int number = 0; !*over; ++number) {
          array.assign({}, std::vector<int>(256, number));
        }
        return 0;
      },
      kPatient);
  const auto deadline = Deadline::after(std::chrono::milliseconds(150));
  std::size_t torn = 0;
  std::string example;
  do {
    const std::vector<int> snapshot = array.snapshot();
    if (std::ranges::count(snapshot, snapshot.front()) != 256) {
      ++torn;
      example = std::to_string(snapshot.front()) + " at the front and " +
                std::to_string(snapshot.back()) + " at the back";
    }
  } while (deadline.remaining() > std::chrono::nanoseconds::zero());
  *over = true;
  kid.wait_for_end();
  expect(torn == 0, "one number in each snapshot",
         std::to_string(torn) + " snapshots with several, such as " + example);
}

// ---- what is made of it

TEST(Array, Values) {
  lesson("A lock beside the data");
  did("made values, and had a child change one of them");
  const Value<int> zero;
  expect_eq("a new one", int(zero.value()), 0);
  const Value<double> value(2.5);
  const Kid kid(
      [&value] {
        const std::lock_guard guard(value.get_lock());
        value.value() += 1;
        return 0;
      },
      kPatient);
  kid.wait_for_end();
  expect_eq("2.5 after the child has added 1", double(value.value()), 3.5);
  expect_free(value.get_lock());
}

TEST(Array, ArraysOfCharacters) {
  lesson("Text in an array");
  did("made an array of 6 characters, and put texts there");
  const Array<char> array(6);
  expect_eq("value() of a new one", array.value(), "");
  array.set_value("hello");
  expect_eq("value()", array.value(), "hello");
  array.set_value("ab");
  expect_eq("value() after a shorter one", array.value(), "ab");
  expect(array.raw() == std::string("ab\0lo\0", 6), "raw() to show what is behind the NUL as well",
         words(array.raw()));
  expect_throw<ValueError>("ValueError", [&array] { array.set_value("seven!!"); });
  expect_eq("value() after one that was too long", array.value(), "ab");
  expect_free(array.get_lock());
}

TEST(Array, TypesKnownOnlyWhenItRuns) {
  lesson("A letter for a type");
  did("made an array with make_array('h', 4)");
  const AnyArray array = make_array('h', 4);
  expect_eq("how many elements it has", array.size(), std::size_t{4});
  array.set(1, std::int64_t{-5});
  array.set(-1, std::int64_t{32768});
  const auto get = [&array](std::ptrdiff_t index) {
    return std::get<std::int64_t>(array.get(index));
  };
  expect_eq("a[0]", get(0), 0);
  expect_eq("a[1] after a[1] = -5", get(1), -5);
  expect_eq("a[3] after a[-1] = 32768, which is too large for it,", get(3), -32768);
  expect_throw<IndexError>("IndexError", [&array] { (void)array.get(4); });
  expect_throw<IndexError>("IndexError", [&array] { array.set(-5, std::int64_t{1}); });
  expect_throw<ValueError>("ValueError", [&array] { array.set(0, 0.5); });
  expect_free(array.get_lock());
  did("made arrays of an unknown type and of a negative length");
  expect_throw<ValueError>("ValueError", [] { (void)make_array('z', 4); });
  expect_throw<ValueError>("ValueError", [] { (void)make_array('h', -4); });
}

}  // namespace
}  // namespace mp::test
