#include "judge/autopsy_fds.hpp"

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

namespace mp::judge {
namespace {

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

/// The number in `socket:[7]`.
ino_t inode_in(std::string_view target) {
  ino_t inode = 0;
  const std::size_t start = target.find('[');
  if (start != std::string_view::npos) {
    std::from_chars(target.data() + start + 1, target.data() + target.size(), inode);
  }
  return inode;
}

/// What keeps one who reads from seeing the end of the file, or one who writes from going on.
std::string open_in(const std::string& end, Wants wants, const std::string& holders) {
  if (holders.empty()) {
    return "; no process that can be seen has the " + end + " open";
  }
  return wants == Wants::kInput
             ? "; the " + end + " is still open " + holders
             : "; the buffer is full and nobody is reading; the " + end + " is open " + holders;
}

std::string pipe_text(pid_t pid, const std::string& target, Wants wants, Scene& scene) {
  const bool input = wants == Wants::kInput;
  return target +
         open_in(input ? "write end" : "read end", wants, scene.holders(target, input, pid));
}

std::string socket_text(pid_t pid, const std::string& target, Wants wants, Scene& scene) {
  const auto socket = scene.unix_socket(inode_in(target));
  if (!socket) {
    return target + "; what is at its other end could not be found out";
  }
  const std::string name = socket->name.empty() ? "" : " (bound to " + socket->name + ")";
  if (socket->listening) {
    return target + name + "; it listens, and nobody connects";
  }
  if (!socket->peer) {
    return target + name + "; it is connected to no other socket";
  }
  if (*socket->peer == 0) {
    return target + name + "; its other end was closed, or was not accepted yet";
  }
  const std::string peer = "socket:[" + std::to_string(*socket->peer) + "]";
  // A socket is read and written, so whoever has it open at all holds it.
  return target + name + open_in("other end, " + peer + ",", wants, scene.holders(peer, true, pid));
}

std::string eventfd_text(const std::string& info) {
  std::uint64_t count = 0;  // which the kernel prints as a hexadecimal number
  const std::string number = field(info, "eventfd-count:").value_or("");
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), count, 16);
  return "an eventfd" +
         (parsed.ec == std::errc{} ? " whose count is " + std::to_string(count) : "");
}

std::string timerfd_text(const std::string& info) {
  const auto left = field(info, "it_value:");
  return left == "(0, 0)" ? "a timerfd that is not set" : "a timerfd";
}

std::string anonymous_text(pid_t pid, const Descriptor& descriptor, const Scene& scene) {
  const auto is = [&descriptor](std::string_view kind) {
    return descriptor.target.find(kind) != std::string::npos;
  };
  const std::string info = read_proc(pid, "fdinfo/" + std::to_string(descriptor.fd)).value_or("");
  if (is("pidfd")) {
    return "the pidfd of " + process_of_pidfd(pid, descriptor.fd, scene);
  }
  if (is("eventfd")) {
    return eventfd_text(info);
  }
  if (is("timerfd")) {
    return timerfd_text(info);
  }
  return is("eventpoll") ? "an epoll instance" : descriptor.target;
}

}  // namespace

std::string process_of_pidfd(pid_t pid, int fd, const Scene& scene) {
  const std::string info = read_proc(pid, "fdinfo/" + std::to_string(fd)).value_or("");
  const std::string number = field(info, "Pid:").value_or("");
  pid_t named = -1;
  std::from_chars(number.data(), number.data() + number.size(), named);
  // -1 after the process was waited for, 0 when it is in another pid namespace.
  return named > 0 ? scene.who_and_state(named) : "a process that is no longer there";
}

std::string about_descriptor(pid_t pid, int fd, Wants wants, Scene& scene) {
  const auto descriptor = open_descriptor(pid, fd);
  if (!descriptor) {
    return "a descriptor that is not open, or may not be looked at";
  }
  const std::string& target = descriptor->target;
  if (starts_with(target, "pipe:")) {
    return pipe_text(pid, target, wants, scene);
  }
  if (starts_with(target, "socket:")) {
    return socket_text(pid, target, wants, scene);
  }
  if (starts_with(target, "anon_inode:") || starts_with(target, "pidfd:")) {
    return anonymous_text(pid, *descriptor, scene);
  }
  std::error_code error;
  const std::string link = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd);
  // A FIFO is a pipe with a name: its two ends have the same path.
  return std::filesystem::is_fifo(link, error) ? pipe_text(pid, target, wants, scene) : target;
}

}  // namespace mp::judge
