// The process in which one test runs. It takes the judge's secret, and wipes every trace of it,
// before the module, and with it the student's code, is loaded.
//
//   host MODULE Suite.Name    secret on descriptor 3, records to descriptor 4
//   host --list MODULE        the names of the module's tests on stdout
#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

#include "judge/protocol.hpp"
#include "support/seal.hpp"

namespace {

using namespace mp::judge;

int fail(const char* what) {
  std::fprintf(stderr, "host: %s\n", what);
  return kHostFailed;
}

bool load(const char* module) {
  if (dlopen(module, RTLD_NOW | RTLD_LOCAL) == nullptr) {
    std::fprintf(stderr, "host: %s\n", dlerror());
    return false;
  }
  return true;
}

int list(const char* module) {
  if (!load(module)) {
    return kHostFailed;
  }
  mp::test::seal::list_tests();
  std::fflush(stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    return fail("usage: host MODULE Suite.Name | host --list MODULE");
  }
  if (std::string(argv[1]) == "--list") {
    return list(argv[2]);
  }
  std::array<char, kSecretLength> secret{};
  std::size_t have = 0;
  while (have < secret.size()) {
    const ssize_t got = read(kSecretFd, secret.data() + have, secret.size() - have);
    if (got <= 0) {
      return fail("no secret to be read");
    }
    have += static_cast<std::size_t>(got);
  }
  // High up, so that descriptor numbers in the tests are the small ones that one expects.
  const int channel = fcntl(kChannelFd, F_DUPFD_CLOEXEC, kChannelHome);
  if (channel == -1 || close(kSecretFd) == -1 || close(kChannelFd) == -1) {
    return fail("cannot arrange the descriptors");
  }
  mp::test::seal::take_secret({secret.data(), secret.size()}, channel);
  explicit_bzero(secret.data(), secret.size());
  const std::string test = argv[2];
  if (!load(argv[1])) {
    return kHostFailed;
  }
  mp::test::seal::run_test(test);
}
