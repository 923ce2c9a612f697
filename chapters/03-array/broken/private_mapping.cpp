// Wrong: the mapping is private. After fork, each process writes to a page of its own.
#include <sys/mman.h>

#include <cstdio>

#include "00-syscalls/check.hpp"
#include "01-process/process.hpp"

int main() {
  void* const memory =
      mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    mp::throw_errno("mmap");
  }
  int* const number = static_cast<int*>(memory);
  mp::Process p([number] {
    *number = 42;
    std::printf("child:  %d\n", *number);
  });
  p.start();
  p.join();
  std::printf("parent: %d\n", *number);
}
