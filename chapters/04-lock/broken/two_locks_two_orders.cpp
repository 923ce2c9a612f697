// Wrong: two processes take the same two locks, in different orders.
#include <cstdio>

#include "01-process/process.hpp"
#include "02-pipe/pipe.hpp"
#include "04-lock/lock.hpp"

namespace {

void take_both(mp::Lock& first, mp::Lock& second, mp::Connection& other) {
  first.acquire();
  other.send(0);
  other.recv<int>();  // now each of them has one
  second.acquire();
  std::printf("never printed\n");
}

}  // namespace

int main() {
  mp::Lock a;
  mp::Lock b;
  auto [conn1, conn2] = mp::Pipe();
  mp::Process p1([&, conn = std::move(conn1)]() mutable { take_both(a, b, conn); });
  mp::Process p2([&, conn = std::move(conn2)]() mutable { take_both(b, a, conn); });
  p1.start();
  p2.start();
  p1.join();
  p2.join();
}
