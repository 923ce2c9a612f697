#include "judge/autopsy_calls.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <sstream>
#include <string_view>

#include "judge/autopsy_fds.hpp"
#include "judge/autopsy_waits.hpp"
#include "judge/proc.hpp"
#include "judge/target_memory.hpp"
#include "support/syscall_names.hpp"

namespace mp::judge {
namespace {

constexpr std::size_t kMostShown = 8;

std::string name_of(const Call& call) {
  const std::string_view name = test::syscall_name(call.number);
  return name.empty() ? "system call " + std::to_string(call.number) : std::string(name);
}

/// `read(3)`: the call with its first argument, a descriptor.
std::string name_with_fd(const Call& call) {
  return name_of(call) + "(" + std::to_string(int_argument(call, 0)) + ")";
}

// --- one descriptor ---------------------------------------------------------------------------

std::string reading(const Call& call, Scene& scene) {
  return name_with_fd(call) + " on " +
         about_descriptor(call.pid, int_argument(call, 0), Wants::kInput, scene);
}

std::string writing(const Call& call, Scene& scene) {
  return name_with_fd(call) + " on " +
         about_descriptor(call.pid, int_argument(call, 0), Wants::kOutput, scene);
}

std::string connecting(const Call& call, Scene& /*scene*/) {
  const auto family = peek<sa_family_t>(call.pid, call.arguments[1]);
  if (family != AF_UNIX) {
    return name_with_fd(call) +
           (family ? " to an address of family " + std::to_string(*family) : "");
  }
  const std::uint64_t path = call.arguments[1] + offsetof(sockaddr_un, sun_path);
  const bool abstract = peek<char>(call.pid, path) == '\0';
  return name_with_fd(call) + " to " +
         (abstract ? "@" + peek_string(call.pid, path + 1) : peek_string(call.pid, path)) +
         "; the listener's queue is full, for it does not accept";
}

std::string locking(const Call& call, Scene& scene) {
  const auto descriptor = open_descriptor(call.pid, int_argument(call, 0));
  if (!descriptor) {
    return name_with_fd(call);
  }
  const std::string holders = scene.lock_holders(descriptor->target);
  return name_with_fd(call) + " for a lock on " + descriptor->target +
         (holders.empty() ? "" : "; it is held by " + holders);
}

std::string opening(const Call& call, Scene& /*scene*/) {
  const std::size_t path_at = name_of(call) == "open" ? 0 : 1;
  return name_of(call) + " of " + peek_string(call.pid, call.arguments[path_at]) +
         "; a FIFO waits there until another process opens its other end";
}

// --- children ---------------------------------------------------------------------------------

std::string children_text(pid_t parent, const Scene& scene) {
  std::vector<std::string> pieces;
  for (const pid_t pid : descendants(parent)) {
    const auto stat = read_stat(pid);
    if (stat && stat->ppid == parent) {
      pieces.push_back(scene.who_and_state(pid));
    }
  }
  return pieces.empty() ? "it has no child" : joined(pieces, kMostShown);
}

std::string waiting_for_pid(pid_t wanted, const Call& call, const Scene& scene) {
  if (wanted > 0) {
    return scene.who_and_state(wanted);
  }
  const std::string group = wanted == -1  ? ""
                            : wanted == 0 ? " of its own process group"
                                          : " of process group " + std::to_string(-wanted);
  return "any child" + group + ": " + children_text(call.pid, scene);
}

std::string in_wait4(const Call& call, Scene& scene) {
  const pid_t wanted = int_argument(call, 0);
  return "wait4(" + std::to_string(wanted) + "), waiting for " +
         waiting_for_pid(wanted, call, scene);
}

std::string in_waitid(const Call& call, Scene& scene) {
  constexpr int kPidfd = 3;  // P_PIDFD, which glibc names since 2.36
  const int type = int_argument(call, 0);
  const int id = int_argument(call, 1);
  // A wait that asks only for stops or continues does not end with the child.
  const bool for_end = (int_argument(call, 3) & WEXITED) != 0;
  const std::string tail = for_end ? "" : "; WEXITED is not set, so its end would not be seen";
  const std::string number = std::to_string(id);
  if (type == kPidfd) {
    return "waitid(P_PIDFD, " + number + "), waiting for " + process_of_pidfd(call.pid, id, scene) +
           tail;
  }
  if (type == P_PID) {
    return "waitid(P_PID, " + number + "), waiting for " + scene.who_and_state(id) + tail;
  }
  const std::string call_text = type == P_PGID ? "waitid(P_PGID, " + number + ")" : "waitid(P_ALL)";
  return call_text + ", waiting for " + waiting_for_pid(type == P_PGID ? -id : -1, call, scene) +
         tail;
}

std::string in_vfork(const Call& call, Scene& scene) {
  return name_of(call) +
         " until its child ends or runs another program: " + children_text(call.pid, scene);
}

// --- the rest ---------------------------------------------------------------------------------

std::string waiting_for_signal(const Call& call, Scene& /*scene*/) {
  return name_of(call) + ": only a signal ends it";
}

std::string restarted(const Call& /*call*/, Scene& /*scene*/) {
  return "a sleep, poll or futex with a time-out, which goes on after a signal (restart_syscall)";
}

struct Family {
  std::string_view name;
  std::string (*describe)(const Call&, Scene&);
};

constexpr Family kFamilies[] = {
    {"read", reading},
    {"readv", reading},
    {"preadv", reading},
    {"recvfrom", reading},
    {"recvmsg", reading},
    {"recvmmsg", reading},
    {"accept", reading},
    {"accept4", reading},
    {"write", writing},
    {"writev", writing},
    {"pwritev", writing},
    {"sendto", writing},
    {"sendmsg", writing},
    {"sendmmsg", writing},
    {"connect", connecting},
    {"flock", locking},
    {"fcntl", locking},
    {"open", opening},
    {"openat", opening},
    {"wait4", in_wait4},
    {"waitid", in_waitid},
    {"vfork", in_vfork},
    {"clone", in_vfork},
    {"clone3", in_vfork},
    {"poll", in_poll},
    {"ppoll", in_poll},
    {"select", in_select},
    {"pselect6", in_select},
    {"epoll_wait", in_epoll},
    {"epoll_pwait", in_epoll},
    {"epoll_pwait2", in_epoll},
    {"futex", in_futex},
    {"nanosleep", in_sleep},
    {"clock_nanosleep", in_sleep},
    {"pause", waiting_for_signal},
    {"rt_sigsuspend", waiting_for_signal},
    {"rt_sigtimedwait", waiting_for_signal},
    {"restart_syscall", restarted},
};

/// The entry of a table for the call, or a null pointer.
template <typename Entry, std::size_t N>
const Entry* find_entry(const Entry (&table)[N], const Call& call) {
  const std::string name = name_of(call);
  const auto* const entry =
      std::find_if(std::begin(table), std::end(table),
                   [&name](const Entry& candidate) { return candidate.name == name; });
  return entry == std::end(table) ? nullptr : entry;
}

/// Where a call has its time-out: null, or negative where it is a number of milliseconds, means
/// none.
struct TimeOut {
  enum Kind { kPointer, kMilliseconds, kAlways };
  std::string_view name;
  Kind kind;
  std::size_t argument = 0;
};

constexpr TimeOut kTimeOuts[] = {
    {"nanosleep", TimeOut::kAlways},           {"clock_nanosleep", TimeOut::kAlways},
    {"restart_syscall", TimeOut::kAlways},     {"poll", TimeOut::kMilliseconds, 2},
    {"epoll_wait", TimeOut::kMilliseconds, 3}, {"epoll_pwait", TimeOut::kMilliseconds, 3},
    {"ppoll", TimeOut::kPointer, 2},           {"select", TimeOut::kPointer, 4},
    {"pselect6", TimeOut::kPointer, 4},        {"epoll_pwait2", TimeOut::kPointer, 3},
    {"futex", TimeOut::kPointer, 3},           {"recvmmsg", TimeOut::kPointer, 4},
    {"rt_sigtimedwait", TimeOut::kPointer, 2}, {"semtimedop", TimeOut::kPointer, 3},
    {"mq_timedsend", TimeOut::kPointer, 4},    {"mq_timedreceive", TimeOut::kPointer, 4},
};

}  // namespace

std::optional<Call> read_call(pid_t pid, pid_t tid) {
  // `NUMBER 0xARG … 0xARG 0xSP 0xPC`, `-1 0xSP 0xPC`, or `running`.
  const auto line = read_proc(pid, "task/" + std::to_string(tid) + "/syscall");
  if (!line) {
    return std::nullopt;
  }
  Call call{pid, tid, kRunning, {}};
  if (line->starts_with("running")) {
    return call;
  }
  std::istringstream words(*line);
  if (!(words >> call.number)) {
    return std::nullopt;
  }
  for (std::uint64_t& argument : call.arguments) {
    // Through a string: operator>> does not take the prefix 0x in every library.
    std::string word;
    words >> word;
    argument = std::strtoull(word.c_str(), nullptr, 16);
  }
  return call;
}

std::string describe_call(const Call& call, Scene& scene) {
  const Family* family = find_entry(kFamilies, call);
  return family == nullptr ? name_of(call) : family->describe(call, scene);
}

std::vector<int> awaited_descriptors(const Call& call) {
  const Family* family = find_entry(kFamilies, call);
  if (family != nullptr && (family->describe == reading || family->describe == writing)) {
    return {int_argument(call, 0)};
  }
  std::vector<int> fds;
  for (const Watched& one : watched_descriptors(call)) {
    fds.push_back(one.fd);
  }
  return fds;
}

bool has_time_out(const Call& call) {
  const TimeOut* time_out = find_entry(kTimeOuts, call);
  if (time_out == nullptr || time_out->kind == TimeOut::kAlways) {
    return time_out != nullptr;
  }
  return time_out->kind == TimeOut::kPointer ? call.arguments[time_out->argument] != 0
                                             : int_argument(call, time_out->argument) >= 0;
}

}  // namespace mp::judge
