#include "03-array/attach.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "00-syscalls/errors.hpp"
#include "02-pipe/connection_stage.hpp"
#include "02-pipe/cpython.hpp"
#include "02-pipe/ends.hpp"
#include "02-pipe/pass_fd.hpp"
#include "02-pipe/scene.hpp"
#include "support/kid.hpp"
#include "support/lesson.hpp"

namespace mp::test {
namespace {

constexpr unsigned kPatient = 10;  // seconds for a child; on a busy machine it takes its time
constexpr int kSealed = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

/// Memory with a descriptor, made without the code under test.
UniqueFd memory(std::size_t size, int seals = kSealed) {
  UniqueFd fd(must(memfd_create("attach", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create"));
  must(ftruncate(fd.get(), static_cast<off_t>(size)), "ftruncate");
  if (seals != 0) {
    must(fcntl(fd.get(), F_ADD_SEALS, seals), "fcntl(F_ADD_SEALS)");
  }
  return fd;
}

/// What announces an array: the typecode, and the length.
std::string announcement(char typecode, std::uint64_t length) {
  return std::string(1, typecode) + big_endian(length, 8);
}

/// Sends a descriptor, or several, with one byte of data, past the code under test.
void raw_send_fds(int socket, const std::vector<int>& fds) {
  char byte = 1;
  iovec part{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, 256> room{};
  const std::size_t size = fds.size() * sizeof(int);
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = CMSG_SPACE(size);
  cmsghdr* const control = CMSG_FIRSTHDR(&message);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(control), fds.data(), size);
  must(sendmsg(socket, &message, MSG_NOSIGNAL), "sendmsg");
}

/// All that is in a socket, as it comes out of it.
struct Arrived {
  std::string bytes;
  std::string before_fd;  ///< the bytes that came before the first descriptor
  std::vector<UniqueFd> fds;
};

Arrived raw_receive(int socket) {
  Arrived arrived;
  for (;;) {
    char byte = 0;  // one at a time: it is known then with which of them a descriptor came
    alignas(cmsghdr) std::array<char, 256> room{};
    iovec part{.iov_base = &byte, .iov_len = 1};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room.data();
    message.msg_controllen = room.size();
    const ssize_t count = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count <= 0) {
      return arrived;
    }
    const cmsghdr* const control = CMSG_FIRSTHDR(&message);
    if (control != nullptr && control->cmsg_type == SCM_RIGHTS) {
      if (arrived.fds.empty()) {
        arrived.before_fd = arrived.bytes;
      }
      for (std::size_t at = 0; CMSG_LEN(at + sizeof(int)) <= control->cmsg_len; at += sizeof(int)) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(control) + at, sizeof fd);
        arrived.fds.emplace_back(fd);
      }
    }
    arrived.bytes += byte;
  }
}

/// Whether two descriptors are for the same file.
bool same_file(int a, int b) {
  struct stat first {};
  struct stat second {};
  return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

/// How many views of memory with a descriptor this process has.
std::size_t count_views() {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) {
    count += line.find("/memfd:") == std::string::npos ? 0U : 1U;
  }
  return count;
}

/// recv_region(); where it would wait for what does not come, it throws.
Attached receive(Connection& connection) {
  const NoEndlessWait guard;
  return recv_region(connection);
}

std::span<int> ints_in(const SharedRegion& region) {
  return {reinterpret_cast<int*>(region.data()), region.size() / sizeof(int)};
}

std::string in_python(std::span<const int> values) {
  std::string text;
  for (const int value : values) {
    text += text.empty() ? "" : ", ";
    text += std::to_string(value);
  }
  return "[" + text + "]";
}

/// A region of so many ints: 1, 2, 3, …
SharedRegion numbers(std::size_t count) {
  SharedRegion region = SharedRegion::with_descriptor(count * sizeof(int));
  for (std::size_t i = 0; i < count; ++i) {
    ints_in(region)[i] = static_cast<int>(i) + 1;
  }
  return region;
}

/// Expects BadMessage, and nothing that came to be left open or mapped.
void expect_bad_message(Connection& connection) {
  const std::size_t descriptors = count_descriptors();
  const std::size_t views = count_views();
  expect_throw<BadMessage>("BadMessage", [&connection] { (void)receive(connection); });
  expect(count_descriptors() <= descriptors, "every descriptor that has come to be closed",
         std::to_string(count_descriptors()) + " descriptors open, where " +
             std::to_string(descriptors) + " were open before");
  expect(count_views() == views, "no view of the memory to be left",
         std::to_string(count_views()) + " views, where there were " + std::to_string(views));
}

/// Expects that the next region arrives, as if nothing had been before.
void expect_next_one(const Ends& ends, Connection& connection) {
  const UniqueFd next = memory(12);
  ends.put(frame(announcement('i', 3)));
  raw_send_fds(ends.other(), {next.get()});
  expect_eq("the length of the next array", receive(connection).length, 3);
}

// ---- the same memory

TEST(Attach, SameMemory) {
  lesson("Memory for a stranger");
  did("sent a region of five ints over a connection, and wrote to it at both ends");
  auto [a, b] = joined();
  const SharedRegion region = numbers(5);
  send_region(a, region, 'i', 5);
  const Attached attached = receive(b);
  expect_eq("the typecode", std::string(1, attached.typecode), "i");
  expect_eq("the length", attached.length, 5);
  if (!expect(attached.region.size() >= 5 * sizeof(int) && attached.region.data() != nullptr &&
                  attached.region.data() != region.data(),
              "a view of its own of 20 bytes", std::to_string(attached.region.size()) + " bytes")) {
    return;
  }
  expect_eq("what is in it", in_python(ints_in(attached.region).first(5)), "[1, 2, 3, 4, 5]");
  ints_in(region)[1] = 20;
  ints_in(attached.region)[2] = 30;
  expect_eq("what the receiver sees", in_python(ints_in(attached.region).first(5)),
            "[1, 20, 30, 4, 5]");
  expect_eq("what the sender sees", in_python(ints_in(region)), "[1, 20, 30, 4, 5]");
}

TEST(Attach, ToAProcessThatIsNoHeir) {
  lesson("Memory for a stranger");
  did("sent a region to a process that was forked before the region was made");
  auto ends = joined();
  const Kid kid(
      [&ends] {
        const Attached attached = recv_region(ends.second);
        if (in_python(ints_in(attached.region).first(3)) != "[1, 2, 3]") {
          return 1;
        }
        ints_in(attached.region)[0] = 100;
        send_text(ends.second, "written");
        if (next_message(ends.second) != "changed") {
          return 2;
        }
        return ints_in(attached.region)[2] == 300 ? 0 : 3;
      },
      kPatient);
  const SharedRegion region = numbers(3);
  send_region(ends.first, region, 'i', 3);
  if (!expect_eq("what the other process says", next_message(ends.first), "written")) {
    return;
  }
  expect_eq("the numbers after it has written 100 to the first one", in_python(ints_in(region)),
            "[100, 2, 3]");
  ints_in(region)[2] = 300;
  send_text(ends.first, "changed");
  kid.wait_for_end();
  expect_eq("its exit code: 1 if it has not found the numbers, 3 if it does not see a change",
            kid.take(), std::optional(0));
}

TEST(Attach, FromAProcessThatHasEnded) {
  lesson("Memory for a stranger");
  did("received a region from a child that has made it, and that has ended");
  auto ends = joined();
  const Kid kid(
      [&ends] {
        send_region(ends.second, numbers(4), 'i', 4);
        return 0;
      },
      kPatient);
  kid.wait_for_end();
  expect_eq("the child's exit code", kid.take(), std::optional(0));
  ends.second.close();
  const Attached attached = receive(ends.first);
  expect_eq("what is in it", in_python(ints_in(attached.region).first(4)), "[1, 2, 3, 4]");
}

TEST(Attach, SenderKeepsItsOwn) {
  lesson("Memory for a stranger");
  did("sent a region to two receivers, and looked at the sender's object");
  auto [a, b] = joined();
  auto [c, d] = joined();
  std::optional<Attached> first;
  std::optional<Attached> second;
  {
    const SharedRegion region = numbers(3);
    const int fd = region.fd();
    const std::size_t descriptors = count_descriptors();
    send_region(a, region, 'i', 3);
    send_region(c, region, 'i', 3);
    expect_eq("its descriptor", region.fd(), fd);
    expect_eq("whether that is open", is_open(fd), true);
    expect_eq("the number of descriptors", count_descriptors(), descriptors);
    ints_in(region)[0] = 10;
    expect_eq("its numbers", in_python(ints_in(region)), "[10, 2, 3]");
    first = receive(b);
    second = receive(d);
  }
  did("looked at the memory when the sender's object was gone");
  ints_in(first->region)[1] = 20;
  expect_eq("what the second receiver sees after the first one has written",
            in_python(ints_in(second->region).first(3)), "[10, 20, 3]");
}

TEST(Attach, ReceiverOwnsADescriptor) {
  lesson("Memory for a stranger");
  auto [a, b] = joined();
  const SharedRegion region = numbers(3);
  const std::size_t descriptors = count_descriptors();
  const std::size_t views = count_views();
  did("received a region, and looked at its descriptor");
  {
    send_region(a, region, 'i', 3);
    Attached attached = receive(b);
    const int fd = attached.region.fd();
    expect(fd != region.fd() && same_file(fd, region.fd()),
           "a descriptor of its own for the same memory", std::to_string(fd));
    expect_eq("its close-on-exec flag (F_GETFD)", fcntl(fd, F_GETFD), FD_CLOEXEC);
    did("handed the region on, as the receiver");
    send_region(b, attached.region, 'i', 3);
    const Attached back = receive(a);
    ints_in(back.region)[0] = 10;
    expect_eq("what the first one sees after the last one has written", in_python(ints_in(region)),
              "[10, 2, 3]");
  }
  expect_eq("the number of descriptors in the end", count_descriptors(), descriptors);
  expect_eq("the number of views in the end", count_views(), views);
}

TEST(Attach, PartOfARegion) {
  lesson("Memory for a stranger");
  did("sent the first two ints of a region of five");
  auto [a, b] = joined();
  const SharedRegion region = numbers(5);
  send_region(a, region, 'i', 2);
  const Attached attached = receive(b);
  expect_eq("the length", attached.length, 2);
  if (expect(attached.region.size() >= 8, "a view of 8 bytes at least",
             std::to_string(attached.region.size()) + " bytes")) {
    expect_eq("what is in it", in_python(ints_in(attached.region).first(2)), "[1, 2]");
  }
}

TEST(Attach, NoElements) {
  lesson("Memory for a stranger");
  did("sent no elements of a region");
  auto [a, b] = joined();
  const SharedRegion region = numbers(5);
  send_region(a, region, 'd', 0);
  const Attached attached = receive(b);
  expect_eq("the length", attached.length, 0);
  expect_eq("the typecode", std::string(1, attached.typecode), "d");
}

// ---- the bytes under way

TEST(Attach, NineBytesAndThenADescriptor) {
  lesson("Memory for a stranger");
  const SharedRegion region = SharedRegion::with_descriptor(0x12345);
  for (const auto& [typecode, length] : std::vector<std::pair<char, std::ptrdiff_t>>{
           {'i', 5}, {'c', 0x12345}, {'d', 0x1234}, {'b', 0}, {'H', 0x80ff}}) {
    did("sent " + std::to_string(length) + " elements of type '" + typecode +
        "', and looked at the bytes in the socket");
    auto [a, b] = joined();
    send_region(a, region, typecode, length);
    const Arrived arrived = raw_receive(b.fileno());
    const std::string expected = frame(announcement(typecode, static_cast<std::uint64_t>(length)));
    expect_eq("the frame that was sent, with its header of four bytes,",
              message(arrived.bytes.substr(0, expected.size())), message(expected));
    expect_eq("how many descriptors there are", arrived.fds.size(), std::size_t{1});
    expect_eq("how many bytes come before the descriptor", arrived.before_fd.size(),
              expected.size());
    expect_eq("how many bytes there are with the one that goes with the descriptor",
              arrived.bytes.size(), expected.size() + 1);
    expect(!arrived.fds.empty() && same_file(arrived.fds.front().get(), region.fd()),
           "the region's descriptor", "another one, or none");
  }
}

TEST(Attach, BytesOfOthersAreUnderstood) {
  lesson("Memory for a stranger");
  for (const auto& [typecode, length, size] :
       std::vector<std::tuple<char, std::uint64_t, std::size_t>>{
           {'i', 5, 20}, {'c', 0x12345, 0x12345}, {'d', 0x1234, 0x1234 * 8}, {'B', 258, 4096}}) {
    did("received " + std::to_string(length) + " elements of type '" + typecode +
        "' in memory of " + std::to_string(size) + " bytes, as another program sends them");
    Ends ends;
    Connection connection{UniqueFd(ends.give())};
    const UniqueFd fd = memory(size);
    must(::pwrite(fd.get(), "here", 4, 0), "pwrite");
    ends.put(frame(announcement(typecode, length)));
    raw_send_fds(ends.other(), {fd.get()});
    const Attached attached = receive(connection);
    expect_eq("the typecode", std::string(1, attached.typecode), std::string(1, typecode));
    expect_eq("the length", attached.length, static_cast<std::ptrdiff_t>(length));
    if (expect(attached.region.size() >= length * type_info(typecode).size,
               "all of the elements to be in the region",
               std::to_string(attached.region.size()) + " bytes")) {
      expect_eq("its first bytes", as_text({attached.region.data(), 4}), "here");
    }
  }
}

TEST(Attach, AllTypes) {
  lesson("A letter for a type");
  const SharedRegion region = SharedRegion::with_descriptor(64);
  for (const char typecode : std::string_view("cubBhHiIlLqQfd")) {
    did(std::string("sent as many elements of type '") + typecode + "' as 64 bytes hold");
    auto [a, b] = joined();
    const auto length = static_cast<std::ptrdiff_t>(64 / type_info(typecode).size);
    send_region(a, region, typecode, length);
    const Attached attached = receive(b);
    expect_eq("the typecode", std::string(1, attached.typecode), std::string(1, typecode));
    expect_eq("the length", attached.length, length);
  }
}

// ---- a sender that is wrong

TEST(Attach, NothingIsSentOfWhatCannotBe) {
  lesson("Memory for a stranger");
  const SharedRegion region = SharedRegion::with_descriptor(64);
  auto ends = joined();
  Connection& a = ends.first;
  Connection& b = ends.second;
  constexpr std::ptrdiff_t kOne = 1;
  for (const auto& [typecode, length] : std::vector<std::pair<char, std::ptrdiff_t>>{
           {'z', 4},
           {'?', 4},
           {'\0', 0},
           {'i', -1},
           {'b', PTRDIFF_MIN},
           {'q', PTRDIFF_MIN},  // times 8 it is 0
           {'b', 65},
           {'i', 17},
           {'d', 9},
           {'q', kOne << 61},        // times 8 it is 0
           {'q', (kOne << 61) + 1},  // and 8
           {'i', kOne << 62},
           {'h', PTRDIFF_MAX},
       }) {
    did("sent " + std::to_string(length) + " elements of type '" +
        (typecode == '\0' ? "\\0" : std::string(1, typecode)) + "' of a region of 64 bytes");
    expect_throw<ValueError>("ValueError", [&, typecode = typecode, length = length] {
      send_region(a, region, typecode, length);
    });
    expect_eq("how many bytes have been sent", unread(b.fileno()), 0);
  }
  did("sent a region after some that could not be sent");
  send_region(a, region, 'd', 8);
  expect_eq("the length that arrives", receive(b).length, 8);
}

TEST(Attach, RegionWithoutADescriptor) {
  lesson("Memory without a name");
  auto [a, b] = joined();
  for (const std::size_t size : {64, 0}) {
    did("sent an anonymous region of " + std::to_string(size) + " bytes");
    const SharedRegion region = SharedRegion::anonymous(size);
    expect_throw<ValueError>("ValueError", [&, &a = a] {
      send_region(a, region, 'i', static_cast<std::ptrdiff_t>(size / 4));
    });
    expect_eq("how many bytes have been sent", unread(b.fileno()), 0);
  }
}

TEST(Attach, ConnectionsThatCannotSend) {
  lesson("Memory for a stranger");
  const SharedRegion region = numbers(3);
  did("sent a region on a closed connection, and on one that only receives");
  auto [a, b] = joined();
  const int copy = must(fcntl(a.fileno(), F_DUPFD_CLOEXEC, 0), "fcntl");
  Connection read_only(UniqueFd(copy), true, false);
  a.close();
  expect_throw<ValueError>("ValueError", [&, &a = a] { send_region(a, region, 'i', 3); });
  expect_throw<ValueError>("ValueError", [&] { send_region(read_only, region, 'i', 3); });
  expect_eq("how many bytes have been sent", unread(b.fileno()), 0);
  did("sent a region to nobody");
  auto [c, d] = joined();
  d.close();
  expect_error(EPIPE, [&, &c = c] { send_region(c, region, 'i', 3); });
}

// ---- a sender that lies

TEST(Attach, UnknownType) {
  lesson("Memory for a stranger");
  for (const char typecode : {'z', '?', 'Z', '\0', '\xff'}) {
    did("received an array of an unknown type: the byte " +
        std::to_string(static_cast<unsigned char>(typecode)));
    Ends ends;
    Connection connection{UniqueFd(ends.give())};
    const UniqueFd fd = memory(64);
    ends.put(frame(announcement(typecode, 4)));
    raw_send_fds(ends.other(), {fd.get()});
    expect_bad_message(connection);
    expect_eq("how many bytes are left: what comes after a lie is left where it is, and they",
              unread(connection.fileno()), 1);
  }
}

TEST(Attach, LieWithNothingBehindIt) {
  lesson("Memory for a stranger");
  for (const std::string& lie : {announcement('z', 4), announcement('q', std::uint64_t{1} << 61),
                                 std::string("short"), std::string()}) {
    did("received " + message(lie) + ", and no descriptor came behind it");
    Ends ends;
    Connection connection{UniqueFd(ends.give())};
    ends.put(frame(lie));
    expect_bad_message(connection);
  }
}

TEST(Attach, MessageOfAnotherLength) {
  lesson("Memory for a stranger");
  const UniqueFd fd = memory(1024);
  for (const std::size_t size : {0, 1, 8, 10, 16, 1000}) {
    did("received an announcement of " + std::to_string(size) + " bytes");
    Ends ends;
    Connection connection{UniqueFd(ends.give())};
    std::string bytes = announcement('i', 4);
    bytes.resize(size, '\0');
    ends.put(frame(bytes));
    raw_send_fds(ends.other(), {fd.get()});
    expect_bad_message(connection);
  }
}

TEST(Attach, MessageThatIsSaidToBeHuge) {
  lesson("Memory for a stranger");
  did("received the header of a message of 1 GiB, of which nobody sends more than 9 bytes");
  Ends ends;
  Connection connection{UniqueFd(ends.give())};
  ends.put(big_endian(std::uint64_t{1} << 30, 4) + announcement('i', 4));
  expect_bad_message(connection);
}

TEST(Attach, LengthBeyondAllMemory) {
  lesson("Memory for a stranger");
  constexpr std::uint64_t kOne = 1;
  for (const auto& [typecode, length] : std::vector<std::pair<char, std::uint64_t>>{
           {'q', kOne << 61},        // times 8 it is 0
           {'q', (kOne << 61) + 1},  // and 8
           {'i', kOne << 62},
           {'h', kOne << 62},
           {'d', kOne << 60},
           {'b', kOne << 63},  // as a number with a sign it is the smallest one
           {'q', kOne << 63},
           {'b', UINT64_MAX},  // -1
           {'i', UINT64_MAX - 1},
       }) {
    did("received an array of " + std::to_string(length) + " elements of type '" + typecode + "'");
    Ends ends;
    Connection connection{UniqueFd(ends.give())};
    const UniqueFd fd = memory(64);
    ends.put(frame(announcement(typecode, length)));
    raw_send_fds(ends.other(), {fd.get()});
    expect_bad_message(connection);
  }
}

TEST(Attach, MemoryTooSmall) {
  lesson("Memory for a stranger");
  for (const auto& [typecode, length, size] :
       std::vector<std::tuple<char, std::uint64_t, std::size_t>>{
           {'b', 65, 64},
           {'i', 16, 63},
           {'d', 64, 64},
           {'d', 1, 7},
           {'c', 1, 0},
           {'i', 1'000'000, 4096},
           {'b', PTRDIFF_MAX, 4096},
           {'q', PTRDIFF_MAX / 8, 4096},
       }) {
    did("received an array of " + std::to_string(length) + " elements of type '" + typecode +
        "', and memory of " + std::to_string(size) + " bytes");
    Ends ends;
    Connection connection{UniqueFd(ends.give())};
    const UniqueFd fd = memory(size);
    ends.put(frame(announcement(typecode, length)));
    raw_send_fds(ends.other(), {fd.get()});
    expect_bad_message(connection);
    expect_next_one(ends, connection);
  }
}

TEST(Attach, MemoryThatCouldBeTakenAway) {
  lesson("Too little memory");
  for (const auto& [name, seals] :
       std::vector<std::pair<const char*, int>>{{"without a seal", 0},
                                                {"sealed against growing only", F_SEAL_GROW},
                                                {"sealed against further seals", F_SEAL_SEAL}}) {
    did(std::string("received memory ") + name);
    Ends ends;
    Connection connection{UniqueFd(ends.give())};
    const UniqueFd fd = memory(64, seals);
    ends.put(frame(announcement('i', 4)));
    raw_send_fds(ends.other(), {fd.get()});
    expect_bad_message(connection);
    expect_next_one(ends, connection);
  }
}

TEST(Attach, DescriptorOfSomethingElse) {
  lesson("Memory for a stranger");
  std::array<int, 2> pipe{};
  must(pipe2(pipe.data(), O_CLOEXEC), "pipe2");
  const UniqueFd reader(pipe[0]);
  const UniqueFd writer(pipe[1]);
  const UniqueFd null(must(open("/dev/zero", O_RDWR | O_CLOEXEC), "open"));
  const UniqueFd program(must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), "open"));
  const Ends sockets;
  for (const auto& [name, fd] :
       std::vector<std::pair<const char*, int>>{{"a pipe", reader.get()},
                                                {"/dev/zero", null.get()},
                                                {"a file", program.get()},
                                                {"a socket", sockets.mine()}}) {
    did(std::string("received the descriptor of ") + name + " in place of memory");
    Ends ends;
    Connection connection{UniqueFd(ends.give())};
    ends.put(frame(announcement('i', 4)));
    raw_send_fds(ends.other(), {fd});
    expect_bad_message(connection);
    expect_next_one(ends, connection);
  }
}

TEST(Attach, NoDescriptor) {
  lesson("Memory for a stranger");
  did("received an announcement, and then another message in place of a descriptor");
  Ends ends;
  Connection connection{UniqueFd(ends.give())};
  ends.put(frame(announcement('i', 4)) + frame("no descriptor"));
  expect_bad_message(connection);
  did("received an announcement, and then a byte without a descriptor");
  Ends others;
  Connection other{UniqueFd(others.give())};
  others.put(frame(announcement('i', 4)) + "\x01");
  expect_bad_message(other);
}

TEST(Attach, TwoDescriptors) {
  lesson("Memory for a stranger");
  did("received an announcement, and then two descriptors at once");
  Ends ends;
  Connection connection{UniqueFd(ends.give())};
  const UniqueFd first = memory(64);
  const UniqueFd second = memory(64);
  ends.put(frame(announcement('i', 4)));
  raw_send_fds(ends.other(), {first.get(), second.get()});
  expect_bad_message(connection);
}

// ---- what is no lie

TEST(Attach, EndOfFile) {
  lesson("Memory for a stranger");
  did("received from an end that was closed before anything was sent");
  Ends nothing;
  Connection connection{UniqueFd(nothing.give())};
  nothing.close_other();
  expect_throw<EOFError>("EOFError", [&connection] { (void)receive(connection); });
  did("received from an end that was closed in the middle of an announcement");
  Ends half;
  Connection second{UniqueFd(half.give())};
  half.put(frame(announcement('i', 4)).substr(0, 7));
  half.close_other();
  expect_bad_message(second);
  did("received from an end that was closed between an announcement and the descriptor");
  Ends whole;
  Connection third{UniqueFd(whole.give())};
  whole.put(frame(announcement('i', 4)));
  whole.close_other();
  expect_throw<EOFError>("EOFError", [&third] { (void)receive(third); });
}

TEST(Attach, ConnectionsThatCannotReceive) {
  lesson("Memory for a stranger");
  did("received on a closed connection, and on one that only sends");
  auto [a, b] = joined();
  const int copy = must(fcntl(a.fileno(), F_DUPFD_CLOEXEC, 0), "fcntl");
  Connection write_only(UniqueFd(copy), false, true);
  a.close();
  expect_throw<ValueError>("ValueError", [&a = a] { (void)receive(a); });
  expect_throw<ValueError>("ValueError", [&] { (void)receive(write_only); });
}

TEST(Attach, ReceiverHasNoDescriptorLeft) {
  lesson("Memory for a stranger");
  did("received a region in a process that may have no descriptor more");
  Ends ends;
  Connection connection{UniqueFd(ends.give())};
  const UniqueFd fd = memory(64);
  ends.put(frame(announcement('i', 4)));
  raw_send_fds(ends.other(), {fd.get()});
  expect_error(EMFILE, [&] { with_descriptors(0, [&] { (void)receive(connection); }); });
  expect_next_one(ends, connection);
}

// ---- with types

TEST(Attach, TypedArrays) {
  lesson("Memory for a stranger");
  did("sent an array of doubles");
  auto [a, b] = joined();
  const RawArray<double> array = sendable_array<double>(3);
  array[1] = 2.5;
  send_array(a, array);
  {
    const NoEndlessWait guard;
    const RawArray<double> other = recv_array<double>(b);
    expect_eq("how many elements it has at the other end", other.size(), std::size_t{3});
    expect_eq("one of them", other[1], 2.5);
    other[-1] = 7.5;
    expect_eq("the sender's last element after the receiver has written", array[2], 7.5);
  }
  did("received an array of doubles as one of ints");
  send_array(a, array);
  const std::size_t descriptors = count_descriptors();
  expect_throw<BadMessage>("BadMessage", [&b = b] {
    const NoEndlessWait guard;
    (void)recv_array<int>(b);
  });
  expect_eq("the number of descriptors", count_descriptors(), descriptors);
}

// ---- CPython

TEST(Attach, ToCPython) {
  lesson("Python reads it");
  const SharedRegion region = SharedRegion::with_descriptor(5 * sizeof(double));
  auto ends = joined();
  did("sent five doubles to a Python process, which reads them and writes to them");
  send_region(ends.first, region, 'd', 5);  // a stub says so before Python is started
  std::string why_not;
  if (!CPython::works(why_not)) {
    GTEST_SKIP() << why_not;
  }
  const std::span<double> values(reinterpret_cast<double*>(region.data()), 5);
  values[0] = 0.5;
  values[4] = 4.5;
  const CPython python(ends.second.fileno(),
                       "import mmap, struct\n"
                       "from multiprocessing import reduction\n"
                       "code, length = struct.unpack('>cQ', conn.recv_bytes())\n"
                       "assert (code, length) == (b'd', 5), (code, length)\n"
                       "memory = mmap.mmap(reduction.recv_handle(conn), 8 * length)\n"
                       "view = memoryview(memory).cast(code.decode())\n"
                       "assert list(view) == [0.5, 0, 0, 0, 4.5], list(view)\n"
                       "view[1] = 1.25\n"
                       "conn.send_bytes(b'written')\n"
                       "assert conn.recv_bytes() == b'changed'\n"
                       "assert view[2] == 2.25, list(view)\n");
  ends.second.close();
  const bool answered = ends.first.poll(std::chrono::seconds(4));
  if (expect(answered && next_message(ends.first) == "written",
             "Python to find 5 doubles in the memory, and to write to it",
             answered ? "another answer, or its end" : "no answer for 4 s")) {
    expect_eq("the element that Python has written 1.25 to", values[1], 1.25);
    values[2] = 2.25;
    send_text(ends.first, "changed");
  }
  expect_eq("Python's end", python.end(), "exit code 0");
}

TEST(Attach, FromCPython) {
  lesson("Python reads it");
  auto ends = joined();
  did("received five ints from a Python process, and wrote to them");
  send_region(ends.first, numbers(1), 'i', 1);  // a stub says so before Python is started
  (void)receive(ends.second);
  std::string why_not;
  if (!CPython::works(why_not)) {
    GTEST_SKIP() << why_not;
  }
  const CPython python(
      ends.second.fileno(),
      "import fcntl, mmap, struct\n"
      "from multiprocessing import reduction\n"
      "fd = os.memfd_create('array', os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)\n"
      "os.ftruncate(fd, 20)\n"
      "fcntl.fcntl(fd, 1033, 1 | 2 | 4)  # F_ADD_SEALS: F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW\n"
      "view = memoryview(mmap.mmap(fd, 20)).cast('i')\n"
      "view[0], view[4] = 7, -7\n"
      "conn.send_bytes(struct.pack('>cQ', b'i', 5))\n"
      "reduction.send_handle(conn, fd, None)\n"
      "assert conn.recv_bytes() == b'written'\n"
      "assert list(view) == [7, 0, 99, 0, -7], list(view)\n");
  ends.second.close();
  if (!expect(ends.first.poll(std::chrono::seconds(4)), "a message from Python",
              "nothing for 4 s")) {
    return;
  }
  const Attached attached = recv_region(ends.first);
  expect_eq("the typecode", std::string(1, attached.typecode), "i");
  if (expect_eq("the length", attached.length, 5)) {
    expect_eq("the numbers", in_python(ints_in(attached.region).first(5)), "[7, 0, 0, 0, -7]");
    ints_in(attached.region)[2] = 99;
  }
  send_text(ends.first, "written");
  expect_eq("Python's end", python.end(), "exit code 0");
}

}  // namespace
}  // namespace mp::test
