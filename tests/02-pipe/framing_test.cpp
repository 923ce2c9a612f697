#include "02-pipe/framing.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <functional>
#include <iomanip>
#include <new>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "00-syscalls/errors.hpp"
#include "02-pipe/cpython.hpp"
#include "02-pipe/ends.hpp"
#include "02-pipe/errors.hpp"
#include "support/child.hpp"
#include "support/faults.hpp"
#include "support/kid.hpp"
#include "support/lesson.hpp"
#include "support/sanitizer.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kLongestShort = 0x7fffffff;
constexpr std::uint64_t kTwoGiBAndFive = (std::uint64_t{1} << 31) + 5;

/// As did(), unless something has failed: the report is about what failed first.
/// @return whether to go on.
bool next(std::string_view what) {
  if (testing::Test::HasFailure()) {
    return false;
  }
  did(what);
  return true;
}

/// "1 byte", "5 bytes"
std::string bytes_in_words(std::size_t size) {
  return std::to_string(size) + (size == 1 ? " byte" : " bytes");
}

/// "00 00 00 05"
std::string hex(std::string_view bytes) {
  std::ostringstream out;
  out << std::hex << std::setfill('0');
  for (const char byte : bytes) {
    out << (out.tellp() > 0 ? " " : "") << std::setw(2)
        << static_cast<unsigned>(static_cast<unsigned char>(byte));
  }
  return out.str();
}

std::string hex(std::span<const std::byte> bytes) {
  return hex(as_text(bytes));
}

/// The 12 bytes of a header of the long form, whatever its length.
std::string long_header(std::uint64_t length) {
  return "\xff\xff\xff\xff" + big_endian(length, 8);
}

/// A frame in the long form. CPython never sends one that is so short, and accepts it.
std::string long_frame(std::string_view body) {
  return long_header(body.size()).append(body);
}

Deadline passed() {
  return Deadline::after(0s);
}

std::string system_error(int code) {
  const char* const name = strerrorname_np(code);
  return "std::system_error with " + (name == nullptr ? std::to_string(code) : std::string(name));
}

/// What came of a call, in words: those that `action` returns, or the name of its exception.
std::string outcome(const std::function<std::string()>& action) {
  try {
    return action();
  } catch (const EOFError&) {
    return "EOFError";
  } catch (const BadMessage&) {
    return "BadMessage";
  } catch (const std::bad_alloc&) {
    return "std::bad_alloc";
  } catch (const ValueError&) {
    return "ValueError";
  } catch (const std::system_error& error) {
    return system_error(error.code().value());
  } catch (const std::exception& error) {
    detail::not_written_yet(error);
    return detail::type_in_flight() + ", " + error.what();
  }
}

std::string length_of(std::uint64_t length) {
  return "a length of " + std::to_string(length);
}

std::string decoding(std::string_view bytes) {
  return outcome([bytes] {
    const auto length = decode_header(as_span(bytes));
    return length ? length_of(*length) : "none";
  });
}

std::string reading_header(int fd, Incoming& incoming, Deadline deadline = Deadline::never()) {
  return outcome([&] {
    const auto length = read_header(fd, incoming, deadline);
    return length ? length_of(*length) : "none";
  });
}

std::string reading_body(int fd, Incoming& incoming, Deadline deadline = Deadline::never()) {
  return outcome([&] { return read_body(fd, incoming, deadline) ? "true" : "false"; });
}

std::string name_of(Sent sent) {
  switch (sent) {
    case Sent::kWhole:
      return "kWhole";
    case Sent::kNothing:
      return "kNothing";
    case Sent::kPart:
      return "kPart";
  }
  return "Sent(" + std::to_string(static_cast<int>(sent)) + ")";
}

std::string writing(int fd, std::span<const std::byte> body, Deadline deadline) {
  return outcome([&] { return name_of(write_frame(fd, body, deadline)); });
}

/// What is wrong with a body that has come. @return nothing, if it is what was sent.
std::string trouble_with(const Bytes& body, std::string_view sent) {
  const std::string seen = as_text(body);
  if (seen == sent) {
    return "";
  }
  const auto [there, here] = std::mismatch(seen.begin(), seen.end(), sent.begin(), sent.end());
  return "a body of " + bytes_in_words(seen.size()) +
         ", which differs from what was sent from byte " + std::to_string(there - seen.begin()) +
         " on";
}

bool expect_body(const Bytes& body, std::string_view sent) {
  const std::string trouble = trouble_with(body, sent);
  return expect(trouble.empty(), "the body that was sent, " + bytes_in_words(sent.size()), trouble);
}

/// Reads a whole message. @return what is wrong with it; nothing, if it is what was sent.
std::string trouble_with_message(int fd, std::string_view sent, Deadline deadline) {
  Incoming incoming;
  const std::string header = reading_header(fd, incoming, deadline);
  if (header != length_of(sent.size())) {
    return "read_header(): " + header;
  }
  const std::string body = reading_body(fd, incoming, deadline);
  return body != "true" ? "read_body(): " + body : trouble_with(incoming.body, sent);
}

bool expect_no_trouble(const std::string& trouble, std::size_t size) {
  return expect(trouble.empty(),
                "the message that was sent: " + length_of(size) +
                    " from read_header(), true from read_body(), and the same bytes",
                trouble);
}

bool expect_message(int fd, std::string_view sent, Deadline deadline = Deadline::never()) {
  return expect_no_trouble(trouble_with_message(fd, sent, deadline), sent.size());
}

/// Whether nothing is left in `incoming` of a message that is lost.
void expect_as_new(const Incoming& incoming) {
  expect(incoming.header.size == 0 && incoming.received == 0 && incoming.body.empty(),
         "an Incoming as new: nothing more of this message will come",
         bytes_in_words(incoming.header.size) + " of a header, " +
             std::to_string(incoming.received) + " of a body of " +
             std::to_string(incoming.body.size()));
}

/// After the end of file: the same answer again and again.
void expect_end_of_file(int fd, Incoming& incoming) {
  expect_eq("the result of the next read_header()", reading_header(fd, incoming), "EOFError");
  expect_eq("the result of the one after that", reading_header(fd, incoming), "EOFError");
}

/// What can be read from a descriptor without waiting.
std::string rest_of(int fd) {
  std::string bytes(65536, '\0');
  const ssize_t count = ::recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

/// Sends zeros until the kernel takes no more. @return how many it took.
std::size_t fill(int fd) {
  static constexpr std::array<char, 4096> kZeros{};
  std::size_t sum = 0;
  for (const std::size_t size : {kZeros.size(), std::size_t{1}}) {
    for (;;) {
      const ssize_t count = ::send(fd, kZeros.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count == -1 && errno != EINTR) {
        break;
      }
      sum += count > 0 ? static_cast<std::size_t>(count) : 0;
    }
  }
  return sum;
}

/// A small buffer in the kernel, whatever this machine's settings.
void limit_buffer(int fd) {
  const int bytes = 32768;
  must(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes), "setsockopt");
}

void make_non_blocking(int fd) {
  must(fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK), "fcntl");
}

/// While it lives, code that would wait is taken out of its wait by an exception.
class NoWait {
 public:
  NoWait() {
    before(faults_, kReadCalls, [](const Call& call) { stop_if_blocking(call, POLLIN); });
    before(faults_, kWriteCalls, [](const Call& call) { stop_if_blocking(call, POLLOUT); });
    before(faults_, kPollCalls, [](const Call& call) {
      if (poll_patience_ms(call) != 0) {
        stop(call);
      }
    });
  }

 private:
  static void stop_if_blocking(const Call& call, short event) {
    const int fd = static_cast<int>(call.args[0]);
    pollfd item{fd, event, 0};
    const bool has_flags = call.name.starts_with("recv") || call.name.starts_with("send");
    const long flags = call.args[call.name.ends_with("msg") ? 2 : 3];
    if (!(has_flags && (flags & MSG_DONTWAIT) != 0) && (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0 &&
        poll(&item, 1, 0) == 0) {
      stop(call);
    }
  }
  [[noreturn]] static void stop(const Call& call) {
    throw std::runtime_error("a wait in " + std::string(call.name) +
                             ", although the deadline has passed");
  }

  Faults faults_;
};

/// Memory of 4 MiB, and spans that claim that there is more of it.
class Mapping {
 public:
  Mapping() {
    // Far below the end of the address space, so that what is claimed ends within it.
    auto* const hint = reinterpret_cast<void*>(std::uintptr_t{1} << 44);  // NOLINT
    address_ = mmap(hint, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(address_ == MAP_FAILED ? -1 : 0, "mmap");
  }
  ~Mapping() { munmap(address_, kSize); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  [[nodiscard]] std::span<const std::byte> claiming(std::uint64_t size) const {
    return {static_cast<const std::byte*>(address_), size};
  }

 private:
  static constexpr std::size_t kSize = std::size_t{4} << 20;
  void* address_;
};

/// How many bytes of this process's addresses are in use, and how many of them have memory.
struct Memory {
  std::size_t size = 0;
  std::size_t resident = 0;
};

Memory memory_in_use() {
  Memory memory;
  std::ifstream("/proc/self/statm") >> memory.size >> memory.resident;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return {memory.size * page, memory.resident * page};
}

// ---- the header as bytes

struct Example {
  std::uint64_t length;
  std::string_view header;
};

constexpr std::array<Example, 6> kShortHeaders{{{0, "00 00 00 00"},
                                                {1, "00 00 00 01"},
                                                {255, "00 00 00 ff"},
                                                {256, "00 00 01 00"},
                                                {0x12345678, "12 34 56 78"},
                                                {kLongestShort, "7f ff ff ff"}}};
constexpr std::array<Example, 6> kLongHeaders{
    {{kLongestShort + 1, "ff ff ff ff 00 00 00 00 80 00 00 00"},
     {kTwoGiBAndFive, "ff ff ff ff 00 00 00 00 80 00 00 05"},
     {0xffffffff, "ff ff ff ff 00 00 00 00 ff ff ff ff"},
     {0x100000000, "ff ff ff ff 00 00 00 01 00 00 00 00"},
     {0x123456789a, "ff ff ff ff 00 00 00 12 34 56 78 9a"},
     {kMaxMessage, "ff ff ff ff 00 00 01 00 00 00 00 00"}}};

void expect_headers(std::span<const Example> examples) {
  for (const auto& [length, bytes] : examples) {
    if (!next("called encode_header(" + std::to_string(length) + ")")) {
      return;
    }
    if (!expect_eq("the header", hex(encode_header(length).span()), bytes)) {
      return;
    }
  }
}

std::string from_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    bytes += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

void expect_lengths(std::span<const Example> examples) {
  for (const auto& [length, bytes] : examples) {
    if (!next("called decode_header() for " + std::string(bytes))) {
      return;
    }
    if (!expect_eq("the result", decoding(from_hex(bytes)), length_of(length))) {
      return;
    }
  }
}

TEST(Framing, ShortHeader) {
  lesson("A frame says where a message ends");
  expect_headers(kShortHeaders);
}

TEST(Framing, LongHeader) {
  lesson("A frame says where a message ends");
  expect_headers(kLongHeaders);
}

TEST(Framing, NoHeaderForWhatIsTooLong) {
  lesson("Lengths that cannot be");
  for (const std::uint64_t length :
       {kMaxMessage + 1, std::uint64_t{1} << 63, ~std::uint64_t{0} - 3, ~std::uint64_t{0}}) {
    if (!next("called encode_header(" + std::to_string(length) + "), which is above kMaxMessage")) {
      return;
    }
    expect_eq("what came of it", outcome([length] { return hex(encode_header(length).span()); }),
              "ValueError");
  }
}

TEST(Framing, LengthOfAShortHeader) {
  lesson("A frame says where a message ends");
  expect_lengths(kShortHeaders);
}

TEST(Framing, LengthOfALongHeader) {
  lesson("A frame says where a message ends");
  expect_lengths(kLongHeaders);
}

TEST(Framing, HeaderAndBack) {
  lesson("A frame says where a message ends");
  Random random;
  did("took lengths by chance to decode_header(encode_header(length))" + random.words());
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t length = std::uint64_t{random.below(0xffffffff)} << random.below(9);
    const std::string bytes(as_text(encode_header(length).span()));
    if (!expect_eq("the size of the header for " + std::to_string(length), bytes.size(),
                   std::size_t{length > kLongestShort ? 12U : 4U}) ||
        !expect_eq("the length", decoding(bytes), length_of(length))) {
      return;
    }
  }
}

TEST(Framing, UnfinishedHeader) {
  lesson("A frame says where a message ends");
  for (const std::uint64_t length : {std::uint64_t{5}, kTwoGiBAndFive}) {
    // What has not arrived is behind the span all the same, for whoever looks there.
    const std::string header = length == 5 ? big_endian(5, 4) : long_header(length);
    for (std::size_t size = 0; size < header.size(); ++size) {
      const std::string_view arrived = std::string_view(header).substr(0, size);
      if (!next("called decode_header() for the first " + std::to_string(size) + " of the " +
                std::to_string(header.size()) + " bytes " + hex(header))) {
        return;
      }
      if (!expect_eq("the result", decoding(arrived), "none")) {
        return;
      }
    }
  }
}

TEST(Framing, BytesBehindTheHeader) {
  lesson("A frame says where a message ends");
  for (const std::string& header : {big_endian(5, 4), long_header(kTwoGiBAndFive)}) {
    const std::uint64_t length = header.size() == 4 ? 5 : kTwoGiBAndFive;
    for (std::size_t more = 1; more < 12; ++more) {
      if (!next("called decode_header() for " + hex(header) + " and " + std::to_string(more) +
                " more bytes, which are the body's")) {
        return;
      }
      if (!expect_eq("the result", decoding(header + std::string(more, '\xee')),
                     length_of(length))) {
        return;
      }
    }
  }
}

TEST(Framing, NegativeLength) {
  lesson("Lengths that cannot be");
  for (const std::string_view bytes :
       {"ff ff ff fe", "ff ff ff 00", "80 00 00 00", "80 00 00 05"}) {
    if (!next("called decode_header() for the 4 bytes " + std::string(bytes) +
              ", a negative number")) {
      return;
    }
    expect_eq("what came of it", decoding(from_hex(bytes)), "BadMessage");
    if (!next("called decode_header() for " + std::string(bytes) + " and 8 more bytes")) {
      return;
    }
    expect_eq("what came of it", decoding(from_hex(bytes) + big_endian(5, 8)), "BadMessage");
  }
}

TEST(Framing, LengthAboveTheLimit) {
  lesson("Lengths that cannot be");
  constexpr std::uint64_t kTopBit = std::uint64_t{1} << 63;
  for (const std::uint64_t length :
       {kMaxMessage + 1, 2 * kMaxMessage, kTopBit, kTopBit + 5, ~std::uint64_t{0}}) {
    if (!next("called decode_header() for " + hex(long_header(length)))) {
      return;
    }
    expect_eq("what came of it", decoding(long_header(length)), "BadMessage");
  }
}

TEST(Framing, SmallLengthInALongHeader) {
  lesson("Lengths that cannot be");
  for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{5}, kLongestShort}) {
    if (!next("called decode_header() for " + hex(long_header(length)) +
              ", a detour, but a length: CPython accepts it")) {
      return;
    }
    expect_eq("the result", decoding(long_header(length)), length_of(length));
  }
}

// ---- reading

TEST(Framing, MessagesOneAfterTheOther) {
  lesson("A frame says where a message ends");
  Random random;
  const Ends ends;
  std::vector<std::string> messages;
  for (const std::size_t size : {5, 0, 1, 0, 300, 3, 4, 12}) {
    messages.push_back(random.bytes(size));
    ends.put(messages.size() % 2 == 0 ? frame(messages.back()) : long_frame(messages.back()));
  }
  for (const std::string& message : messages) {
    if (!next("read the next of several messages: " + bytes_in_words(message.size()) +
              random.words())) {
      return;
    }
    const NoWait no_wait;
    if (!expect_message(ends.mine(), message, passed())) {
      return;
    }
  }
  expect_eq("how many bytes are left", rest_of(ends.mine()).size(), 0U);
}

TEST(Framing, NotAByteBeyondTheHeader) {
  lesson("A frame says where a message ends");
  for (const bool is_long : {false, true}) {
    if (!next(std::string("called read_header() where a whole message is, with a ") +
              (is_long ? "long" : "short") + " header, and looked at what is left to read")) {
      return;
    }
    const Ends ends;
    ends.put(is_long ? long_frame("the body") : frame("the body"));
    Incoming incoming;
    expect_eq("the result", reading_header(ends.mine(), incoming), length_of(8));
    expect_eq("what is left", rest_of(ends.mine()), "the body");
    expect_eq("what header.size says has arrived", incoming.header.size,
              std::size_t{is_long ? 12U : 4U});
    if (!next("called read_header() for an empty message with nothing behind it")) {
      return;
    }
    const NoWait no_wait;
    ends.put(is_long ? long_frame("") : frame(""));
    Incoming empty;
    expect_eq("the result", reading_header(ends.mine(), empty, passed()), length_of(0));
  }
}

TEST(Framing, CompleteHeaderIsNotReadAgain) {
  lesson("A frame says where a message ends");
  for (const std::string& bytes : {frame("abc"), long_frame("abc")}) {
    if (!next("called read_header() twice for one message, whose header is " +
              std::to_string(bytes.size() - 3) + " bytes")) {
      return;
    }
    const Ends ends;
    ends.put(bytes + frame("another one"));
    Incoming incoming;
    expect_eq("the first result", reading_header(ends.mine(), incoming), length_of(3));
    expect_eq("the second result", reading_header(ends.mine(), incoming), length_of(3));
    expect_eq("the result of read_body()", reading_body(ends.mine(), incoming), "true");
    expect_body(incoming.body, "abc");
    expect_message(ends.mine(), "another one");
  }
}

TEST(Framing, TwoCallsForAMessage) {
  lesson("A frame says where a message ends");
  for (const std::size_t size : {1, 5, 16384, 16385}) {
    if (!next("read a message of " + bytes_in_words(size) + ", which was there, and counted")) {
      return;
    }
    const Ends ends;
    ends.put(frame(std::string(size, 'x')));
    const Faults counting;
    Incoming incoming;
    (void)reading_header(ends.mine(), incoming);
    (void)reading_body(ends.mine(), incoming);
    const int calls = count(counting, kReadCalls) + count(counting, kPollCalls);
    expect(calls <= 2, "2 system calls: header, body", std::to_string(calls) + " system calls");
    expect_body(incoming.body, std::string(size, 'x'));
  }
}

TEST(Framing, EmptyBodyNeedsNoCall) {
  lesson("A frame says where a message ends");
  did("called read_body() for an empty message, with nothing behind it");
  const Ends ends;
  ends.put(frame(""));
  Incoming incoming;
  expect_eq("the result of read_header()", reading_header(ends.mine(), incoming), length_of(0));
  for (const Deadline deadline : {passed(), Deadline::never()}) {
    Faults counting;
    const auto stop = [](const Call& call) {
      throw std::runtime_error("a call of " + std::string(call.name) + ", which may wait for ever");
    };
    before(counting, kReadCalls, stop);
    before(counting, kPollCalls, stop);
    expect_eq("the result", reading_body(ends.mine(), incoming, deadline), "true");
  }
  expect_eq("the length of the body", incoming.body.size(), 0U);
}

TEST(Framing, OneByteAtATime) {
  lesson("Bytes have no boundaries");
  Random random;
  const std::string body = random.bytes(40);
  for (const std::string& bytes : {frame(body), long_frame(body)}) {
    if (!next("read a message of " + std::to_string(bytes.size()) +
              " bytes where each call reads one of them" + random.words())) {
      return;
    }
    const Ends ends;
    ends.put(bytes);
    ends.put(bytes);
    Faults faults;
    shorten(faults, kReadCalls, 1);
    expect_message(ends.mine(), body);
    expect_message(ends.mine(), body);
  }
}

TEST(Framing, Interrupted) {
  lesson("Bytes have no boundaries");
  for (const std::string& bytes : {frame("abcdef"), long_frame("abcdef")}) {
    for (int skip = 0; skip < 6; ++skip) {
      if (!next("read a message of " + std::to_string(bytes.size()) +
                " bytes, 3 at a time, with 2 interruptions (EINTR) after " + std::to_string(skip) +
                " calls")) {
        return;
      }
      const Ends ends;
      ends.put(bytes);
      Faults faults;
      shorten(faults, kReadCalls, 3);
      fail(faults, kReadCalls, EINTR, 2, skip);
      if (!expect_message(ends.mine(), "abcdef")) {
        return;
      }
    }
  }
}

TEST(Framing, WaitsForEachByte) {
  lesson("One deadline for the whole message");
  for (const bool has_deadline : {false, true}) {
    for (const std::string& bytes : {frame("abcdef"), long_frame("abcdef")}) {
      if (!next("read a message that comes byte by byte from a non-blocking socket (EAGAIN), " +
                std::string(has_deadline ? "with a deadline far away" : "without a deadline"))) {
        return;
      }
      const Ends ends;
      make_non_blocking(ends.mine());
      std::string_view to_come = bytes;
      Faults faults;
      before(faults, kPollCalls, [&](const Call& call) {
        if (poll_patience_ms(call) != 0) {  // whoever only looks sees nothing
          ends.put(to_come.substr(0, 1));
          to_come.remove_prefix(std::min<std::size_t>(to_come.size(), 1));
        }
      });
      expect_message(ends.mine(), "abcdef", has_deadline ? Deadline::after(1h) : Deadline::never());
    }
  }
}

// ---- the end of file

TEST(Framing, EndOfFileBetweenMessages) {
  lesson("A message that ends too early");
  did("called read_header() where nobody holds the other end any more");
  Ends ends;
  ends.close_other();
  Incoming incoming;
  expect_eq("the result", reading_header(ends.mine(), incoming), "EOFError");
  expect_end_of_file(ends.mine(), incoming);
  if (!next("called read_header() after the last message, where nobody holds the other end any "
            "more")) {
    return;
  }
  Ends second;
  second.put(frame("the last one"));
  second.close_other();
  expect_message(second.mine(), "the last one");
  expect_end_of_file(second.mine(), incoming);
}

TEST(Framing, EndOfFileInsideTheHeader) {
  lesson("A message that ends too early");
  for (const std::string& header : {big_endian(5, 4), long_header(5)}) {
    for (std::size_t size = 1; size < header.size(); ++size) {
      for (const std::size_t at_a_time : {std::size_t{100}, std::size_t{1}}) {
        if (!next("called read_header() where the end of file is behind " + std::to_string(size) +
                  " of the " + std::to_string(header.size()) + " bytes of a header")) {
          return;
        }
        Ends ends;
        ends.put(std::string_view(header).substr(0, size));
        ends.close_other();
        Faults faults;
        shorten(faults, kReadCalls, at_a_time);
        Incoming incoming;
        if (!expect_eq("the result", reading_header(ends.mine(), incoming), "BadMessage")) {
          return;
        }
        expect_as_new(incoming);
        expect_end_of_file(ends.mine(), incoming);
      }
    }
  }
}

TEST(Framing, EndOfFileInsideTheBody) {
  lesson("A message that ends too early");
  for (const std::string& bytes : {frame("hello"), long_frame("hello")}) {
    for (std::size_t size = 0; size < 5; ++size) {
      for (const std::size_t at_a_time : {std::size_t{100}, std::size_t{1}}) {
        if (!next("called read_body() where the end of file is behind " + std::to_string(size) +
                  " of the 5 bytes of a body")) {
          return;
        }
        Ends ends;
        ends.put(std::string_view(bytes).substr(0, bytes.size() - 5 + size));
        ends.close_other();
        Faults faults;
        shorten(faults, kReadCalls, at_a_time);
        Incoming incoming;
        expect_eq("the result of read_header()", reading_header(ends.mine(), incoming),
                  length_of(5));
        if (!expect_eq("the result of read_body()", reading_body(ends.mine(), incoming),
                       "BadMessage")) {
          return;
        }
        expect_as_new(incoming);
        expect_end_of_file(ends.mine(), incoming);
      }
    }
  }
}

TEST(Framing, EndOfFileAfterADeadline) {
  lesson("A message that ends too early");
  for (const std::string& bytes : {frame("hello"), long_frame("hello")}) {
    const std::size_t header_size = bytes.size() - 5;
    for (std::size_t size = 1; size < bytes.size(); ++size) {
      if (!next("read " + std::to_string(size) + " of the " + std::to_string(header_size) +
                " and 5 bytes of a message; the deadline came, and then the end of file")) {
        return;
      }
      Ends ends;
      ends.put(std::string_view(bytes).substr(0, size));
      Incoming incoming;
      const auto read = [&] {
        const std::string header = reading_header(ends.mine(), incoming, passed());
        return header == length_of(5) ? reading_body(ends.mine(), incoming, passed()) : header;
      };
      const NoWait no_wait;
      if (!expect_eq("the result at the deadline", read(), size < header_size ? "none" : "false")) {
        return;
      }
      ends.close_other();
      if (!expect_eq("the result at the end of file", read(), "BadMessage")) {
        return;
      }
      expect_as_new(incoming);
      expect_eq("the result of the next read_header()", reading_header(ends.mine(), incoming),
                "EOFError");
    }
  }
}

TEST(Framing, LengthsThatCannotBeAreNotRead) {
  lesson("Lengths that cannot be");
  for (const std::string& header :
       {big_endian(0xfffffffe, 4), big_endian(0x80000000, 4), long_header(kMaxMessage + 1),
        long_header(std::uint64_t{1} << 63)}) {
    if (!next("called read_header() where these bytes are, and no more: " + hex(header))) {
      return;
    }
    const Ends ends;
    ends.put(header);
    const NoWait no_wait;
    Incoming incoming;
    expect_eq("what came of it", reading_header(ends.mine(), incoming, passed()), "BadMessage");
    expect_eq("what header.size says has arrived", incoming.header.size, header.size());
    if (!next("called read_header() again, with a good message behind the bad header " +
              hex(header))) {
      return;
    }
    ends.put(frame("?"));
    expect_eq("what came of it", reading_header(ends.mine(), incoming, passed()), "BadMessage");
  }
}

// ---- the deadline

TEST(Framing, GoesOnAfterEachByte) {
  lesson("One deadline for the whole message");
  Random random;
  const std::string body = random.bytes(20);
  for (const std::string& bytes : {frame(body), long_frame(body)}) {
    const std::size_t header_size = bytes.size() - body.size();
    const Ends ends;
    const NoWait no_wait;
    Incoming incoming;
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
      if (!next("read what there is of a message that comes byte by byte, with a deadline that has "
                "passed: " +
                std::to_string(size) + " of " + std::to_string(header_size) +
                " + 20 bytes are there" + random.words())) {
        return;
      }
      if (size > 0) {
        ends.put(std::string_view(bytes).substr(size - 1, 1));
      }
      const std::string header = reading_header(ends.mine(), incoming, passed());
      if (!expect_eq("the result of read_header()", header,
                     size < header_size ? "none" : length_of(body.size())) ||
          !expect_eq("what header.size says has arrived", incoming.header.size,
                     std::min(size, header_size))) {
        return;
      }
      if (size < header_size) {
        continue;
      }
      if (!expect_eq("the result of read_body()", reading_body(ends.mine(), incoming, passed()),
                     size < bytes.size() ? "false" : "true") ||
          !expect_eq("what `received` says has arrived of the body", incoming.received,
                     size - header_size)) {
        return;
      }
    }
    expect_body(incoming.body, body);
  }
}

TEST(Framing, BodyKeepsItsMemory) {
  lesson("One deadline for the whole message");
  Random random;
  const std::string body = random.bytes(1000);
  did("read a message of 1000 bytes in 10 pieces, with a deadline between each two" +
      random.words());
  const Ends ends;
  const NoWait no_wait;
  ends.put(big_endian(body.size(), 4));
  Incoming incoming;
  (void)read_header(ends.mine(), incoming, passed());
  const std::byte* memory = nullptr;
  for (std::size_t sent = 0; sent < body.size(); sent += 100) {
    const std::string result = reading_body(ends.mine(), incoming, passed());
    expect_eq("the result before all has come", result, "false");
    expect_eq("the length of the body", incoming.body.size(), body.size());
    memory = memory == nullptr ? incoming.body.data() : memory;
    if (!expect(incoming.body.data() == memory,
                "the body in the memory that it got first: what has come is there",
                "memory of its own for each call")) {
      return;
    }
    ends.put(std::string_view(body).substr(sent, 100));
  }
  expect_eq("the result in the end", reading_body(ends.mine(), incoming, passed()), "true");
  expect(incoming.body.data() == memory, "the body in the memory that it got first",
         "memory of its own for the last piece");
  expect_body(incoming.body, body);
}

TEST(Framing, GivesUpAtTheDeadline) {
  lesson("One deadline for the whole message");
  const Ends ends;
  Incoming incoming;
  const auto in_a_moment = [] { return Deadline::after(20ms); };
  did("called read_header() with a deadline of 20 ms where nothing comes");
  expect_eq("the result", reading_header(ends.mine(), incoming, in_a_moment()), "none");
  if (!next("called read_header() with a deadline of 20 ms where the first 4 bytes of 12 are")) {
    return;
  }
  ends.put(long_frame("hello").substr(0, 4));
  expect_eq("the result", reading_header(ends.mine(), incoming, in_a_moment()), "none");
  if (!next("called read_body() with a deadline of 20 ms where 2 bytes of 5 are")) {
    return;
  }
  ends.put(long_frame("he").substr(4, 7) + "\x05he");
  expect_eq("the result of read_header()", reading_header(ends.mine(), incoming), length_of(5));
  expect_eq("the result", reading_body(ends.mine(), incoming, in_a_moment()), "false");
  if (!next("called read_body() again when the rest had come")) {
    return;
  }
  ends.put("llo");
  expect_eq("the result", reading_body(ends.mine(), incoming, in_a_moment()), "true");
  expect_body(incoming.body, "hello");
}

// ---- memory

constexpr const char* kOwnMalloc = "AddressSanitizer has an allocator of its own";

TEST(Framing, MemoryThatIsNotThere) {
  lesson("Lengths that cannot be");
  if (kAddressSanitizer) {
    GTEST_SKIP() << kOwnMalloc;
  }
  did("read the header of a message of 1 TiB");
  const Ends ends;
  ends.put(long_header(kMaxMessage) + "abc");
  const NoWait no_wait;
  Incoming incoming;
  expect_eq("the result", reading_header(ends.mine(), incoming, passed()), length_of(kMaxMessage));
  if (!next("called read_body() for a message of 1 TiB")) {
    return;
  }
  const std::string result = reading_body(ends.mine(), incoming, passed());
  if (result == "false") {
    expect_eq("what has arrived", incoming.received, 3U);  // there is memory, or the promise of it
    return;
  }
  expect_eq("what came of it", result, "std::bad_alloc");
  expect_eq("what has arrived of the body", incoming.received, 0U);
  expect_eq("the result of another read_header()", reading_header(ends.mine(), incoming, passed()),
            length_of(kMaxMessage));
  expect_eq("what is left to read", rest_of(ends.mine()), "abc");
}

TEST(Framing, MemoryThatIsThereLater) {
  lesson("Lengths that cannot be");
  if (kAddressSanitizer) {
    GTEST_SKIP() << kOwnMalloc;
  }
  Random random;
  const std::string body = random.bytes(std::size_t{4} << 20);
  const Ends ends;
  std::string_view to_come = body;
  ends.put(big_endian(body.size(), 4));
  ends.put(to_come.substr(0, 10'000));
  to_come.remove_prefix(10'000);
  Incoming incoming;
  did("read the header of a message of 4 MiB");
  expect_eq("the result", reading_header(ends.mine(), incoming, passed()), length_of(body.size()));
  if (!next("called read_body() where there is no memory for it")) {
    return;
  }
  rlimit normal{};
  must(getrlimit(RLIMIT_AS, &normal), "getrlimit");
  rlimit tight = normal;
  tight.rlim_cur = memory_in_use().size + (rlim_t{1} << 20);
  must(setrlimit(RLIMIT_AS, &tight), "setrlimit");
  const std::string result = reading_body(ends.mine(), incoming, passed());
  must(setrlimit(RLIMIT_AS, &normal), "setrlimit");
  if (!expect_eq("what came of it", result, "std::bad_alloc")) {
    return;
  }
  if (!next("called read_body() for the same message again, when there was memory" +
            random.words())) {
    return;
  }
  const NoWait no_wait;
  while (!to_come.empty()) {
    if (!expect_eq("the result of read_header()", reading_header(ends.mine(), incoming, passed()),
                   length_of(body.size())) ||
        !expect_eq("the result of read_body() before all has come",
                   reading_body(ends.mine(), incoming, passed()), "false")) {
      return;
    }
    const std::string_view next = to_come.substr(0, 10'000);
    ends.put(next);
    to_come.remove_prefix(next.size());
  }
  expect_eq("the result in the end", reading_body(ends.mine(), incoming, passed()), "true");
  expect_body(incoming.body, body);
}

TEST(Framing, MemoryIsNotTouchedBeforeBytesCome) {
  lesson("Lengths that cannot be");
  constexpr std::size_t kAnnounced = std::size_t{256} << 20;
  did("called read_body() for a message of 256 MiB, of which nothing has come");
  const Ends ends;
  ends.put(big_endian(kAnnounced, 4));
  const NoWait no_wait;
  Incoming incoming;
  (void)read_header(ends.mine(), incoming, passed());
  const std::size_t resident = memory_in_use().resident;
  expect_eq("the result", reading_body(ends.mine(), incoming, passed()), "false");
  const std::size_t more = memory_in_use().resident - std::min(resident, memory_in_use().resident);
  expect(more < kAnnounced / 2, "addresses without memory, which nobody has touched yet (Bytes)",
         std::to_string(more >> 20) + " MiB more memory in use");
}

// ---- errors

TEST(Framing, ErrorsOfReadingArePassedOn) {
  lesson_in("00-syscalls", "How a call fails: errno");
  for (const int error : {EIO, EBADF}) {
    if (!next("read a message from a descriptor where reading fails with error " +
              std::to_string(error))) {
      return;
    }
    const Ends ends;
    ends.put(frame("hello"));
    Incoming incoming;
    {
      Faults faults;
      fail(faults, kReadCalls, error, 1000);
      expect_eq("what came of read_header()", reading_header(ends.mine(), incoming),
                system_error(error));
    }
    expect_eq("the result of read_header()", reading_header(ends.mine(), incoming), length_of(5));
    Faults faults;
    fail(faults, kReadCalls, error, 1000);
    expect_eq("what came of read_body()", reading_body(ends.mine(), incoming), system_error(error));
  }
}

TEST(Framing, ErrorsOfWritingArePassedOn) {
  lesson("Nobody reads any more");
  did("wrote a message where nobody can read it any more");
  Ends ends;
  ends.close_other();
  for (const Deadline deadline : {Deadline::never(), passed()}) {
    expect_eq("what came of it", writing(ends.mine(), as_span("hello"), deadline),
              system_error(EPIPE));
  }
  if (!next("wrote a message where writing fails (ENOBUFS)")) {
    return;
  }
  const Ends second;
  Faults faults;
  fail(faults, kWriteCalls, ENOBUFS, 1000);
  expect_eq("what came of it", writing(second.mine(), as_span("hello"), passed()),
            system_error(ENOBUFS));
}

// ---- writing

TEST(Framing, WritesAFrame) {
  lesson("A frame says where a message ends");
  Random random;
  for (const std::size_t size : {0, 1, 5, 255, 256, 16384, 16385}) {
    if (!next("wrote a message of " + bytes_in_words(size) + random.words())) {
      return;
    }
    const Ends ends;
    const std::string body = random.bytes(size);
    if (!expect_eq("the result", writing(ends.mine(), as_span(body), Deadline::after(2s)),
                   "kWhole")) {
      return;
    }
    const std::string seen = ends.take_all();
    expect_eq("the header", hex(seen.substr(0, 4)), hex(big_endian(size, 4)));
    expect(seen == frame(body), "a header of 4 bytes and the body behind it",
           std::to_string(seen.size()) + " bytes, which are not that");
  }
}

TEST(Framing, OneCallToSendAMessage) {
  lesson("A frame says where a message ends");
  for (const std::size_t size : {0, 1, 5, 16384, 65537}) {
    const std::string body(size, 'x');
    const std::string whole = frame(body);
    const Ends trial;  // the kernel's settings may be such that it does not take so much at once
    if (::send(trial.mine(), whole.data(), whole.size(), MSG_DONTWAIT) !=
        static_cast<ssize_t>(whole.size())) {
      continue;
    }
    if (!next("wrote a message of " + bytes_in_words(size) + ", and counted")) {
      return;
    }
    const Ends ends;
    int calls = 0;
    {
      const Faults counting;
      (void)writing(ends.mine(), as_span(body), Deadline::never());
      calls = count(counting, kWriteCalls) + count(counting, kPollCalls);
    }
    expect(calls == 1, "1 system call, with header and body",
           std::to_string(calls) + " system calls");
    expect(ends.take_all() == whole, "the frame at the other end", "something else");
  }
}

TEST(Framing, WritesOneByteAtATime) {
  lesson("Bytes have no boundaries");
  Random random;
  for (const std::size_t at_a_time : {1, 3, 7}) {
    const bool interrupted = at_a_time != 7;
    if (!next("wrote a message of 40 bytes where each call takes " + std::to_string(at_a_time) +
              " of them" + (interrupted ? ", and some are interrupted (EINTR)" : "") +
              random.words())) {
      return;
    }
    const Ends ends;
    const std::string body = random.bytes(40);
    {
      Faults faults;
      shorten(faults, kWriteCalls, at_a_time);
      for (const int skip : {0, 1, 6}) {
        fail(faults, kWriteCalls, EINTR, interrupted ? 2 : 0, skip);
      }
      expect_eq("the result", writing(ends.mine(), as_span(body), Deadline::never()), "kWhole");
    }
    expect_eq("what has come out at the other end", hex(ends.take_all()), hex(frame(body)));
  }
}

TEST(Framing, NothingSentIsNoHarm) {
  lesson("One deadline for the whole message");
  did("wrote a message where there is no room, with a deadline that has passed");
  const Ends ends;
  const std::size_t before_it = fill(ends.mine());
  {
    const NoWait no_wait;
    expect_eq("the result", writing(ends.mine(), as_span("hello"), passed()), "kNothing");
    expect_eq("the result for an empty message", writing(ends.mine(), {}, passed()), "kNothing");
  }
  if (!next("wrote a message where there is no room, with a deadline of 20 ms")) {
    return;
  }
  expect_eq("the result", writing(ends.mine(), as_span("hello"), Deadline::after(20ms)),
            "kNothing");
  expect_eq("how many bytes have come out at the other end, besides those that were there",
            ends.take_all().size() - before_it, 0U);
  if (!next("wrote that message again, when there was room")) {
    return;
  }
  const NoWait no_wait;
  expect_eq("the result", writing(ends.mine(), as_span("hello"), passed()), "kWhole");
  expect_eq("what has come out at the other end", hex(ends.take_all()), hex(frame("hello")));
}

TEST(Framing, PartOfAMessageSent) {
  lesson("One deadline for the whole message");
  Random random;
  const std::string body = random.bytes(std::size_t{1} << 20);
  const std::string whole = frame(body);
  for (const bool has_passed : {true, false}) {
    if (!next("wrote a message of 1 MiB, for which there is no room, with a deadline " +
              std::string(has_passed ? "that has passed" : "of 20 ms") + random.words())) {
      return;
    }
    const Ends ends;
    limit_buffer(ends.mine());
    std::optional<NoWait> no_wait;
    if (has_passed) {
      no_wait.emplace();
    }
    const Deadline deadline = has_passed ? passed() : Deadline::after(20ms);
    expect_eq("the result", writing(ends.mine(), as_span(body), deadline), "kPart");
    const std::string seen = ends.take_all();
    expect(seen.size() > 4 && whole.starts_with(seen),
           "the beginning of the frame at the other end",
           bytes_in_words(seen.size()) + ", which are not that");
  }
}

TEST(Framing, PartOfAHeaderSent) {
  lesson("One deadline for the whole message");
  const std::string whole = frame("hello");
  for (std::size_t size = 1; size < whole.size(); ++size) {
    if (!next("wrote a message of 4 + 5 bytes where there is room for " + std::to_string(size) +
              " of them, with a deadline that has passed")) {
      return;
    }
    const Ends ends;
    std::string result;
    {
      Faults faults;
      shorten(faults, kWriteCalls, size);
      after(faults, kWriteCalls, [&ends](const Call&) { fill(ends.mine()); });
      result = writing(ends.mine(), as_span("hello"), passed());
    }
    if (!expect_eq("the result", result, "kPart") ||
        !expect_eq("what has come out at the other end", hex(ends.take_all().substr(0, size)),
                   hex(whole.substr(0, size)))) {
      return;
    }
  }
}

TEST(Framing, TooLongIsNotSent) {
  lesson("Lengths that cannot be");
  did("wrote a message that claims to be one byte longer than kMaxMessage");
  const Ends ends;
  const Mapping mapping;
  expect_eq("what came of it", writing(ends.mine(), mapping.claiming(kMaxMessage + 1), passed()),
            "ValueError");
  expect_eq("what has come out at the other end", hex(ends.take_all()), "");
}

constexpr unsigned kPatience = 4;  // seconds for a child, on a busy machine

/// What a Kid says of its end.
struct Note {
  std::array<char, 200> text{};

  void set(std::string_view words) { words.substr(0, text.size() - 1).copy(text.data(), 199); }
};

TEST(Framing, BodyIsNotCopied) {
  lesson("A frame says where a message ends");
  did("wrote a message of 2 GiB + 5 bytes in a child, and read its header at the other end");
  Ends ends;
  limit_buffer(ends.mine());
  const Shared<Note> note;
  const Kid writer(
      [&] {
        ends.close_other();
        const Mapping mapping;
        note->set(writing(ends.mine(), mapping.claiming(kTwoGiBAndFive), Deadline::never()));
        return 0;
      },
      kPatience);
  ends.close_mine();
  const std::string header = ends.take(12, 1000 * static_cast<int>(kPatience));
  ends.close_other();
  writer.wait_for_end();
  const int status = writer.take().value_or(-1);
  const std::string result = note->text.data();
  if (result.find("TODO ") != std::string::npos) {
    throw std::logic_error(result.substr(result.find("TODO ")));
  }
  expect(result != "std::bad_alloc" && status == 0,
         "the body sent from where it is: the kernel takes a list of buffers",
         result == "std::bad_alloc" ? "std::bad_alloc: memory for a copy of it"
         : status == SIGALRM        ? "a child that was still at it after 4 s"
                                    : "a child that ended with " + std::to_string(status));
  expect_eq("the header", hex(header), hex(long_header(kTwoGiBAndFive)));
  expect(result == system_error(EPIPE) || result == system_error(ECONNRESET),
         "std::system_error (EPIPE) when the reader had closed its end", result);
}

/// A socket, and how long its users have.
struct Way {
  bool is_blocking;
  Deadline deadline;
  std::string_view words;
};

TEST(Framing, FromProcessToProcess) {
  lesson("A frame says where a message ends");
  Random random;
  for (const Way& way :
       {Way{true, Deadline::never(), "a blocking socket"},
        Way{false, Deadline::never(), "a non-blocking socket (EAGAIN)"},
        Way{true, Deadline::after(1h), "a blocking socket, with a deadline far away,"}}) {
    std::vector<std::string> messages;
    for (int i = 0; i < 12; ++i) {
      messages.push_back(random.bytes(1 + random.below(70'000)));
    }
    messages.push_back(random.bytes(100'000));
    Ends ends;
    limit_buffer(ends.mine());
    if (!way.is_blocking) {
      make_non_blocking(ends.mine());
      make_non_blocking(ends.other());
    }
    const Shared<Note> note;
    const Kid writer(
        [&] {
          ends.close_other();
          for (const std::string& message : messages) {
            const std::string result = writing(ends.mine(), as_span(message), way.deadline);
            if (result != "kWhole") {
              note->set(result);
              return 1;
            }
          }
          return 0;
        },
        kPatience);
    ends.close_mine();
    for (const std::string& message : messages) {
      if (!next("read " + std::to_string(messages.size()) + " messages that a child wrote to " +
                std::string(way.words) + " with little room; now one of " +
                bytes_in_words(message.size()) + random.words())) {
        return;
      }
      const std::string trouble = trouble_with_message(ends.other(), message, way.deadline);
      const std::string in_child = note->text.data();
      if (!trouble.empty() && !in_child.empty()) {  // which is why
        expect_eq("the result of write_frame() in the child", in_child, "kWhole");
        return;
      }
      if (!expect_no_trouble(trouble, message.size())) {
        return;
      }
    }
    Incoming incoming;
    expect_eq("the result of read_header() behind the last one",
              reading_header(ends.other(), incoming, way.deadline), "EOFError");
    writer.wait_for_end();
    expect_eq("how the child ended", writer.take().value_or(-1), 0);
  }
}

// ---- CPython

/// An interpreter has to start first.
Deadline patience_with_python() {
  return Deadline::after(std::chrono::seconds(kPatience));
}

TEST(Framing, CPythonReadsAndWritesTheSame) {
  lesson("Talk to Python");
  std::string why_not;
  if (!CPython::works(why_not)) {
    GTEST_SKIP() << why_not;
  }
  Random random;
  Ends ends;
  const CPython python(ends.mine(),
                       "while True:\n"
                       "    try:\n"
                       "        message = conn.recv_bytes()\n"
                       "    except EOFError:\n"
                       "        break\n"
                       "    conn.send_bytes(message)\n");
  ends.close_mine();
  for (const std::size_t size : {0, 1, 16384, 16385, 65537}) {
    if (!next("sent CPython a message of " + bytes_in_words(size) +
              ", which it receives with recv_bytes() and sends back" + random.words())) {
      return;
    }
    const std::string message = random.bytes(size);
    if (!expect_eq("the result of write_frame()",
                   writing(ends.other(), as_span(message), patience_with_python()), "kWhole") ||
        !expect_message(ends.other(), message, patience_with_python())) {
      return;
    }
  }
  if (!next("closed the end at whose other end CPython is")) {
    return;
  }
  ends.close_other();
  expect_eq("how CPython ended, which got EOFError", python.end(), "exit code 0");
}

TEST(Framing, CPythonReadsALongHeader) {
  lesson("Talk to Python");
  std::string why_not;
  if (!CPython::works(why_not)) {
    GTEST_SKIP() << why_not;
  }
  did("sent CPython the beginning of a message of 2 GiB + 5 bytes, and noted what it asked for");
  Ends ends;
  const CPython python(ends.mine(),
                       "class Enough(Exception):\n"
                       "    pass\n"
                       "asked = []\n"
                       "class Noting(Connection):\n"
                       "    def _recv(self, size, *others):\n"
                       "        asked.append(size)\n"
                       "        if len(asked) == 3:\n"
                       "            raise Enough\n"
                       "        return super()._recv(size, *others)\n"
                       "noting = Noting(os.dup(fd))\n"
                       "try:\n"
                       "    noting.recv_bytes()\n"
                       "except Enough:\n"
                       "    pass\n"
                       "except Exception as error:\n"
                       "    asked.append(repr(error))\n"
                       "os.write(fd, repr(asked).encode())\n");
  ends.close_mine();
  const Mapping mapping;
  {
    const NoWait no_wait;
    expect_eq("the result of write_frame(), with a deadline that has passed",
              writing(ends.other(), mapping.claiming(kTwoGiBAndFive), passed()), "kPart");
  }
  must(shutdown(ends.other(), SHUT_WR), "shutdown");
  expect_eq("the sizes that CPython asked for", ends.take(1000, 4000), "[4, 8, 2147483653]");
  expect_eq("how CPython ended", python.end(), "exit code 0");
}

TEST(Framing, CPythonWritesALongHeader) {
  lesson("Talk to Python");
  std::string why_not;
  if (!CPython::works(why_not)) {
    GTEST_SKIP() << why_not;
  }
  did("read the header of a message of 2 GiB + 5 bytes that CPython sends");
  Ends ends;
  // The message claims to be longer than the memory in which it is. That much is never sent.
  const CPython python(ends.mine(),
                       "try:\n"
                       "    import ctypes, mmap\n"
                       "except ImportError:\n"
                       "    os._exit(77)\n"
                       "memory = mmap.mmap(-1, 1 << 22)\n"
                       "address = ctypes.addressof(ctypes.c_char.from_buffer(memory))\n"
                       "try:\n"
                       "    conn.send_bytes((ctypes.c_char * (2**31 + 5)).from_address(address))\n"
                       "except ConnectionError:\n"
                       "    sys.exit(0)\n"
                       "sys.exit('all of it was sent')\n");
  limit_buffer(ends.mine());  // less than the memory that there is
  ends.close_mine();
  Incoming incoming;
  const std::string result = reading_header(ends.other(), incoming, patience_with_python());
  ends.close_other();
  const std::string end = python.end();
  if (end == "exit code 77") {
    GTEST_SKIP() << "CPython has no ctypes here";
  }
  expect_eq("the result of read_header()", result, length_of(kTwoGiBAndFive));
  expect_eq("how CPython ended, which got BrokenPipeError", end, "exit code 0");
}

TEST(Framing, TwoMessagesAtOnce) {
  lesson("A frame says where a message ends");
  did("read the headers of two messages from two sockets, and then the bodies, in the same order");
  const Ends ends;
  const Ends others;
  ends.put(frame("first"));
  others.put(frame("the other one"));
  Incoming first;
  Incoming second;
  (void)read_header(ends.mine(), first, passed());
  (void)read_header(others.mine(), second, passed());
  (void)read_body(ends.mine(), first, passed());
  (void)read_body(others.mine(), second, passed());
  expect_eq("the first message", as_text(first.body), "first");
  expect_eq("the second one", as_text(second.body), "the other one");
}

}  // namespace
}  // namespace mp::test
