// An array in C++ that a Python process reads and writes.
#include <unistd.h>

#include <cstdio>
#include <string>

#include "00-syscalls/check.hpp"
#include "01-process/process.hpp"
#include "02-pipe/pipe.hpp"
#include "02-pipe/unique_fd.hpp"
#include "03-array/attach.hpp"

namespace {

constexpr const char* kPython = R"(
import mmap, struct, sys
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle

conn = Connection(int(sys.argv[1]))
typecode, length = struct.unpack('>cQ', conn.recv_bytes())
fd = recv_handle(conn)
memory = mmap.mmap(fd, 0)
array = memoryview(memory).cast(typecode.decode())[:length]
print('python: sees', array.tolist(), flush=True)
for i in range(length):
    array[i] *= array[i]
conn.send_bytes(b'done')
)";

// Becomes a Python process that has the connection as a descriptor, and nothing else of ours.
void become_python(mp::Connection& conn) {
  mp::set_inheritable(conn.fileno(), true);
  const std::string fd = std::to_string(conn.fileno());
  execlp("python3", "python3", "-c", kPython, fd.c_str(), nullptr);
  mp::throw_errno("execlp python3");
}

}  // namespace

int main() {
  auto [ours, theirs] = mp::Pipe();
  mp::Process python(become_python, std::move(theirs));
  python.start();

  const auto array = mp::sendable_array<int>(5);  // made after the fork: the child has no copy
  for (int i = 0; i < 5; ++i) {
    array[i] = i + 1;
  }
  mp::send_array(ours, array);
  ours.recv_bytes();
  std::printf("c++:    sees");
  for (const int item : array) {
    std::printf(" %d", item);
  }
  std::printf("\n");
  python.join();
}
