// Two processes that share nothing: what one sends, the other prints.
#include <cstdio>
#include <string>
#include <utility>

#include "01-process/process.hpp"
#include "02-pipe/pipe.hpp"

namespace {

void say(mp::Connection& conn) {
  conn.send(std::string("PolarSnow"));
}

void print(mp::Connection& conn) {
  std::puts(conn.recv<std::string>().c_str());
}

}  // namespace

int main() {
  auto [conn1, conn2] = mp::Pipe();
  mp::Process p1(say, std::move(conn1));
  mp::Process p2(print, std::move(conn2));
  p1.start();
  p2.start();
  p1.join();
  p2.join();
}
