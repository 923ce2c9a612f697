#include "judge/standstill.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "judge/autopsy_calls.hpp"
#include "judge/proc.hpp"

namespace mp::judge {
namespace {

/// Whether a descriptor leads out of what is looked at: to a device, a timer, or to where the
/// caller's own stdin, stdout and stderr lead.
bool leads_outside(pid_t pid, int fd) {
  const auto descriptor = open_descriptor(pid, fd);
  if (!descriptor) {
    return true;  // nothing is known of it
  }
  std::error_code error;
  const std::string link = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd);
  if (std::filesystem::is_character_file(link, error) ||
      descriptor->target.find("timerfd") != std::string::npos) {
    return true;
  }
  const auto same = [&descriptor](int own) {
    const auto ours = open_descriptor(::getpid(), own);
    return ours && ours->target == descriptor->target;
  };
  return same(STDIN_FILENO) || same(STDOUT_FILENO) || same(STDERR_FILENO);
}

/// The call that the thread will not leave unless another one of those looked at does something.
std::optional<Call> endless_call(pid_t pid, pid_t tid) {
  const auto call = read_call(pid, tid);
  if (!call || call->number < 0 || has_time_out(*call)) {
    return std::nullopt;
  }
  const auto fds = awaited_descriptors(*call);
  const bool outside =
      std::any_of(fds.begin(), fds.end(), [pid](int fd) { return leads_outside(pid, fd); });
  return outside ? std::nullopt : call;
}

/// What changes whenever a thread runs or is woken; nothing if it will go on.
std::optional<std::string> standing(pid_t pid, pid_t tid) {
  const auto stat = read_thread_stat(pid, tid);
  std::string text = std::to_string(tid);
  if (stat && (stat->state == 'Z' || stat->state == 'T')) {
    return text + stat->state;  // ended, or stopped until somebody sends SIGCONT
  }
  const auto call = stat && stat->state == 'S' ? endless_call(pid, tid) : std::nullopt;
  const auto status = read_proc(pid, "task/" + std::to_string(tid) + "/status");
  if (!call || !status) {
    return std::nullopt;
  }
  for (const std::uint64_t argument : call->arguments) {
    text += " " + std::to_string(argument);
  }
  for (const char* counter : {"voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"}) {
    text += " " + field(*status, counter).value_or("");
  }
  return text + " in " + std::to_string(call->number) + "\n";
}

std::optional<std::string> standstill_of(std::span<const pid_t> pids) {
  std::string all;
  for (const pid_t pid : pids) {
    for (const pid_t tid : threads(pid)) {
      const auto one = standing(pid, tid);
      if (!one) {
        return std::nullopt;
      }
      all += *one;
    }
  }
  // Of those who have ended, and are not collected yet, nobody waits.
  return all.find(" in ") == std::string::npos ? std::nullopt : std::optional(all);
}

}  // namespace

int Standstill::look(std::span<const pid_t> pids) {
  auto now = standstill_of(pids);
  same_ = now && now == last_ ? same_ + 1 : 0;
  last_ = std::move(now);
  return same_;
}

}  // namespace mp::judge
