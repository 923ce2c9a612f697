#include "03-array/shared_region.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "00-syscalls/errors.hpp"
#include "02-pipe/errors.hpp"
#include "02-pipe/pass_fd.hpp"
#include "02-pipe/scene.hpp"
#include "02-pipe/unique_fd.hpp"
#include "support/faults.hpp"
#include "support/kid.hpp"
#include "support/lesson.hpp"

namespace mp::test {
namespace {

constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();

/// In seconds, for a child that waits for the test: nothing that is right is ended by it.
constexpr unsigned kPatient = 10;

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t whole_pages(std::size_t size) {
  return (size + page_size() - 1) / page_size() * page_size();
}

/// The two ways to make a region, and their names.
struct Maker {
  std::string_view name;
  SharedRegion (*make)(std::size_t);
};
constexpr std::array kMakers{Maker{"anonymous", SharedRegion::anonymous},
                             Maker{"with_descriptor", SharedRegion::with_descriptor}};

std::string bytes_in_words(std::size_t size) {
  return std::to_string(size) + (size == 1 ? " byte" : " bytes");
}

/// A line of /proc/self/maps.
struct Mapping {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  bool shared = false;
};

std::vector<Mapping> mappings() {
  std::vector<Mapping> all;
  std::ifstream file("/proc/self/maps");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    Mapping one;
    char dash = 0;
    std::string rights;
    words >> std::hex >> one.begin >> dash >> one.end >> rights;
    one.shared = rights.size() == 4 && rights[3] == 's';
    all.push_back(one);
  }
  return all;
}

/// How many bytes of this process's addresses are mapped and shared with whoever else.
std::size_t shared_bytes() {
  std::size_t sum = 0;
  for (const Mapping& one : mappings()) {
    sum += one.shared ? one.end - one.begin : 0;
  }
  return sum;
}

/// Whether all of these bytes are mapped.
bool is_mapped(const std::byte* data, std::size_t size) {
  auto at = reinterpret_cast<std::uintptr_t>(data);
  const std::uintptr_t end = at + size;
  for (const Mapping& one : mappings()) {  // in the order of addresses
    if (one.begin <= at && at < one.end) {
      at = std::min(one.end, end);
    }
  }
  return at == end;
}

/// What this process has, to be compared with what it has later.
class Belongings {
 public:
  Belongings() : descriptors_(count_descriptors()), mapped_(shared_bytes()) {}

  /// Expects that it has as much as then.
  void expect_unchanged() const {
    expect(count_descriptors() == descriptors_,
           "as many descriptors as before: " + std::to_string(descriptors_),
           std::to_string(count_descriptors()) + " descriptors");
    const std::size_t now = shared_bytes();
    expect(now == mapped_,
           "as much shared memory mapped as before: " + std::to_string(mapped_) + " bytes",
           std::to_string(now) + " bytes");
  }

 private:
  std::size_t descriptors_;
  std::size_t mapped_;
};

std::size_t file_size(int fd) {
  struct stat status {};
  must(fstat(fd, &status), "fstat");
  return static_cast<std::size_t>(status.st_size);
}

/// Whether all bytes of the region can be touched: a test that goes on without would crash.
bool expect_memory(const SharedRegion& region, std::size_t size) {
  return expect_eq("size()", region.size(), size) &&
         expect(is_mapped(region.data(), size), bytes_in_words(size) + " mapped, from data() on",
                "some of them not mapped") &&
         (region.fd() == -1 ||
          expect(file_size(region.fd()) >= size,
                 "as many bytes behind the descriptor: touching what is mapped and not there is "
                 "SIGBUS",
                 std::to_string(file_size(region.fd())) + " bytes"));
}

int byte_at(const SharedRegion& region, std::size_t index) {
  // Another process writes it: not to be read once and remembered.
  return std::to_integer<int>(
      *static_cast<const volatile std::byte*>(region.data() + index));  // NOLINT
}

void put(const SharedRegion& region, std::size_t index, int value) {
  *static_cast<volatile std::byte*>(region.data() + index) = static_cast<std::byte>(value);
}

/// Memory behind a descriptor, made without the code under test.
UniqueFd raw_memory(std::size_t size, int seals) {
  UniqueFd fd(must(memfd_create("shared_region", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create"));
  must(ftruncate(fd.get(), static_cast<off_t>(size)), "ftruncate");
  must(fcntl(fd.get(), F_ADD_SEALS, seals), "fcntl");
  return fd;
}

UniqueFd another(int fd) {
  return UniqueFd(must(fcntl(fd, F_DUPFD_CLOEXEC, 0), "fcntl"));
}

/// A second descriptor of its own for the file behind `fd`, that can do only this.
UniqueFd opened_again(int fd, int flags) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return UniqueFd(must(open(path.c_str(), flags | O_CLOEXEC), "open"));
}

/// A file on the disk with 8192 bytes, and no name any more.
UniqueFd plain_file() {
  const char* const folder = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe): one thread
  std::string path = std::string(folder == nullptr ? "/tmp" : folder) + "/plain.XXXXXX";
  UniqueFd fd(must(mkostemp(path.data(), O_CLOEXEC), "mkostemp"));
  must(unlink(path.c_str()), "unlink");
  must(ftruncate(fd.get(), 8192), "ftruncate");
  return fd;
}

/// Expects that the text of an exception has the name of the call in it.
void expect_named(const std::string& text, std::string_view call) {
  if (!text.empty()) {  // otherwise the test has failed already
    expect(text.find(call) != std::string::npos,
           "a text that names the call, \"" + std::string(call) + "\"", "\"" + text + "\"");
  }
}

/// Expects that attach() refuses what comes, and keeps nothing of it.
template <class E>
std::string expect_refused(std::string_view type, UniqueFd fd, std::size_t size) {
  const int number = fd.get();
  const std::size_t mapped = shared_bytes();
  std::string text =
      expect_throw<E>(type, [&] { (void)SharedRegion::attach(std::move(fd), size); });
  expect(!is_open(number), "the descriptor to be closed: attach() had taken it over",
         "it is still open");
  expect(shared_bytes() == mapped, "nothing to be mapped", "a mapping that is left");
  return text;
}

void expect_bad_message(UniqueFd fd, std::size_t size) {
  expect_refused<BadMessage>("BadMessage", std::move(fd), size);
}

/// While it lives, no file of this process may become longer, and no signal comes of the attempt.
class FileLimit {
 public:
  explicit FileLimit(std::size_t size) : old_handler_(signal(SIGXFSZ, SIG_IGN)) {
    must(getrlimit(RLIMIT_FSIZE, &before_), "getrlimit");
    rlimit limit = before_;
    limit.rlim_cur = size;
    must(setrlimit(RLIMIT_FSIZE, &limit), "setrlimit");
  }
  ~FileLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, old_handler_);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;

 private:
  rlimit before_{};
  sighandler_t old_handler_;
};

// ---- the memory

TEST(SharedRegion, FirstAndLastByte) {
  lesson("Memory without a name");
  const std::size_t page = page_size();
  for (const Maker& maker : kMakers) {
    for (const std::size_t size : {std::size_t{1}, page - 1, page, page + 1, 100 * page + 7}) {
      did("made a region of " + bytes_in_words(size) + " with " + std::string(maker.name) +
          ", and wrote to its first and its last byte");
      const SharedRegion region = maker.make(size);
      if (!expect_memory(region, size)) {
        return;
      }
      expect(reinterpret_cast<std::uintptr_t>(region.data()) % page == 0,
             "data() at the beginning of a page", "an address inside of one");
      put(region, 0, 17);
      put(region, size - 1, 18);
      expect_eq("the last byte", byte_at(region, size - 1), 18);
      expect_eq("the first byte", byte_at(region, 0), size == 1 ? 18 : 17);
    }
  }
}

TEST(SharedRegion, FilledWithZeros) {
  lesson("Memory without a name");
  for (const Maker& maker : kMakers) {
    did("wrote to each byte of a region made with " + std::string(maker.name) +
        ", destroyed it, and made another one");
    const std::size_t size = 3 * page_size() + 5;
    {
      const SharedRegion region = maker.make(size);
      if (!expect_memory(region, size)) {
        return;
      }
      std::fill_n(region.data(), size, std::byte{0xff});
    }
    const SharedRegion region = maker.make(size);
    if (!expect_memory(region, size)) {
      return;
    }
    const auto zeros = std::count(region.data(), region.data() + size, std::byte{0});
    expect_eq("the number of bytes that are 0", static_cast<std::size_t>(zeros), size);
  }
}

TEST(SharedRegion, ZeroBytesTakeNoMemory) {
  lesson("Memory without a name");
  did("made an anonymous region of 0 bytes, and moved it");
  const Belongings before;
  SharedRegion region = SharedRegion::anonymous(0);
  before.expect_unchanged();
  SharedRegion other(std::move(region));
  region = std::move(other);
  expect_eq("size()", region.size(), std::size_t{0});
  expect(region.data() == nullptr, "data() to be a null pointer", "an address");
  expect_eq("fd()", region.fd(), -1);
}

TEST(SharedRegion, ZeroBytesHaveNoDescriptor) {
  lesson("Memory without a name");
  did("made a region of 0 bytes with a descriptor");
  const Belongings before;
  expect_throw<ValueError>("ValueError", [] { (void)SharedRegion::with_descriptor(0); });
  before.expect_unchanged();
}

TEST(SharedRegion, AnonymousHasNoDescriptor) {
  lesson("Memory without a name");
  did("made an anonymous region, and looked for descriptors");
  const std::size_t before = count_descriptors();
  const SharedRegion region = SharedRegion::anonymous(100);
  expect_eq("fd()", region.fd(), -1);
  expect_eq("the number of descriptors", count_descriptors(), before);
}

// ---- what fork shares

TEST(SharedRegion, StoresOfTheChildAreSeen) {
  lesson("What fork shares");
  for (const Maker& maker : kMakers) {
    did("made a region with " + std::string(maker.name) +
        ", wrote to it, forked a child that adds to its first and its last byte, and waited for "
        "its end");
    const std::size_t size = page_size() + 1;
    const SharedRegion region = maker.make(size);
    if (!expect_memory(region, size)) {
      return;
    }
    put(region, 0, 10);
    const Kid kid([&region, size] {
      put(region, 0, byte_at(region, 0) + 7);
      put(region, size - 1, byte_at(region, size - 1) + 8);
      return 0;
    });
    kid.wait_for_end();
    expect_eq("the first byte, as the parent sees it,", byte_at(region, 0), 17);
    expect_eq("the last byte, as the parent sees it,", byte_at(region, size - 1), 8);
  }
}

TEST(SharedRegion, StoresOfTheParentAreSeen) {
  lesson("What fork shares");
  for (const Maker& maker : kMakers) {
    did("made a region with " + std::string(maker.name) +
        ", forked a child, and wrote to it while the child waited");
    const SharedRegion region = maker.make(100);
    if (!expect_memory(region, 100)) {
      return;
    }
    const Gate gate;
    const Kid kid(
        [&] {
          gate.pass();
          return byte_at(region, 99);
        },
        kPatient);
    put(region, 99, 42);
    gate.open();
    kid.wait_for_end();
    expect_eq("the last byte, as the child sees it,", kid.take().value_or(-1), 42);
  }
}

TEST(SharedRegion, ChildOfOneAndChildOfAnother) {
  lesson("What fork shares");
  for (const Maker& maker : kMakers) {
    did("made two regions with " + std::string(maker.name) +
        ", and forked a child that writes to the first one, and one that copies it to the second");
    const SharedRegion one = maker.make(8);
    const SharedRegion two = maker.make(8);
    if (!expect_memory(one, 8) || !expect_memory(two, 8)) {
      return;
    }
    const Gate gate;
    const Kid writer(
        [&] {
          put(one, 3, 33);
          gate.open();
          return 0;
        },
        kPatient);
    const Kid copier(
        [&] {
          gate.pass();
          put(two, 5, byte_at(one, 3));
          return 0;
        },
        kPatient);
    copier.wait_for_end();
    expect_eq("the byte in the second one", byte_at(two, 5), 33);
    expect_eq("the same byte in the first one", byte_at(one, 5), 0);
  }
}

TEST(SharedRegion, ChildEndsItsOwnView) {
  lesson("Memory without a name");
  for (const Maker& maker : kMakers) {
    did("made a region with " + std::string(maker.name) +
        ", and forked a child that writes to it and destroys its copy of the object");
    const std::size_t size = 2 * page_size();
    SharedRegion region = maker.make(size);
    if (!expect_memory(region, size)) {
      return;
    }
    const Kid kid([&region, size] {
      const std::byte* const data = region.data();
      put(region, size - 1, 99);
      { const SharedRegion last(std::move(region)); }
      return is_mapped(data, 1) ? 1 : 0;
    });
    kid.wait_for_end();
    expect_eq("what the child returns (0: nothing is mapped there any more)",
              kid.take().value_or(-1), 0);
    if (expect_memory(region, size)) {
      expect_eq("the last byte, as the parent sees it,", byte_at(region, size - 1), 99);
    }
  }
}

TEST(SharedRegion, MemoryGoesWithTheLastView) {
  lesson("Two tables, one frame");
  for (const Maker& maker : kMakers) {
    did("made a region with " + std::string(maker.name) +
        ", forked a child, and destroyed the object in the parent before the child looks");
    const Gate gate;
    std::optional<SharedRegion> region(maker.make(100));
    if (!expect_memory(*region, 100)) {
      return;
    }
    const Kid kid(
        [&] {
          gate.pass();
          return byte_at(*region, 50);
        },
        kPatient);
    put(*region, 50, 21);
    region.reset();
    gate.open();
    kid.wait_for_end();
    expect_eq("the byte that the parent wrote, as the child sees it,", kid.take().value_or(-1), 21);
  }
}

// ---- one owner

TEST(SharedRegion, ViewEndsWithTheObject) {
  lesson("Memory without a name");
  const std::size_t page = page_size();
  for (const Maker& maker : kMakers) {
    for (const std::size_t size :
         {std::size_t{1}, page, page + 1, 5 * page, 300 * page - 1, 2'000 * page + 1}) {
      did("made and destroyed a region of " + bytes_in_words(size) + " with " +
          std::string(maker.name));
      const Belongings before;
      { const SharedRegion region = maker.make(size); }
      before.expect_unchanged();
    }
  }
}

TEST(SharedRegion, NothingElseIsUnmapped) {
  lesson("Memory without a name");
  for (const Maker& maker : kMakers) {
    did("made a region with " + std::string(maker.name) +
        ", mapped a page right behind it, and destroyed the region");
    const std::size_t size = page_size() + 1;
    std::optional<SharedRegion> region(maker.make(size));
    if (!expect_memory(*region, size)) {
      return;
    }
    std::byte* const behind = region->data() + whole_pages(size);
    // Where something is there already, that will do.
    void* const mine = mmap(behind, page_size(), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    region.reset();
    expect(is_mapped(behind, page_size()), "the page behind it to be still mapped",
           "it is not mapped any more");
    if (mine != MAP_FAILED) {
      munmap(mine, page_size());
    }
  }
}

TEST(SharedRegion, MovedAway) {
  lesson("Memory without a name");
  for (const Maker& maker : kMakers) {
    did("made a region with " + std::string(maker.name) +
        ", moved it to another object, and destroyed the first object");
    const Belongings before;
    {
      const std::size_t size = page_size() + 1;
      std::optional<SharedRegion> first(maker.make(size));
      if (!expect_memory(*first, size)) {
        return;
      }
      put(*first, size - 1, 5);
      const std::byte* const data = first->data();
      const int fd = first->fd();
      const SharedRegion second(std::move(*first));
      expect(second.data() == data, "data() as it was: a move copies no memory", "something else");
      expect_eq("size()", second.size(), size);
      expect_eq("fd()", second.fd(), fd);
      expect(first->data() == nullptr, "data() of what was moved from to be a null pointer",
             "an address");
      expect_eq("size() of what was moved from", first->size(), std::size_t{0});
      expect_eq("fd() of what was moved from", first->fd(), -1);
      first.reset();
      if (!expect_memory(second, size)) {
        return;
      }
      expect_eq("the last byte", byte_at(second, size - 1), 5);
    }
    before.expect_unchanged();
  }
}

TEST(SharedRegion, AssignmentEndsTheOldView) {
  lesson("Memory without a name");
  for (const Maker& old_maker : kMakers) {
    for (const Maker& new_maker : kMakers) {
      did("assigned a region made with " + std::string(new_maker.name) + " to one made with " +
          std::string(old_maker.name));
      const Belongings before;
      {
        SharedRegion target = old_maker.make(3 * page_size());
        std::optional<SharedRegion> source(new_maker.make(10));
        if (!expect_memory(*source, 10)) {
          return;
        }
        put(*source, 9, 77);
        const std::byte* const data = source->data();
        const std::byte* const old_data = target.data();
        const int fd = source->fd();
        const int old_fd = target.fd();
        target = std::move(*source);
        expect(!is_mapped(old_data, 1), "what it had before to be unmapped: its owner is gone",
               "still mapped");
        expect(old_fd == -1 || !is_open(old_fd), "the descriptor that it had before to be closed",
               "still open");
        expect_eq("fd()", target.fd(), fd);
        expect(target.data() == data, "data() to be that of the other one", "something else");
        expect(source->data() == nullptr, "data() of what was moved from to be a null pointer",
               "an address");
        expect_eq("size() of what was moved from", source->size(), std::size_t{0});
        expect_eq("fd() of what was moved from", source->fd(), -1);
        if (expect_memory(target, 10)) {
          expect_eq("the last byte", byte_at(target, 9), 77);
        }
      }
      before.expect_unchanged();
    }
  }
}

TEST(SharedRegion, MovedToItself) {
  lesson("Memory without a name");
  for (const Maker& maker : kMakers) {
    did("moved a region made with " + std::string(maker.name) + " to itself");
    const Belongings before;
    {
      SharedRegion region = maker.make(100);
      if (!expect_memory(region, 100)) {
        return;
      }
      put(region, 99, 61);
      const int fd = region.fd();
      SharedRegion& same = region;
      region = std::move(same);
      expect_eq("fd()", region.fd(), fd);
      if (expect_memory(region, 100)) {
        expect_eq("the last byte", byte_at(region, 99), 61);
      }
    }
    before.expect_unchanged();
  }
}

TEST(SharedRegion, InAVectorThatGrows) {
  lesson("Memory without a name");
  did("put twenty regions of both sorts into a vector, and took every second one out again");
  const Belongings before;
  {
    std::vector<SharedRegion> all;
    for (std::size_t i = 0; i < 20; ++i) {
      all.push_back(kMakers[i % 2].make(i + 1));  // NOLINT: i % 2 is inside
      if (!expect_memory(all.back(), i + 1)) {
        return;
      }
      put(all.back(), i, static_cast<int>(i));
    }
    for (auto at = all.begin(); at != all.end(); ++at) {
      at = all.erase(at);
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::size_t last = 2 * i + 1;
      if (!expect_memory(all[i], last + 1) ||
          !expect_eq("its last byte", byte_at(all[i], last), static_cast<int>(last))) {
        return;
      }
    }
  }
  before.expect_unchanged();
}

// ---- too little memory

TEST(SharedRegion, MoreThanTheAddressSpace) {
  lesson("Too little memory");
  for (const std::size_t size : {(std::size_t{1} << 62) + 1, kMost - page_size(), kMost}) {
    did("made an anonymous region of " + bytes_in_words(size));
    const Belongings before;
    expect_named(expect_error(ENOMEM, [size] { (void)SharedRegion::anonymous(size); }), "mmap");
    before.expect_unchanged();
  }
}

TEST(SharedRegion, MmapFails) {
  lesson("Too little memory");
  for (const int error : {ENOMEM, EAGAIN}) {
    did(std::string("made an anonymous region when mmap fails with ") + strerrorname_np(error));
    const Belongings before;
    std::string text;
    {
      Faults faults;
      faults.fail("mmap", error);
      text = expect_error(error, [] { (void)SharedRegion::anonymous(100); });
    }
    expect_named(text, "mmap");
    before.expect_unchanged();
  }
}

TEST(SharedRegion, LongerThanAFileMayBe) {
  lesson("Too little memory");
  const FileLimit limit(std::size_t{1} << 20);
  for (const std::size_t size : {std::size_t{1} << 21, (std::size_t{1} << 32) + 1,
                                 (std::size_t{1} << 62) + 1, std::size_t{1} << 63, kMost}) {
    did("made a region of " + bytes_in_words(size) +
        " with a descriptor, where a file may have 1 MiB (RLIMIT_FSIZE)");
    const Belongings before;
    int seen = 0;
    const std::string text = expect_throw<std::system_error>("std::system_error", [&] {
      try {
        (void)SharedRegion::with_descriptor(size);
      } catch (const std::system_error& error) {
        seen = error.code().value();
        throw;
      }
    });
    if (!text.empty()) {
      expect(seen == EFBIG || seen == EINVAL, "EFBIG (or EINVAL, for more than an off_t holds)",
             "\"" + text + "\"");
      expect(text.find("ftruncate") != std::string::npos ||
                 text.find("fallocate") != std::string::npos,
             "a text that names the call that sets the size", "\"" + text + "\"");
    }
    before.expect_unchanged();
  }
}

TEST(SharedRegion, AllOfItIsThere) {
  lesson("Too little memory");
  for (const std::size_t size :
       {std::size_t{1}, page_size() + 1, 64 * page_size(), 2'000 * page_size() + 1}) {
    did("made a region of " + bytes_in_words(size) +
        " with a descriptor, and asked fstat(2) how much memory it takes, before any is touched");
    const SharedRegion region = SharedRegion::with_descriptor(size);
    struct stat status {};
    must(fstat(region.fd(), &status), "fstat");
    const auto taken = static_cast<std::size_t>(status.st_blocks) * 512;
    expect(taken >= size,
           "at least " + bytes_in_words(size) +
               ": a page that is not there yet may be one that the machine does not have",
           bytes_in_words(taken));
  }
}

TEST(SharedRegion, TooLittleMemoryIsAnError) {
  lesson("Too little memory");
  for (const int error : {ENOSPC, ENOMEM}) {
    did(std::string("made a region with a descriptor when there is no memory for it: fallocate "
                    "fails with ") +
        strerrorname_np(error));
    const Belongings before;
    std::string text;
    {
      Faults faults;
      faults.fail("fallocate", error, 1000);
      faults.fail("posix_fallocate", error, 1000);
      text = expect_error(error, [] { (void)SharedRegion::with_descriptor(10'000); });
    }
    expect_named(text, "fallocate");
    before.expect_unchanged();
  }
}

TEST(SharedRegion, AllocatedOrAnError) {
  lesson("Too little memory");
  for (const int error : {EOPNOTSUPP, EINVAL, EFBIG, EPERM, ENOSYS}) {
    did(std::string("made a region with a descriptor when fallocate fails with ") +
        strerrorname_np(error));
    const Belongings before;
    std::optional<SharedRegion> region;
    std::string text;
    {
      Faults faults;
      faults.fail("fallocate", error, 1000);
      faults.fail("posix_fallocate", error, 1000);
      try {
        region = SharedRegion::with_descriptor(100'000);
      } catch (const std::system_error& failure) {
        text = failure.what();
        expect_eq("the error's number", failure.code().value(), error);
      }
    }
    if (region) {  // whoever finds the pages in another way is right as well
      struct stat status {};
      must(fstat(region->fd(), &status), "fstat");
      expect(status.st_blocks * 512 >= 100'000, "an error, or all of the memory to be there",
             "no error, and " + std::to_string(status.st_blocks * 512) + " bytes of 100000");
    }
    expect_named(text, "fallocate");
    region.reset();
    before.expect_unchanged();
  }
}

TEST(SharedRegion, ReasonOfFallocate) {
  lesson("Too little memory");
  did("put /dev/null in place of the memory before it is allocated, with an errno from before "
      "(EXDEV)");
  const Belongings before;
  std::string text;
  {
    const UniqueFd null(must(open("/dev/null", O_RDWR | O_CLOEXEC), "open"));
    const auto replace = [&null](const Call& call) {
      must(dup3(null.get(), static_cast<int>(call.args[0]), O_CLOEXEC), "dup3");
      errno = EXDEV;
    };
    Faults faults;
    faults.before("fallocate", replace);
    faults.before("posix_fallocate", replace);
    // posix_fallocate(3) returns its error; fallocate(2) sets errno.
    text = expect_error(ENODEV, [] { (void)SharedRegion::with_descriptor(10'000); });
  }
  expect_named(text, "fallocate");
  before.expect_unchanged();
}

TEST(SharedRegion, FailureOfEachCall) {
  lesson("Too little memory");
  struct Failing {
    std::string_view call;
    int error;
  };
  constexpr std::array kCalls{
      Failing{"memfd_create", EMFILE}, Failing{"memfd_create", ENOMEM}, Failing{"ftruncate", EIO},
      Failing{"fallocate", EIO},       Failing{"posix_fallocate", EIO}, Failing{"fcntl", EPERM},
      Failing{"fcntl", EBUSY},         Failing{"mmap", ENOMEM},         Failing{"mmap", EAGAIN}};
  for (const Failing& failing : kCalls) {
    did("made a region with a descriptor when " + std::string(failing.call) + " fails with " +
        strerrorname_np(failing.error));
    {
      Faults faults;  // who manages without this call need not notice
      const SharedRegion region = SharedRegion::with_descriptor(100);
      if (faults.count(failing.call) == 0) {
        continue;
      }
    }
    const Belongings before;
    std::string text;
    {
      Faults faults;
      faults.fail(failing.call, failing.error, 1000);
      text = expect_error(failing.error, [] { (void)SharedRegion::with_descriptor(100); });
    }
    expect_named(text, failing.call);
    before.expect_unchanged();
  }
}

TEST(SharedRegion, NoDescriptorLeft) {
  lesson("Memory without a name");
  did("made a region with a descriptor when this process may not have one more");
  const Belongings before;
  expect_named(
      expect_error(EMFILE,
                   [] { with_descriptors(0, [] { (void)SharedRegion::with_descriptor(100); }); }),
      "memfd_create");
  before.expect_unchanged();
}

TEST(SharedRegion, InterruptedBySignals) {
  lesson("Too little memory");
  for (const std::string_view call : {"ftruncate", "fallocate", "posix_fallocate"}) {
    did("made a region with a descriptor when " + std::string(call) +
        " is interrupted by a signal a dozen times (EINTR)");
    std::optional<SharedRegion> region;
    {
      Faults faults;
      faults.fail(call, EINTR, 12);
      region = SharedRegion::with_descriptor(10'000);
    }
    if (!expect_memory(*region, 10'000)) {
      return;
    }
    struct stat status {};
    must(fstat(region->fd(), &status), "fstat");
    expect(status.st_blocks * 512 >= 10'000, "all of the memory to be there",
           std::to_string(status.st_blocks * 512) + " bytes of it");
  }
}

// ---- memory for a stranger

TEST(SharedRegion, SizeIsFixed) {
  lesson("Memory for a stranger");
  did("made a region of 10000 bytes with a descriptor, and tried to shorten and to lengthen it");
  const SharedRegion region = SharedRegion::with_descriptor(10'000);
  if (!expect_memory(region, 10'000)) {
    return;
  }
  const auto size = static_cast<off_t>(file_size(region.fd()));
  for (const off_t other : {off_t{0}, size - 1, size + 1, 2 * size}) {
    const int result = ftruncate(region.fd(), other);
    const int error = errno;
    expect(result == -1 && error == EPERM,
           "ftruncate(fd, " + std::to_string(other) + ") to fail with EPERM",
           result == 0 ? "success" : strerrorname_np(error));
  }
}

TEST(SharedRegion, SealsAreTheLast) {
  lesson("Memory for a stranger");
  did("made a region with a descriptor, and looked at its seals (F_GET_SEALS)");
  const SharedRegion region = SharedRegion::with_descriptor(100);
  if (!expect_memory(region, 100)) {
    return;
  }
  const int seals = fcntl(region.fd(), F_GET_SEALS);
  const auto has = [seals](int seal) { return seals != -1 && (seals & seal) != 0; };
  expect_eq("whether F_SEAL_SHRINK is there", has(F_SEAL_SHRINK), true);
  expect_eq("whether F_SEAL_GROW is there", has(F_SEAL_GROW), true);
  expect_eq("whether F_SEAL_SEAL is there, so that nobody can seal it against writing,",
            has(F_SEAL_SEAL), true);
  expect_eq("whether there is a seal against writing",
            has(F_SEAL_WRITE) || has(F_SEAL_FUTURE_WRITE), false);
}

TEST(SharedRegion, ClosedInANewProgram) {
  lesson("Memory for a stranger");
  did("made a region with a descriptor, and looked at its FD_CLOEXEC");
  bool at_once = true;
  Faults faults;
  faults.before("ftruncate", [&at_once](const Call& call) {
    at_once = at_once && (fcntl(static_cast<int>(call.args[0]), F_GETFD) & FD_CLOEXEC) != 0;
  });
  faults.before("fcntl", [&at_once](const Call& call) {
    at_once = at_once && (fcntl(static_cast<int>(call.args[0]), F_GETFD) & FD_CLOEXEC) != 0;
  });
  const SharedRegion region = SharedRegion::with_descriptor(100);
  expect((must(fcntl(region.fd(), F_GETFD), "fcntl") & FD_CLOEXEC) != 0,
         "FD_CLOEXEC: closed in a program that execve starts", "no FD_CLOEXEC");
  expect(at_once,
         "FD_CLOEXEC from the call on that makes it: another thread may fork and execute right "
         "after it",
         "a descriptor without it at first");
}

TEST(SharedRegion, AStrangerSeesTheSameBytes) {
  lesson("Memory for a stranger");
  did("sent the descriptor of a region to a child that was forked before, attached it there, and "
      "wrote on both sides");
  auto ends = joined();
  const Kid kid(
      [&ends] {
        ends.first.close();
        const SharedRegion theirs = SharedRegion::attach(recv_fd(ends.second), 10'000);
        if (theirs.size() != 10'000 || byte_at(theirs, 9'999) != 44) {
          return 1;
        }
        put(theirs, 0, 45);
        send_text(ends.second, "written");
        (void)next_message(ends.second);
        return byte_at(theirs, 1) == 46 ? 0 : 2;
      },
      kPatient);
  ends.second.close();
  const SharedRegion mine = SharedRegion::with_descriptor(10'000);
  if (!expect_memory(mine, 10'000)) {
    return;
  }
  put(mine, 9'999, 44);
  send_fd(ends.first, mine.fd());
  if (expect_eq("what the child says when it has read what was written before and has written",
                next_message(ends.first), "written")) {
    expect_eq("what the child wrote, as it is seen here,", byte_at(mine, 0), 45);
    put(mine, 1, 46);
    send_text(ends.first, "go on");
    kid.wait_for_end();
    expect_eq("the child's exit code, which is 0 when it has seen what was written meanwhile,",
              kid.take().value_or(-1), 0);
  }
}

TEST(SharedRegion, TwoViewsOfTheSameBytes) {
  lesson("Memory for a stranger");
  did("attached the descriptor of a region of 10000 bytes, made without the code under test, twice "
      "in one process");
  const UniqueFd fd = raw_memory(10'000, F_SEAL_SHRINK);
  const Belongings before;
  {
    UniqueFd second = another(fd.get());
    const int number = second.get();
    const SharedRegion one = SharedRegion::attach(another(fd.get()), 10'000);
    const SharedRegion two = SharedRegion::attach(std::move(second), 5'000);
    if (!expect_memory(one, 10'000) || !expect_memory(two, 5'000)) {
      return;
    }
    expect_eq("fd() of the second one", two.fd(), number);
    expect(one.data() != two.data(), "two addresses", "the same address twice");
    put(one, 4'999, 71);
    expect_eq("what is written to the first one, in the second one,", byte_at(two, 4'999), 71);
    put(two, 0, 72);
    expect_eq("what is written to the second one, in the first one,", byte_at(one, 0), 72);
    std::array<std::byte, 1> behind{};
    must(pread(fd.get(), behind.data(), 1, 0), "pread");
    expect_eq("what is written to it, behind the descriptor,", std::to_integer<int>(behind[0]), 72);
  }
  before.expect_unchanged();
}

TEST(SharedRegion, AttachedMemoryOutlivesItsMaker) {
  lesson("Memory for a stranger");
  did("attached a copy of a region's descriptor, and destroyed the region");
  const Belongings before;
  {
    std::optional<SharedRegion> maker(SharedRegion::with_descriptor(100));
    if (!expect_memory(*maker, 100)) {
      return;
    }
    put(*maker, 99, 12);
    const SharedRegion region = SharedRegion::attach(another(maker->fd()), 100);
    maker.reset();
    if (expect_memory(region, 100)) {
      expect_eq("the last byte", byte_at(region, 99), 12);
    }
  }
  before.expect_unchanged();
}

TEST(SharedRegion, NotSealedIsRefused) {
  lesson("Memory for a stranger");
  did("attached memory that is not sealed");
  expect_bad_message(raw_memory(10'000, 0), 10'000);
  did("attached memory that is not sealed, and asked for no byte of it");
  expect_bad_message(raw_memory(10'000, 0), 0);
  did("attached memory that was made without MFD_ALLOW_SEALING");
  UniqueFd plain(must(memfd_create("shared_region", MFD_CLOEXEC), "memfd_create"));
  must(ftruncate(plain.get(), 10'000), "ftruncate");
  expect_bad_message(std::move(plain), 10'000);
}

TEST(SharedRegion, OtherSealsAreNotEnough) {
  lesson("Memory for a stranger");
  did("attached memory that is sealed against growing only");
  expect_bad_message(raw_memory(10'000, F_SEAL_GROW), 10'000);
  did("attached memory that is sealed against growing and against more seals, and can be shortened "
      "for ever");
  expect_bad_message(raw_memory(10'000, F_SEAL_GROW | F_SEAL_SEAL), 10'000);
}

TEST(SharedRegion, TooSmallIsRefused) {
  lesson("Memory for a stranger");
  constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  for (const std::size_t needed :
       {std::size_t{101}, page_size(), page_size() + 1, std::size_t{1} << 32, kMost}) {
    did("attached memory that has 100 bytes, where " + bytes_in_words(needed) + " are needed");
    expect_bad_message(raw_memory(100, kSeals), needed);
  }
  did("attached memory that has no byte, where one is needed");
  expect_bad_message(raw_memory(0, kSeals), 1);
}

TEST(SharedRegion, NoMemoryIsRefused) {
  lesson("Memory for a stranger");
  did("attached a file on a disk");
  expect_bad_message(plain_file(), 100);
  did("attached the end of a pipe");
  std::array<int, 2> ends{};
  must(pipe2(ends.data(), O_CLOEXEC), "pipe2");
  const UniqueFd writer(ends[1]);
  expect_bad_message(UniqueFd(ends[0]), 100);
  did("attached /dev/zero");
  expect_bad_message(UniqueFd(must(open("/dev/zero", O_RDWR | O_CLOEXEC), "open")), 100);
}

TEST(SharedRegion, ShortenedBetweenTwoQuestions) {
  lesson("Memory for a stranger");
  did("attached memory that its maker shortens and then seals, right after fstat(2) has told its "
      "size");
  const UniqueFd makers = raw_memory(10'000, 0);
  const std::size_t before = count_descriptors();
  Faults faults;
  faults.after("fstat", [&makers](const Call& /*call*/) {
    (void)!ftruncate(makers.get(), 0);  // fails when it is sealed
    (void)fcntl(makers.get(), F_ADD_SEALS, F_SEAL_SHRINK);
  });
  expect_throw<BadMessage>("BadMessage: the bytes are not there any more",
                           [&] { (void)SharedRegion::attach(another(makers.get()), 10'000); });
  expect_eq("the number of descriptors afterwards", count_descriptors(), before);
}

TEST(SharedRegion, DescriptorThatOnlyReads) {
  lesson("Memory for a stranger");
  did("attached a descriptor that only reads");
  const UniqueFd fd = raw_memory(10'000, F_SEAL_SHRINK);
  expect_named(expect_refused<std::system_error>("std::system_error",
                                                 opened_again(fd.get(), O_RDONLY), 10'000),
               "mmap");
  did("attached memory that is sealed against writing");
  expect_named(expect_refused<std::system_error>(
                   "std::system_error", raw_memory(10'000, F_SEAL_SHRINK | F_SEAL_WRITE), 10'000),
               "mmap");
}

TEST(SharedRegion, AttachingFails) {
  lesson("Memory for a stranger");
  for (const std::string_view call : {"fstat", "mmap"}) {
    did("attached a descriptor when " + std::string(call) + " fails with ENOMEM");
    UniqueFd fd = raw_memory(10'000, F_SEAL_SHRINK);
    const int number = fd.get();
    const std::size_t mapped = shared_bytes();
    std::string text;
    {
      Faults faults;
      faults.fail(call, ENOMEM);
      text = expect_error(ENOMEM, [&fd] { (void)SharedRegion::attach(std::move(fd), 10'000); });
    }
    expect_named(text, call);
    expect(!is_open(number), "the descriptor to be closed: attach() had taken it over",
           "it is still open");
    expect_eq("how much shared memory is mapped afterwards", shared_bytes(), mapped);
  }
}

TEST(SharedRegion, NothingOfIt) {
  lesson("Memory for a stranger");
  did("attached 0 bytes of memory that is sealed");
  const Belongings before;
  {
    UniqueFd fd = raw_memory(10'000, F_SEAL_SHRINK);
    const int number = fd.get();
    const SharedRegion region = SharedRegion::attach(std::move(fd), 0);
    expect(region.data() == nullptr, "data() to be a null pointer", "an address");
    expect_eq("size()", region.size(), std::size_t{0});
    expect_eq("fd()", region.fd(), number);
  }
  before.expect_unchanged();
}

}  // namespace
}  // namespace mp::test
