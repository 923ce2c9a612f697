// A static object whose constructor throws: the module cannot even be loaded.
// Exercise: 00-syscalls/raw_syscall
// Sentence: SIGABRT
#include <stdexcept>

#include "00-syscalls/raw_syscall.hpp"

namespace mp {

namespace {
struct Table {
  Table() { throw std::runtime_error("no table today"); }
};
const Table table;
}  // namespace

pid_t raw_getpid() {
  return 0;
}

ssize_t raw_write(int /*fd*/, const void* /*data*/, std::size_t /*size*/) {
  return 0;
}

}  // namespace mp
