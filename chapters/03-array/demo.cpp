// Five processes and one array: what each of them writes, the next one sees.
#include <cstdio>

#include "01-process/process.hpp"
#include "03-array/array.hpp"

int main() {
  const mp::Array<int> ar(5);
  for (int i = 0; i < 5; ++i) {
    mp::Process p([&ar, i] {
      ar[i] = i;
      std::printf("---> %d:", i);
      for (const int item : ar) {
        std::printf(" %d", item);
      }
      std::printf("\n");
    });
    p.start();
    p.join();
  }
}
