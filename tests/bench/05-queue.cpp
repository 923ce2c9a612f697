// Items from some processes to others. A name is "workload/variant"; the first variant of a
// workload is the one that the others are compared with: a bare pipe.
//
// Where the processes run changes the result tenfold, so each placement is a workload of its own.

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <mqueue.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/interprocess/ipc/message_queue.hpp>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "00-syscalls/check.hpp"
#include "02-pipe/unique_fd.hpp"
#include "03-array/shared_region.hpp"
#include "05-queue/blocking_queue.hpp"
#include "05-queue/fast_ring.hpp"
#include "05-queue/queue.hpp"
#include "05-queue/simple_queue.hpp"
#include "bench/at_once.hpp"

namespace {

using mp::Deadline;
using mp::bench::Placement;
using Item = std::span<std::byte>;

/// A name that nobody else has at this moment.
std::string unique_name(const std::string& stem) {
  static int number = 0;
  return stem + std::to_string(getpid()) + "_" + std::to_string(number++);
}

// ---- The variants: made for items of one size, and a capacity

class BarePipe {
 public:
  BarePipe(std::size_t /*size*/, int /*capacity*/) {
    std::array<int, 2> ends{};
    mp::check(pipe(ends.data()), "pipe");
    reader_ = mp::UniqueFd(ends[0]);
    writer_ = mp::UniqueFd(ends[1]);
  }
  void put(Item item) const { mp::check(write(writer_.get(), item.data(), item.size()), "write"); }
  void get(Item item) const {
    while (!item.empty()) {  // what is larger than 4 KiB may come in pieces
      const auto size = mp::check(read(reader_.get(), item.data(), item.size()), "read");
      item = item.subspan(static_cast<std::size_t>(size));
    }
  }

 private:
  mp::UniqueFd reader_;
  mp::UniqueFd writer_;
};

/// The book's queues of bytes.
template <class Queue>
class Ours {
 public:
  Ours(std::size_t size, int capacity)
      : queue_(capacity, static_cast<std::size_t>(capacity) * mp::Ring::bytes_for(size)) {}
  void put(Item item) { queue_.put_until(item, Deadline::never()); }
  void get(Item item) {
    const auto bytes = queue_.get_until(Deadline::never());
    std::memcpy(item.data(), bytes->data(), item.size());
  }

 private:
  Queue queue_;
};

/// The typed one, of numbers.
class Numbers {
 public:
  Numbers(std::size_t /*size*/, int capacity) : queue_(capacity) {}
  void put(Item item) {
    int value = 0;
    std::memcpy(&value, item.data(), sizeof value);
    queue_.put(value);
  }
  void get(Item item) {
    const int value = queue_.get();
    std::memcpy(item.data(), &value, sizeof value);
  }

 private:
  mp::Queue<int> queue_;
};

/// The typed one, of bytes.
class Blocks {
 public:
  Blocks(std::size_t size, int capacity)
      : block_(size),
        queue_(capacity, static_cast<std::size_t>(capacity) *
                             mp::Ring::bytes_for(mp::dumps(block_).size())) {}
  void put(Item item) {
    std::copy(item.begin(), item.end(), block_.begin());
    queue_.put(block_);
  }
  void get(Item item) {
    const std::vector<std::byte> block = queue_.get();
    std::copy(block.begin(), block.end(), item.begin());
  }

 private:
  std::vector<std::byte> block_;
  mp::Queue<std::vector<std::byte>> queue_;
};

class Simple {
 public:
  Simple(std::size_t /*size*/, int /*capacity*/) {}
  void put(Item item) { pipe_.put_bytes(item); }
  void get(Item item) {
    const mp::Bytes bytes = pipe_.get_bytes();
    std::memcpy(item.data(), bytes.data(), item.size());
  }

 private:
  mp::LockedPipe pipe_;
};

class Fast {
 public:
  Fast(std::size_t size, int capacity)
      : region_(mp::SharedRegion::anonymous(sizeof(mp::FastRing::State) +
                                            size * static_cast<std::size_t>(capacity))),
        ring_(*new (region_.data()) mp::FastRing::State,
              {region_.data() + sizeof(mp::FastRing::State),
               size * static_cast<std::size_t>(capacity)},
              size) {}
  void put(Item item) { ring_.put_until(item, Deadline::never()); }
  void get(Item item) { ring_.get_until(item, Deadline::never()); }

 private:
  mp::SharedRegion region_;
  mp::FastRing ring_;
};

/// Nothing but two indices, and whoever waits burns its processor.
class Spinning {
 public:
  Spinning(std::size_t size, int capacity)
      : size_(size),
        capacity_(static_cast<std::uint64_t>(capacity)),
        region_(mp::SharedRegion::anonymous(sizeof(State) + size * capacity_)),
        state_(new (region_.data()) State),
        memory_(region_.data() + sizeof(State)) {}
  void put(Item item) {
    while (mine_ - other_ == capacity_) {
      other_ = state_->head.load(std::memory_order_acquire);
    }
    std::memcpy(memory_ + slot_ * size_, item.data(), size_);
    state_->tail.store(++mine_, std::memory_order_release);
    step();
  }
  void get(Item item) {
    while (mine_ == other_) {
      other_ = state_->tail.load(std::memory_order_acquire);
    }
    std::memcpy(item.data(), memory_ + slot_ * size_, size_);
    state_->head.store(++mine_, std::memory_order_release);
    step();
  }

 private:
  struct State {
    alignas(128) std::atomic<std::uint64_t> tail{0};
    alignas(128) std::atomic<std::uint64_t> head{0};
  };
  void step() { slot_ = slot_ + 1 == capacity_ ? 0 : slot_ + 1; }

  std::size_t size_;
  std::uint64_t capacity_;
  mp::SharedRegion region_;
  State* state_;
  std::byte* memory_;
  std::uint64_t mine_ = 0;   // of this process, after fork
  std::uint64_t other_ = 0;  // as seen last
  std::uint64_t slot_ = 0;
};

class PosixMq {
 public:
  /// A user who is not root may have no more.
  static constexpr int kMost = 10;

  PosixMq(std::size_t size, int capacity) {
    const std::string name = unique_name("/sharing_nothing_");
    mq_attr attributes{};
    attributes.mq_maxmsg = std::min(capacity, kMost);
    attributes.mq_msgsize = static_cast<long>(size);
    queue_ =
        mp::check(mq_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600, &attributes), "mq_open");
    mp::check(mq_unlink(name.c_str()), "mq_unlink");
  }
  ~PosixMq() { mq_close(queue_); }
  PosixMq(const PosixMq&) = delete;
  PosixMq& operator=(const PosixMq&) = delete;
  void put(Item item) const {
    mp::check(mq_send(queue_, reinterpret_cast<const char*>(item.data()), item.size(), 0),
              "mq_send");
  }
  void get(Item item) const {
    mp::check(mq_receive(queue_, reinterpret_cast<char*>(item.data()), item.size(), nullptr),
              "mq_receive");
  }

 private:
  mqd_t queue_;
};

class Boost {
 public:
  Boost(std::size_t size, int capacity) {
    const std::string name = unique_name("sharing_nothing_");
    queue_ = std::make_unique<Queue>(boost::interprocess::create_only, name.c_str(),
                                     static_cast<std::size_t>(capacity), size);
    Queue::remove(name.c_str());  // it stays mapped
  }
  void put(Item item) { queue_->send(item.data(), item.size(), 0); }
  void get(Item item) {
    Queue::size_type size = 0;
    unsigned priority = 0;
    queue_->receive(item.data(), item.size(), size, priority);
  }

 private:
  using Queue = boost::interprocess::message_queue;
  std::unique_ptr<Queue> queue_;
};

// ---- The workloads

struct Load {
  std::size_t size;  ///< of an item, in bytes
  int capacity;
  int each;  ///< how many put, and how many get
  Placement placement;
};

/// Half of the processes put, the others get.
template <class Queue>
void flow(benchmark::State& state, Load load, int items) {
  auto queue = std::make_unique<Queue>(load.size, load.capacity);
  mp::bench::at_once(
      state, 2 * load.each, items,
      [&](int number) {
        std::vector<std::byte> item(load.size, std::byte{1});
        for (int i = 0; i < items / load.each; ++i) {
          number % 2 == 0 ? queue->put(item) : queue->get(item);
        }
      },
      load.placement);
}

/// One item goes there, and one comes back.
template <class Queue>
void round_trips(benchmark::State& state, Load load, int trips) {
  auto there = std::make_unique<Queue>(load.size, load.capacity);
  auto back = std::make_unique<Queue>(load.size, load.capacity);
  mp::bench::at_once(
      state, 2, trips,
      [&](int number) {
        std::vector<std::byte> item(load.size, std::byte{1});
        for (int i = 0; i < trips; ++i) {
          if (number == 0) {
            there->put(item);
            back->get(item);
          } else {
            there->get(item);
            back->put(item);
          }
        }
      },
      load.placement);
}

template <class Queue>
void add(const std::string& workload, const std::string& variant, Load load, int items,
         bool trips = false) {
  benchmark::RegisterBenchmark((workload + "/" + variant).c_str(),
                               [=](benchmark::State& state) {
                                 trips ? round_trips<Queue>(state, load, items)
                                       : flow<Queue>(state, load, items);
                               })
      ->UseManualTime()
      ->Iterations(1)
      ->Repetitions(3);
}

void add_flow(const std::string& workload, Load load) {
  const int many = load.size > 100 ? 40'000 : 400'000;
  const int few = 20'000;  // for those who make system calls
  add<BarePipe>(workload, "bare pipe", load, few);
  if (load.size == sizeof(int)) {
    add<Numbers>(workload, "`mp::Queue`", load, many);
  } else {
    add<Blocks>(workload, "`mp::Queue`", load, many);
  }
  add<Ours<mp::BlockingQueue>>(workload, "`mp::BlockingQueue`", load, many);
  add<Simple>(workload, "`mp::SimpleQueue`", load, few);
  if (load.each == 1) {
    add<Fast>(workload, "`mp::FastRing`", load, many);
    if (load.placement != Placement::kOne) {  // there it takes minutes
      add<Spinning>(workload, "spinning ring", load, many);
    }
  }
  add<Boost>(workload, "Boost `message_queue`", load, many);
  add<PosixMq>(workload, "POSIX `mq`, 10 at most", load, few);
}

/// For the figure of throughput by size.
void add_size(std::size_t size) {
  const std::string workload = std::to_string(size) + " B, 1 to 1, two CPUs";
  const Load load{size, 64, 1, Placement::kEach};
  const int items = size > 10'000 ? 4'000 : 20'000;
  add<BarePipe>(workload, "bare pipe", load, items);
  add<Blocks>(workload, "`mp::Queue`", load, items);
  add<Boost>(workload, "Boost `message_queue`", load, items);
}

void add_round_trips(const std::string& workload, Load load) {
  constexpr int kTrips = 1'000;
  add<BarePipe>(workload, "bare pipe", load, kTrips, true);
  add<Numbers>(workload, "`mp::Queue`", load, kTrips, true);
  add<Simple>(workload, "`mp::SimpleQueue`", load, kTrips, true);
  add<Fast>(workload, "`mp::FastRing`", load, kTrips, true);
  add<Boost>(workload, "Boost `message_queue`", load, kTrips, true);
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::size_t kKibibyte = 1024;
  add_flow("int, 1 to 1, unpinned", {sizeof(int), 1024, 1, Placement::kUnpinned});
  add_flow("int, 1 to 1, two CPUs", {sizeof(int), 1024, 1, Placement::kEach});
  add_flow("int, 1 to 1, one CPU", {sizeof(int), 1024, 1, Placement::kOne});
  add_flow("int, 1 to 1, capacity 9, unpinned", {sizeof(int), 9, 1, Placement::kUnpinned});
  add_flow("int, 4 to 4, unpinned", {sizeof(int), 1024, 4, Placement::kUnpinned});
  add_flow("1 KiB, 1 to 1, unpinned", {kKibibyte, 1024, 1, Placement::kUnpinned});
  add_flow("1 KiB, 4 to 4, unpinned", {kKibibyte, 1024, 4, Placement::kUnpinned});
  add_round_trips("round trip, unpinned", {sizeof(int), 9, 1, Placement::kUnpinned});
  add_round_trips("round trip, two CPUs", {sizeof(int), 9, 1, Placement::kEach});
  add_round_trips("round trip, one CPU", {sizeof(int), 9, 1, Placement::kOne});
  for (const std::size_t size : {16, 64, 256, 1024, 4096, 16384, 65536}) {
    add_size(size);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
