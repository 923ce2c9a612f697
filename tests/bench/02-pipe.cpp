// Messages between two processes. A name is "workload/variant"; the first variant of a workload is
// the one that the others are compared with: frames as CPython's over a bare socket pair.
//
// Where the processes run decides more than what they run, so it is not left to the scheduler: both
// are on one processor, or each is on its own.

#include <benchmark/benchmark.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "00-syscalls/check.hpp"
#include "02-pipe/pipe.hpp"
#include "bench/processors.hpp"

namespace {

using mp::bench::run_on;

constexpr std::size_t kKibibyte = 1024;
constexpr std::size_t kMebibyte = kKibibyte * kKibibyte;

/// A child that runs a function, for the length of a scope. The function must come to an end when
/// this side's descriptors are closed.
class Peer {
 public:
  Peer(int processor, const std::function<void()>& body) : pid_(mp::check(fork(), "fork")) {
    if (pid_ == 0) {
      int code = 0;
      try {
        run_on(processor);
        body();
      } catch (const mp::EOFError&) {  // how every benchmark ends
      } catch (...) {
        code = 1;
      }
      _exit(code);
    }
  }
  ~Peer() {
    mp::retry([this] { return waitpid(pid_, nullptr, 0); });
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

 private:
  pid_t pid_;
};

// ---- The bare variants: two descriptors, or one used twice; no objects, no checks of lengths

void read_fully(int fd, void* data, std::size_t size) {
  auto* at = static_cast<std::byte*>(data);
  while (size > 0) {
    const auto count = static_cast<std::size_t>(mp::check(read(fd, at, size), "read"));
    if (count == 0) {
      throw mp::EOFError();
    }
    at += count;
    size -= count;
  }
}

/// Bytes from and to a peer. `message` is where what is received goes, and what is sent.
struct Bare {
  int in;
  int out;
  std::vector<std::byte> message;

  void send() {
    std::uint32_t header = __builtin_bswap32(static_cast<std::uint32_t>(message.size()));
    std::array<iovec, 2> parts{iovec{&header, sizeof header},
                               iovec{message.data(), message.size()}};
    auto count = static_cast<std::size_t>(mp::check(writev(out, parts.data(), 2), "writev"));
    for (count -= sizeof header; count < message.size();) {
      count += static_cast<std::size_t>(
          mp::check(write(out, message.data() + count, message.size() - count), "write"));
    }
  }
  void receive() {
    std::uint32_t header = 0;
    read_fully(in, &header, sizeof header);
    read_fully(in, message.data(), __builtin_bswap32(header));
  }
};

/// The two ends of what a bare variant uses. Each side closes the other one's.
struct Wires {
  std::array<int, 4> fds{-1, -1, -1, -1};  // ours: in, out; theirs: in, out

  static Wires of_socketpair() {
    std::array<int, 2> ends{};
    mp::check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), "socketpair");
    return {{ends[0], ends[0], ends[1], ends[1]}};
  }
  static Wires of_pipes() {
    std::array<int, 2> there{};
    std::array<int, 2> back{};
    mp::check(pipe(there.data()), "pipe");
    mp::check(pipe(back.data()), "pipe");
    return {{back[0], there[1], there[0], back[1]}};
  }
  [[nodiscard]] Bare ours(std::size_t size) const { return {fds[0], fds[1], buffer(size)}; }
  [[nodiscard]] Bare theirs(std::size_t size) const { return {fds[2], fds[3], buffer(size)}; }
  void close_ours() const { close_two(fds[0], fds[1]); }
  void close_theirs() const { close_two(fds[2], fds[3]); }

 private:
  static std::vector<std::byte> buffer(std::size_t size) {
    return std::vector<std::byte>(size, std::byte{1});
  }
  static void close_two(int a, int b) {
    close(a);
    if (b != a) {
      close(b);
    }
  }
};

/// What a benchmark needs of a variant.
struct Ends {
  std::function<void()> send;
  std::function<void()> receive;
};

// ---- The two workloads, for any variant

/// Sends a message and waits until it has come back.
void round_trips(benchmark::State& state, const Ends& ours) {
  for (auto _ : state) {
    ours.send();
    ours.receive();
  }
}

void echo(const Ends& theirs) {
  for (;;) {
    theirs.receive();
    theirs.send();
  }
}

/// Sends messages, and waits for one that says that all of them have come.
void one_way(benchmark::State& state, const Ends& ours, int batch) {
  for (auto _ : state) {
    for (int i = 0; i < batch; ++i) {
      ours.send();
    }
    ours.receive();
  }
}

void drain(const Ends& theirs, int batch) {
  for (;;) {
    for (int i = 0; i < batch; ++i) {
      theirs.receive();
    }
    theirs.send();
  }
}

/// What is measured.
struct Load {
  std::size_t size;  ///< of a message, in bytes
  int batch;         ///< how many messages go one way before one comes back; 0 for round trips
  int processor;     ///< the peer's: 0 is this process's own, 1 another one
};

/// @param batch  as in Load.
void run(benchmark::State& state, const Ends& ours, int batch) {
  batch == 0 ? round_trips(state, ours) : one_way(state, ours, batch);
}

void serve(const Ends& theirs, int batch) {
  batch == 0 ? echo(theirs) : drain(theirs, batch);
}

// ---- The variants

void bare(benchmark::State& state, Wires (*make)(), Load load) {
  run_on(0);
  const Wires wires = make();
  const Peer peer(load.processor, [&] {
    wires.close_ours();
    Bare end = wires.theirs(load.size);
    serve({[&] { end.send(); }, [&] { end.receive(); }}, load.batch);
  });
  wires.close_theirs();
  Bare end = wires.ours(load.size);
  run(state, {[&] { end.send(); }, [&] { end.receive(); }}, load.batch);
  wires.close_ours();
}

Ends ends_of(mp::Connection& connection, mp::Bytes& message, bool into) {
  return {[&] { connection.send_bytes(message); },
          [&, into] {
            if (into) {
              connection.recv_bytes_into(message);
            } else {
              benchmark::DoNotOptimize(connection.recv_bytes());
            }
          }};
}

void connection(benchmark::State& state, bool into, Load load) {
  run_on(0);
  auto ends = mp::Pipe();
  const std::vector<std::byte> content(load.size, std::byte{1});
  mp::Bytes message{std::span(content)};
  const Peer peer(load.processor, [&] {
    mp::keep_only(ends.second);
    serve(ends_of(ends.second, message, into), load.batch);
  });
  ends.second.close();
  run(state, ends_of(ends.first, message, into), load.batch);
  ends.first.close();
}

void add(const std::string& workload, Load load, int iterations) {
  const auto with = [&](const char* variant, auto function, auto how) {
    benchmark::RegisterBenchmark((workload + "/" + variant).c_str(), function, how, load)
        ->UseRealTime()
        ->Iterations(iterations)
        ->Repetitions(5);
  };
  with("bare socket pair, framed", bare, &Wires::of_socketpair);
  with("bare pipes, framed", bare, &Wires::of_pipes);
  with("`mp::Connection`, `recv_bytes`", connection, false);
  with("`mp::Connection`, `recv_bytes_into`", connection, true);
}

}  // namespace

int main(int argc, char** argv) {
  add("round trip, 8 B, one CPU", {8, 0, 0}, 800);
  add("round trip, 8 B, two CPUs", {8, 0, 1}, 400);
  add("round trip, 1 KiB, one CPU", {kKibibyte, 0, 0}, 800);
  add("round trip, 1 KiB, two CPUs", {kKibibyte, 0, 1}, 400);
  add("64 times 1 KiB one way, two CPUs", {kKibibyte, 64, 1}, 60);
  add("16 times 1 MiB one way, two CPUs", {kMebibyte, 16, 1}, 4);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
