// Wrong: volatile makes the compiler read and write the memory each time. Others still come in
// between.
#include <cstdio>

#include "01-process/process.hpp"
#include "03-array/shared_region.hpp"

int main() {
  const mp::SharedRegion region = mp::SharedRegion::anonymous(sizeof(int));
  auto* const counter = reinterpret_cast<volatile int*>(region.data());
  const auto count = [counter] {
    for (int i = 0; i < 5'000'000; ++i) {
      *counter = *counter + 1;
    }
  };
  mp::Process p1(count);
  mp::Process p2(count);
  p1.start();
  p2.start();
  p1.join();
  p2.join();
  std::printf("10000000 increments were made, and %d are there\n", *counter);
}
