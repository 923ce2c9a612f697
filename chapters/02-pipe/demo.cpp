// Two processes that share nothing: what one sends, the other prints.
#include <cstdio>
#include <string>
#include <utility>

#include "01-process/process.hpp"
#include "02-pipe/pipe.hpp"

int main() {
  auto [conn1, conn2] = mp::Pipe();
  mp::Process sender([](mp::Connection& conn) { conn.send(std::string("PolarSnow")); },
                     std::move(conn1));
  mp::Process receiver([](mp::Connection& conn) { std::puts(conn.recv<std::string>().c_str()); },
                       std::move(conn2));
  sender.start();
  receiver.start();
  sender.join();
  receiver.join();
}
