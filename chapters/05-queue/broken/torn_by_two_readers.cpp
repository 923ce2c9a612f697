// Wrong: two processes receive on one end without a lock. One of them has read how long the message
// is, and the other one takes the message's bytes for the next length.
#include <array>
#include <cstdio>
#include <exception>

#include "01-process/process.hpp"
#include "02-pipe/full_io.hpp"
#include "02-pipe/pipe.hpp"

int main() {
  auto [reader, writer] = mp::Pipe(false);
  writer.send_bytes(mp::bytes_of("PolarSnow"));

  std::array<std::byte, 4> length{};  // where recv_bytes() is when it is interrupted
  mp::read_exactly(reader.fileno(), length);
  mp::Process other([&reader = reader] {
    try {
      std::printf("the other one got: %.*s\n", 9,
                  reinterpret_cast<const char*>(reader.recv_bytes().data()));
    } catch (const std::exception& error) {
      std::printf("the other one: %s\n", error.what());
    }
  });
  other.start();
  other.join();
}
