#include "02-pipe/pass_fd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "00-syscalls/errors.hpp"
#include "02-pipe/cpython.hpp"
#include "02-pipe/ends.hpp"
#include "02-pipe/pipe.hpp"
#include "02-pipe/scene.hpp"
#include "support/faults.hpp"
#include "support/kid.hpp"
#include "support/lesson.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;

/// A file in memory that holds this text; its position is at the start.
UniqueFd file_with(std::string_view text) {
  UniqueFd file(must(memfd_create("pass_fd", MFD_CLOEXEC), "memfd_create"));
  must(::pwrite(file.get(), text.data(), text.size(), 0), "pwrite");
  return file;
}

/// What can be read from the file that this descriptor is for, from its start on.
std::string content_of(int fd) {
  std::array<char, 64> text{};
  const ssize_t count = ::pread(fd, text.data(), text.size(), 0);
  return count == -1 ? std::string("(") + strerrorname_np(errno) + ")"
                     : std::string(text.data(), static_cast<std::size_t>(count));
}

/// The next descriptor. When nothing comes, the test has failed, and there is none: recv_fd() would
/// wait for ever.
UniqueFd next_fd(Connection& connection) {
  if (!expect(connection.poll(kLimit), "a descriptor to arrive", "nothing, for 2 s")) {
    return UniqueFd();
  }
  return recv_fd(connection);
}

/// The file behind the next descriptor, in brackets what there is in its place.
std::string next_content(Connection& connection) {
  if (!connection.poll(kLimit)) {
    return "(nothing for 2 s)";
  }
  return content_of(recv_fd(connection).get());
}

/// Sends bytes with descriptors beside them, past the code under test.
void raw_send(int socket, std::string_view bytes, const std::vector<int>& fds) {
  iovec part{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
  alignas(cmsghdr) std::array<char, 256> room{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    const std::size_t size = fds.size() * sizeof(int);
    message.msg_control = room.data();
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* const control = CMSG_FIRSTHDR(&message);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(control), fds.data(), size);
  }
  must(sendmsg(socket, &message, MSG_NOSIGNAL), "sendmsg");
}

/// What a message consists of, as it comes out of a socket, past the code under test.
struct Arrived {
  std::string bytes;
  int rights = 0;  ///< how many control messages of type SCM_RIGHTS
  int others = 0;  ///< how many other ones
  std::vector<UniqueFd> fds;
};

/// The descriptors in the control messages of `header`.
std::vector<int> descriptors_in(msghdr& header, Arrived* counts = nullptr) {
  std::vector<int> fds;
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(&header, control)) {
    const bool rights = control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS;
    if (counts != nullptr) {
      ++(rights ? counts->rights : counts->others);
    }
    for (std::size_t at = 0; rights && CMSG_LEN(at + sizeof(int)) <= control->cmsg_len;
         at += sizeof(int)) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(control) + at, sizeof fd);
      fds.push_back(fd);
    }
  }
  return fds;
}

/// Receives all that is there, without waiting.
Arrived raw_receive(int socket) {
  Arrived arrived;
  for (;;) {
    std::array<char, 256> bytes{};
    alignas(cmsghdr) std::array<char, 256> room{};
    iovec part{.iov_base = bytes.data(), .iov_len = bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room.data();
    message.msg_controllen = room.size();
    const ssize_t count = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count <= 0) {
      return arrived;
    }
    arrived.bytes.append(bytes.data(), static_cast<std::size_t>(count));
    for (const int fd : descriptors_in(message, &arrived)) {
      arrived.fds.emplace_back(fd);
    }
  }
}

/// The socket hands out the credentials of the sender with each message.
void pass_credentials(int socket) {
  const int on = 1;
  must(setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on), "setsockopt");
}

void make_non_blocking(int fd) {
  must(fcntl(fd, F_SETFL, must(fcntl(fd, F_GETFL), "fcntl") | O_NONBLOCK), "fcntl");
}

/// Sends bytes to the socket until not one more has room. @return how many.
std::size_t fill(int socket) {
  const std::string filler(4096, '.');
  std::size_t filled = 0;
  for (std::size_t size = filler.size(); size > 0;) {
    const ssize_t count = ::send(socket, filler.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count == -1) {
      size /= 2;
    } else {
      filled += static_cast<std::size_t>(count);
    }
  }
  return filled;
}

volatile sig_atomic_t broken_pipes = 0;

/// While it lives, SIGPIPE is counted and kills nobody.
class CountsSigpipe {
 public:
  CountsSigpipe() {
    struct sigaction action {};
    action.sa_handler = [](int /*signum*/) { broken_pipes = broken_pipes + 1; };
    must(sigaction(SIGPIPE, &action, &before_), "sigaction");
  }
  ~CountsSigpipe() { sigaction(SIGPIPE, &before_, nullptr); }
  CountsSigpipe(const CountsSigpipe&) = delete;
  CountsSigpipe& operator=(const CountsSigpipe&) = delete;

 private:
  struct sigaction before_ {};
};

/// Expects that recv_fd() takes what comes for something else, and that it leaves nothing open and
/// makes an end of receiving on an end that also sends.
void expect_refused(Connection& connection, Connection& other) {
  const std::size_t before = count_descriptors();
  expect_throw<BadMessage>("BadMessage", [&] { (void)recv_fd(connection); });
  expect(count_descriptors() == before, "every descriptor that has come to be closed",
         std::to_string(count_descriptors()) + " descriptors open, where " +
             std::to_string(before) + " were open before");
  expect_eq("readable() afterwards", connection.readable(), false);
  expect_throw<ValueError>("ValueError", [&] { (void)recv_fd(connection); });
  send_text(connection, "still sending");
  expect_eq("what the other end receives afterwards", next_message(other), "still sending");
}

// ---- a descriptor arrives

TEST(PassFd, SameFileAnotherNumber) {
  lesson("A descriptor in a message");
  did("sent the descriptor of a file, and read on where the receiver had stopped reading");
  auto [a, b] = joined();
  const UniqueFd file = file_with("one two");
  send_fd(a, file.get());
  const UniqueFd received = next_fd(b);
  if (!expect(received && received.get() != file.get(), "a descriptor of its own",
              received ? "the number that was sent" : "none")) {
    return;
  }
  std::array<char, 3> word{};
  expect_eq("what read(2) returns for the received one", ::read(received.get(), word.data(), 3), 3);
  expect_eq("the word", std::string(word.data(), 3), "one");
  expect_eq("the position of the one that was sent: both share it,", lseek(file.get(), 0, SEEK_CUR),
            3);
}

TEST(PassFd, ToAnotherProcess) {
  lesson("A descriptor in a message");
  did("sent the writing end of a pipe to a child that was forked before the pipe was made");
  auto ends = joined();
  const Kid kid([&ends] {
    const UniqueFd pipe = next_fd(ends.second);
    return ::write(pipe.get(), "from the child", 14) == 14 ? 0 : 1;
  });
  std::array<int, 2> pipe{};
  must(pipe2(pipe.data(), O_CLOEXEC), "pipe2");
  const UniqueFd reading(pipe[0]);
  {
    const UniqueFd writing(pipe[1]);
    send_fd(ends.first, writing.get());
  }
  kid.wait_for_end();
  std::array<char, 64> text{};
  const ssize_t count = ::read(reading.get(), text.data(), text.size());
  expect_eq("what comes out of the pipe",
            std::string(text.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))),
            "from the child");
  expect_eq("what read(2) returns after the child's end, which is the end of file,",
            ::read(reading.get(), text.data(), text.size()), 0);
}

TEST(PassFd, FromAnotherProcess) {
  lesson("A descriptor in a message");
  did("received the descriptor of a file that a child has made");
  auto ends = joined();
  const Kid kid([&ends] {
    send_fd(ends.second, file_with("made by the child").get());
    return 0;
  });
  ends.second.close();
  expect_eq("what is in the file", next_content(ends.first), "made by the child");
}

TEST(PassFd, SenderMayCloseAtOnce) {
  lesson("A descriptor in a message");
  did("closed the file and the connection before anybody received the descriptor");
  auto [a, b] = joined();
  {
    const UniqueFd file = file_with("under way");
    send_fd(a, file.get());
  }
  a.close();
  expect_eq("what is in the file that is received", next_content(b), "under way");
  expect_throw<EOFError>("EOFError", [&b = b] { (void)recv_fd(b); });
}

TEST(PassFd, SenderKeepsItsOwn) {
  lesson("One owner for a descriptor");
  did("sent a descriptor, and looked at the sender's descriptors");
  auto [a, b] = joined();
  const UniqueFd file = file_with("kept");
  const std::size_t before = count_descriptors();
  send_fd(a, file.get());
  expect_eq("the number of descriptors", count_descriptors(), before);
  expect_eq("what is in the sender's file", content_of(file.get()), "kept");
  expect_eq("what is in the file that is received", next_content(b), "kept");
  expect_eq("the number of descriptors in the end", count_descriptors(), before);
}

TEST(PassFd, ClosedInANewProgram) {
  lesson("One owner for a descriptor");
  did("received a descriptor, and looked at its FD_CLOEXEC");
  auto [a, b] = joined();
  const UniqueFd file = file_with("");
  send_fd(a, file.get());
  int open_for_a_moment = 0;
  Faults faults;
  faults.after("recvmsg", [&](const Call& call) {
    for (const int fd : descriptors_in(*const_cast<msghdr*>(pointer<msghdr>(call.args[1])))) {
      const int flags = fcntl(fd, F_GETFD);
      open_for_a_moment += flags != -1 && (flags & FD_CLOEXEC) == 0 ? 1 : 0;
    }
  });
  const UniqueFd received = next_fd(b);
  if (received) {
    expect((must(fcntl(received.get(), F_GETFD), "fcntl") & FD_CLOEXEC) != 0,
           "FD_CLOEXEC: closed in a program that execve starts", "no FD_CLOEXEC");
    expect(open_for_a_moment == 0,
           "FD_CLOEXEC from the call on that receives it: another thread may fork and execute "
           "right after it",
           "a descriptor without it at first");
  }
}

TEST(PassFd, BetweenMessages) {
  lesson("A descriptor in a message");
  did("sent a message, a descriptor, a message, two descriptors and a message");
  auto [a, b] = joined();
  send_text(a, "first");
  send_fd(a, file_with("one").get());
  send_text(a, "");
  send_fd(a, file_with("two").get());
  send_fd(a, file_with("three").get());
  send_text(a, "last");
  expect_eq("the first message", next_message(b), "first");
  expect_eq("what is in the first file", next_content(b), "one");
  expect_eq("the second message", next_message(b), "");
  expect_eq("what is in the second file", next_content(b), "two");
  expect_eq("what is in the third file", next_content(b), "three");
  expect_eq("the last message", next_message(b), "last");
}

TEST(PassFd, Many) {
  lesson("A descriptor in a message");
  did("sent and received a hundred descriptors, in both directions");
  auto [a, b] = joined();
  const UniqueFd file = file_with("again");
  const std::size_t before = count_descriptors();
  for (int i = 0; i < 50; ++i) {
    send_fd(a, file.get());
    send_fd(b, file.get());
    if (!expect_eq("what is in the file", next_content(b), "again") ||
        !expect_eq("what is in the file", next_content(a), "again")) {
      return;
    }
  }
  expect_eq("the number of descriptors afterwards", count_descriptors(), before);
}

TEST(PassFd, StandardInputMayBeSentAndItsNumberReceived) {
  lesson("One owner for a descriptor");
  did("sent descriptor 0 to a child, which has closed its own descriptor 0 and so receives it "
      "under this number");
  auto ends = joined();
  const Kid kid([&ends] {
    ::close(STDIN_FILENO);
    const UniqueFd received = next_fd(ends.second);
    return received.get() == 0 && is_open(0) ? 0 : 1;
  });
  send_fd(ends.first, STDIN_FILENO);
  kid.wait_for_end();
  expect_eq("the child's exit code, which is 0 when it has descriptor 0,", kid.take().value_or(-1),
            0);
}

TEST(PassFd, ConnectionThroughAConnection) {
  lesson("A descriptor in a message");
  did("sent one end of a pipe through another pipe, to a child that speaks on it");
  auto ends = joined();
  const Kid kid([&ends] {
    Connection connection(next_fd(ends.second));
    send_text(connection, next_message(connection) + ", too");
    return 0;
  });
  ends.second.close();
  auto [mine, its] = joined();
  send_fd(ends.first, its.fileno());
  its.close();
  send_text(mine, "hello");
  expect_eq("the answer", next_message(mine), "hello, too");
  expect_eq("what comes after the child's end", next_message(mine), "(the end of file)");
}

TEST(PassFd, OneWay) {
  lesson("Both directions");
  did("sent a descriptor and a message on the second end of a Pipe(false)");
  auto [reader, writer] = Pipe(false);
  send_fd(writer, file_with("one way").get());
  send_text(writer, "a message");
  expect_eq("what is in the file", next_content(reader), "one way");
  expect_eq("the message", next_message(reader), "a message");
}

// ---- the wire

TEST(PassFd, OneByteAndOneDescriptorTravel) {
  lesson("Talk to Python");
  did("sent a descriptor, and received it with recvmsg(2)");
  Ends ends;
  Connection connection{UniqueFd(ends.give())};
  send_fd(connection, file_with("raw").get());
  const Arrived arrived = raw_receive(ends.other());
  expect_eq("the number of bytes", arrived.bytes.size(), std::size_t{1});
  expect_eq("the number of control messages of type SCM_RIGHTS", arrived.rights, 1);
  if (expect_eq("the number of descriptors", arrived.fds.size(), std::size_t{1})) {
    expect_eq("what is in the file", content_of(arrived.fds[0].get()), "raw");
  }
  if (!arrived.bytes.empty()) {
    expect_eq("the byte, which CPython compares with the number of descriptors,",
              static_cast<int>(arrived.bytes[0]), 1);
  }
}

TEST(PassFd, OneByteAndOneDescriptorAreTaken) {
  lesson("Talk to Python");
  did("received a descriptor that was sent with sendmsg(2), as CPython does it");
  Ends ends;
  Connection connection{UniqueFd(ends.give())};
  raw_send(ends.other(), "\1", {file_with("raw").get()});
  ends.put(frame("what follows"));
  expect_eq("what is in the file", next_content(connection), "raw");
  expect_eq("the message behind it", next_message(connection), "what follows");
}

TEST(PassFd, ToCPython) {
  lesson("Talk to Python");
  std::string why_not;
  if (!CPython::works(why_not)) {
    GTEST_SKIP() << why_not;
  }
  did("sent a message and a descriptor to CPython, which calls recv_handle()");
  auto [a, b] = joined();
  const CPython python(b.fileno(),
                       "from multiprocessing import reduction\n"
                       "assert conn.recv_bytes() == b'here it is'\n"
                       "handle = reduction.recv_handle(conn)\n"
                       "assert os.read(handle, 100) == b'for Python'\n"
                       "conn.send_bytes(b'thanks')\n");
  b.close();
  send_text(a, "here it is");
  send_fd(a, file_with("for Python").get());
  expect_eq("CPython's end, which is 0 when it could read the file,", python.end(), "exit code 0");
  expect_eq("what CPython has sent", next_message(a), "thanks");
}

TEST(PassFd, FromCPython) {
  lesson("Talk to Python");
  std::string why_not;
  if (!CPython::works(why_not)) {
    GTEST_SKIP() << why_not;
  }
  did("received a descriptor and a message from CPython, which calls send_handle()");
  auto [a, b] = joined();
  const CPython python(b.fileno(),
                       "from multiprocessing import reduction\n"
                       "reading, writing = os.pipe()\n"
                       "os.write(writing, b'from Python')\n"
                       "reduction.send_handle(conn, reading, os.getppid())\n"
                       "conn.send_bytes(b'bye')\n");
  b.close();
  expect_eq("CPython's end", python.end(), "exit code 0");
  const UniqueFd received = next_fd(a);
  std::array<char, 64> text{};
  const ssize_t count = ::read(received.get(), text.data(), text.size());
  expect_eq("what is in the pipe that is received",
            std::string(text.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))),
            "from Python");
  expect_eq("the message behind it", next_message(a), "bye");
}

// ---- what is no descriptor

TEST(PassFd, EndOfFile) {
  lesson("A message that ends too early");
  did("called recv_fd() when the other end is closed");
  auto [a, b] = joined();
  b.close();
  for (int i = 0; i < 2; ++i) {
    expect_throw<EOFError>("EOFError", [&a = a] { (void)recv_fd(a); });
  }
  did("called recv_fd() when the other end was closed with something in it that nobody had read");
  auto [c, d] = joined();
  send_text(c, "unread");
  d.close();
  for (int i = 0; i < 2; ++i) {
    expect_throw<EOFError>("EOFError", [&c = c] { (void)recv_fd(c); });
  }
  expect_eq("readable() afterwards", c.readable(), true);
}

TEST(PassFd, MessageInItsPlace) {
  lesson("A descriptor in a message");
  did("called recv_fd() where a message comes");
  auto [a, b] = joined();
  send_text(b, "no descriptor");
  expect_refused(a, b);
  did("called recv_fd() where a message of 16 MiB begins, the first byte of which is 1");
  Ends ends;
  Connection connection{UniqueFd(ends.give())};
  ends.put(big_endian(0x01000000, 4));
  expect_throw<BadMessage>("BadMessage", [&] { (void)recv_fd(connection); });
  expect_eq("readable() afterwards", connection.readable(), false);
}

TEST(PassFd, MessageInItsPlaceOnAnEndThatOnlyReceives) {
  lesson("A descriptor in a message");
  did("called recv_fd() where a message comes, on the first end of a Pipe(false)");
  auto [reader, writer] = Pipe(false);
  send_text(writer, "no descriptor");
  expect_throw<BadMessage>("BadMessage", [&reader = reader] { (void)recv_fd(reader); });
  expect_eq("closed() afterwards, as nothing is left that it could do,", reader.closed(), true);
}

TEST(PassFd, MoreThanOne) {
  lesson("A descriptor in a message");
  const UniqueFd file = file_with("");
  for (const std::size_t number : {2U, 3U, 20U}) {
    did("received " + std::to_string(number) + " descriptors in one message");
    auto [a, b] = joined();
    const std::string byte(1, static_cast<char>(number));
    raw_send(b.fileno(), byte, std::vector<int>(number, file.get()));
    expect_refused(a, b);
  }
  did("received two descriptors in one message, the byte of which says that there is one");
  auto [a, b] = joined();
  raw_send(b.fileno(), "\1", {file.get(), file.get()});
  expect_refused(a, b);
}

TEST(PassFd, ByteThatIsNotOne) {
  lesson("Talk to Python");
  for (const char byte : {'\0', '\2', 'x'}) {
    did("received one descriptor beside a byte that is " + std::to_string(int{byte}) +
        ", where CPython wants the number of descriptors");
    auto [a, b] = joined();
    raw_send(b.fileno(), std::string(1, byte), {file_with("").get()});
    expect_refused(a, b);
  }
}

TEST(PassFd, CredentialsAreNoDescriptor) {
  lesson("A descriptor in a message");
  did("received a descriptor on a socket with SO_PASSCRED, where credentials come first");
  auto [a, b] = joined();
  pass_credentials(a.fileno());
  const std::size_t before = count_descriptors();
  send_fd(b, file_with("with credentials").get());
  expect_eq("what is in the file", next_content(a), "with credentials");
  expect_eq("the number of descriptors afterwards", count_descriptors(), before);
  did("received on such a socket a message of one byte with credentials and no descriptor");
  raw_send(b.fileno(), "\1", {});
  expect_refused(a, b);
}

TEST(PassFd, InTheMiddleOfAMessage) {
  lesson("One deadline for the whole message");
  did("called recv_fd() when a part of a message has been received");
  auto [a, b] = joined();
  const std::string whole = frame("a message in two parts");
  for (const std::size_t cut : {std::size_t{2}, std::size_t{10}}) {
    const std::string_view view(whole);
    raw_send(b.fileno(), view.substr(0, cut), {});
    expect_throw<TimeoutError>("TimeoutError",
                               [&a = a] { (void)a.recv_bytes_until(Deadline::after(0s)); });
    expect_throw<ValueError>("ValueError", [&a = a] { (void)recv_fd(a); });
    raw_send(b.fileno(), view.substr(cut), {});
    send_fd(b, file_with("behind it").get());
    expect_eq("the message, when the rest has come,", next_message(a), "a message in two parts");
    expect_eq("what is in the file behind it", next_content(a), "behind it");
  }
}

// ---- mistakes

TEST(PassFd, WrongDirection) {
  lesson("Both directions");
  did("called send_fd() on the end of a Pipe(false) that receives, and recv_fd() on the other one");
  auto [reader, writer] = Pipe(false);
  const UniqueFd file = file_with("right way");
  expect_throw<ValueError>("ValueError",
                           [&reader = reader, &file] { send_fd(reader, file.get()); });
  expect_throw<ValueError>("ValueError", [&writer = writer] { (void)recv_fd(writer); });
  send_fd(writer, file.get());
  expect_eq("what is in the file that is received afterwards", next_content(reader), "right way");
}

TEST(PassFd, ClosedConnection) {
  lesson("One owner for a descriptor");
  did("called send_fd() and recv_fd() on a connection that is closed");
  auto [a, b] = joined();
  a.close();
  const UniqueFd file = file_with("");
  expect_throw<ValueError>("ValueError", [&a = a, &file] { send_fd(a, file.get()); });
  expect_throw<ValueError>("ValueError", [&a = a] { (void)recv_fd(a); });
}

TEST(PassFd, DescriptorThatIsNotOpen) {
  lesson("One owner for a descriptor");
  auto [a, b] = joined();
  const int closed = must(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 100), "fcntl");
  ::close(closed);
  for (const int fd : {closed, -1}) {
    did("called send_fd() with descriptor " + std::to_string(fd) + ", which is not open");
    expect_error(EBADF, [&a = a, fd] { send_fd(a, fd); });
    expect_eq("whether anything was sent", b.poll(), false);
  }
  did("sent one that is open after that");
  send_fd(a, file_with("good").get());
  expect_eq("what is in the file", next_content(b), "good");
}

TEST(PassFd, NobodyReads) {
  lesson("Nobody reads any more");
  did("called send_fd() when the other end is closed");
  auto [a, b] = joined();
  b.close();
  const UniqueFd file = file_with("");
  const CountsSigpipe counter;
  for (int i = 0; i < 2; ++i) {
    expect_error(EPIPE, [&a = a, &file] { send_fd(a, file.get()); });
  }
  expect(broken_pipes == 0, "no SIGPIPE, which kills whoever has no handler for it",
         std::to_string(broken_pipes) + " of them");
}

TEST(PassFd, ReceiverGoesAndLeavesSomethingUnread) {
  lesson("Nobody reads any more");
  const UniqueFd file = file_with("");
  {
    did("made the calls that send fail with ECONNRESET in send_fd()");
    auto [a, b] = joined();
    Faults faults;
    fail(faults, kWriteCalls, ECONNRESET);
    expect_error(EPIPE, [&a = a, &file] { send_fd(a, file.get()); });
  }
  const CountsSigpipe counter;  // which is for another test
  did("called send_fd() on a connection that is full, the other end of which is closed meanwhile");
  auto ends = joined();
  fill(ends.first.fileno());
  const Kid kid(
      [parent = getpid()] {
        falls_asleep(parent);  // its copy of the other end is the last one
        return 0;
      },
      10);
  ends.second.close();
  for (int i = 0; i < 2; ++i) {
    expect_error(EPIPE, [&ends, &file] { send_fd(ends.first, file.get()); });
  }
}

TEST(PassFd, ReceiverHasNoDescriptorLeft) {
  lesson("A descriptor in a message");
  did("received a descriptor when this process may not have one more");
  auto [a, b] = joined();
  const std::size_t before = count_descriptors();
  send_fd(b, file_with("lost").get());
  send_fd(b, file_with("second").get());
  expect_error(EMFILE, [&a = a] { with_descriptors(0, [&a] { (void)recv_fd(a); }); });
  did("received the next one when there was room again");
  expect_eq("what is in the file", next_content(a), "second");
  send_text(b, "a message");
  expect_eq("the message behind it", next_message(a), "a message");
  expect_eq("the number of descriptors afterwards", count_descriptors(), before);
}

TEST(PassFd, RoomForOneOfTwo) {
  lesson("A descriptor in a message");
  did("received two descriptors in one message when this process may have only one more");
  auto [a, b] = joined();
  const UniqueFd file = file_with("");
  raw_send(b.fileno(), "\1", {file.get(), file.get()});
  const std::size_t before = count_descriptors();
  std::string seen;
  try {
    const UniqueFd received = with_descriptors(1, [&a = a] { return recv_fd(a); });
    seen = received ? "one descriptor of the two" : "no descriptor, and no exception";
  } catch (const BadMessage&) {
    seen = "refused";
  } catch (const std::system_error& error) {  // which is true as well
    seen = error.code() == std::errc::too_many_files_open ? "refused" : error.what();
  }
  expect(seen == "refused", "a BadMessage: one of two is not what was sent", seen);
  expect_eq("the number of descriptors afterwards", count_descriptors(), before);
}

// ---- interrupted, or not ready

TEST(PassFd, InterruptedBySignals) {
  lesson("Bytes have no boundaries");
  did("made each call that sends or receives fail with EINTR twice");
  auto [a, b] = joined();
  const UniqueFd file = file_with("in spite of signals");
  {
    Faults faults;
    fail(faults, kWriteCalls, EINTR, 2);
    send_fd(a, file.get());
  }
  expect_eq("what is in the file", next_content(b), "in spite of signals");
  send_fd(a, file.get());
  if (expect(b.poll(kLimit), "a descriptor to arrive", "nothing, for 2 s")) {
    Faults faults;
    fail(faults, kReadCalls, EINTR, 2);
    expect_eq("what is in the file", content_of(recv_fd(b).get()), "in spite of signals");
  }
}

TEST(PassFd, ReceivingFromANonBlockingSocketWaits) {
  lesson("Bytes have no boundaries");
  did("called recv_fd() on a socket that somebody has made non-blocking, before anything has come");
  auto ends = joined();
  make_non_blocking(ends.first.fileno());
  const Kid kid(
      [&ends, parent = getpid()] {
        falls_asleep(parent);
        send_fd(ends.second, file_with("at last").get());
        return 0;
      },
      10);
  ends.second.close();
  expect_eq("what is in the file", content_of(recv_fd(ends.first).get()), "at last");
}

TEST(PassFd, SendingToAFullNonBlockingSocketWaits) {
  lesson("One deadline for the whole message");
  did("called send_fd() on a socket that somebody has made non-blocking, and that is full");
  auto ends = joined();
  make_non_blocking(ends.first.fileno());
  const std::size_t filled = fill(ends.first.fileno());
  const Kid kid(
      [&ends, filled, parent = getpid()] {
        falls_asleep(parent);
        std::vector<char> all(filled);
        const ssize_t count = ::recv(ends.second.fileno(), all.data(), all.size(), MSG_WAITALL);
        return count == static_cast<ssize_t>(filled) &&
                       next_content(ends.second) == "behind all that"
                   ? 0
                   : 1;
      },
      10);
  send_fd(ends.first, file_with("behind all that").get());
  kid.wait_for_end();
  expect_eq("the end of the child, which is 0 when it has received the descriptor behind the rest,",
            kid.take().value_or(-1), 0);
}

TEST(PassFd, ErrorsAreToldAsTheyAre) {
  lesson("A descriptor in a message");
  for (const int error : {ENOMEM, EIO}) {
    const UniqueFd file = file_with("");
    auto [a, b] = joined();
    did(std::string("called send_fd() when the call that sends fails with ") +
        strerrorname_np(error));
    {
      Faults faults;
      fail(faults, kWriteCalls, error);
      expect_error(error, [&a = a, &file] { send_fd(a, file.get()); });
    }
    did(std::string("called recv_fd() when the call that receives fails with ") +
        strerrorname_np(error));
    send_fd(a, file.get());
    Faults faults;
    fail(faults, kReadCalls, error);
    expect_error(error, [&b = b] { (void)recv_fd(b); });
  }
}

TEST(PassFd, NobodyReadsAfterASignal) {
  lesson("Nobody reads any more");
  did("called send_fd() when the other end is closed, and the first call is interrupted (EINTR)");
  auto [a, b] = joined();
  b.close();
  const UniqueFd file = file_with("");
  const CountsSigpipe counter;
  Faults faults;
  fail(faults, kWriteCalls, EINTR);
  expect_error(EPIPE, [&a = a, &file] { send_fd(a, file.get()); });
  expect(broken_pipes == 0, "no SIGPIPE, which kills whoever has no handler for it",
         std::to_string(broken_pipes) + " of them");
}

TEST(PassFd, WhatIsSentStaysAsItIs) {
  lesson("A descriptor in a message");
  did("sent the end of a pipe that is non-blocking and close-on-exec, and looked at it afterwards");
  std::array<int, 2> ends{};
  must(pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), "pipe2");
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  auto [a, b] = joined();
  const int status = fcntl(reader.get(), F_GETFL);
  send_fd(a, reader.get());
  const UniqueFd received = next_fd(b);
  expect_eq("its flags (F_GETFL)", fcntl(reader.get(), F_GETFL), status);
  expect_eq("its close-on-exec flag (F_GETFD)", fcntl(reader.get(), F_GETFD), FD_CLOEXEC);
}

}  // namespace
}  // namespace mp::test
