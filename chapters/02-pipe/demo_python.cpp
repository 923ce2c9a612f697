// A C++ process and a Python process compute together over one connection. Python has whole numbers
// of any size; this side has the sum of their digits.
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "00-syscalls/check.hpp"
#include "01-process/process.hpp"
#include "02-pipe/pipe.hpp"

namespace {

constexpr const char* kPython = R"(
import sys
from multiprocessing.connection import Connection

conn = Connection(int(sys.argv[1]))
try:
    while True:
        exponent = int(conn.recv_bytes())
        conn.send_bytes(str(2 ** exponent).encode())
except EOFError:
    pass
)";

// Becomes a Python process that has the connection as a descriptor, and nothing else of ours.
void become_python(mp::Connection& conn) {
  mp::set_inheritable(conn.fileno(), true);
  const std::string fd = std::to_string(conn.fileno());
  execlp("python3", "python3", "-c", kPython, fd.c_str(), nullptr);
  mp::throw_errno("execlp python3");
}

int sum_of_digits(std::string_view digits) {
  int sum = 0;
  for (const char digit : digits) {
    sum += digit - '0';
  }
  return sum;
}

}  // namespace

int main() {
  auto [ours, theirs] = mp::Pipe();
  mp::Process python(become_python, std::move(theirs));
  python.start();
  for (const char* exponent : {"10", "64", "1000", "14"}) {
    ours.send_bytes(mp::bytes_of(exponent));
    const mp::Bytes answer = ours.recv_bytes();
    std::printf("2^%s has %zu digits, and their sum is %d\n", exponent, answer.size(),
                sum_of_digits(mp::text_of(answer)));
  }
  ours.close();  // Python's loop ends with EOFError
  python.join();
  std::printf("python: exit code %d\n", python.exitcode().value());
}
