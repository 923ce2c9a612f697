#include "02-pipe/pipe.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "00-syscalls/check.hpp"

namespace mp {

std::pair<Connection, Connection> Pipe(bool duplex) {
  std::array<int, 2> ends{};
  check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
  UniqueFd first(ends[0]);
  UniqueFd second(ends[1]);
  if (!duplex) {
    check(shutdown(first.get(), SHUT_WR), "shutdown(SHUT_WR)");  // the other end's SHUT_RD, too
  }
  return {Connection(std::move(first), true, duplex), Connection(std::move(second), duplex, true)};
}

void close_others(std::initializer_list<const Connection*> kept) {
  for (const Connection* const connection : kept) {
    (void)connection->fileno();  // throws before anything is closed
  }
  TrackedFd::for_each([&](TrackedFd& fd) {
    const auto is_it = [&](const Connection* other) { return other->fileno() == fd.get(); };
    if (std::none_of(kept.begin(), kept.end(), is_it)) {
      fd.reset();
    }
  });
}

}  // namespace mp
