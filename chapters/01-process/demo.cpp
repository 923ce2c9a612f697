// Five processes change and print "their" number. The number of the parent stays as it was.
#include <cstdio>

#include "01-process/process.hpp"

int main() {
  int number = 100;
  for (int i = 1; i <= 5; ++i) {
    mp::Process process([&number, i] {
      number += i;
      const void* const address = &number;
      std::printf("%s: %d at %p\n", mp::current_process().name.c_str(), number, address);
    });
    process.start();
    process.join();
  }
  const void* const address = &number;
  std::printf("%s: %d at %p\n", mp::current_process().name.c_str(), number, address);
}
