// Wrong: a pointer lies in shared memory. What it points to does not.
#include <cstdio>
#include <string>

#include "01-process/process.hpp"
#include "03-array/shared_region.hpp"

int main() {
  const mp::SharedRegion region = mp::SharedRegion::anonymous(sizeof(std::string*));
  auto** const shared = reinterpret_cast<std::string**>(region.data());

  mp::Process writer([shared] {
    *shared = new std::string(1'000'000, 'x');
    std::printf("writer: %zu characters at %p\n", (*shared)->size(), (*shared)->data());
  });
  writer.start();
  writer.join();

  mp::Process reader([shared] {
    std::printf("reader: looks there\n");
    std::fflush(stdout);
    std::printf("reader: the first one is %c\n", (*shared)->front());
  });
  reader.start();
  reader.join();
  std::printf("parent: the reader's exit code is %d\n", reader.exitcode().value());
}
