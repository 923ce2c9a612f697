// Wrong: two processes that send to each other, and receive afterwards. It works with messages that
// are small enough.
#include <cstdio>
#include <string>
#include <utility>

#include "01-process/process.hpp"
#include "02-pipe/pipe.hpp"

namespace {

void exchange(mp::Connection& conn, std::size_t size) {
  conn.send(std::string(size, 'x'));
  conn.recv<std::string>();
}

void both_exchange(std::size_t size) {
  auto [conn1, conn2] = mp::Pipe();
  mp::Process child([size](mp::Connection& conn) { exchange(conn, size); }, std::move(conn2));
  child.start();
  exchange(conn1, size);
  child.join();
  std::printf("%zu bytes each way: done\n", size);
  std::fflush(stdout);
}

}  // namespace

int main() {
  both_exchange(1000);
  both_exchange(1'000'000);
}
