// Wrong: the memory came from somebody else, and nobody asked whether he can take it away again.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>

#include "00-syscalls/check.hpp"
#include "01-process/process.hpp"
#include "01-process/signals.hpp"
#include "02-pipe/pipe.hpp"

int main() {
  const int fd = mp::check(memfd_create("somebody's", MFD_CLOEXEC), "memfd_create");
  mp::check(ftruncate(fd, 4096), "ftruncate");
  auto [tell, hear] = mp::Pipe();

  mp::Process reader([fd, conn = std::move(hear)]() mutable {
    void* const memory = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
      mp::throw_errno("mmap");
    }
    const auto* const number = static_cast<const int*>(memory);
    std::printf("reader: %d\n", *number);
    std::fflush(stdout);
    conn.send(0);
    conn.recv<int>();  // meanwhile the owner makes the file shorter
    std::printf("reader: %d\n", *number);
  });
  reader.start();
  tell.recv<int>();
  mp::check(ftruncate(fd, 0), "ftruncate");
  tell.send(0);
  reader.join();
  std::printf("owner:  the reader's exit code is %d (-7 is SIGBUS)\n", reader.exitcode().value());
  close(fd);
}
