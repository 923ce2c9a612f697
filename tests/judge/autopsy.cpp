#include "judge/autopsy.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <optional>

#include "judge/autopsy_calls.hpp"
#include "judge/autopsy_scene.hpp"
#include "judge/proc.hpp"

namespace mp::judge {
namespace {

constexpr std::size_t kMostProcesses = 32;
constexpr std::size_t kMostThreads = 8;

/// `is running: it used 2.9 s of CPU time`.
std::string running_text(const Stat& stat) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "is running: it used %.1f s of CPU time",
                stat.cpu_seconds);
  return text.data();
}

std::string zombie_text(pid_t pid, const Stat& stat, const Scene& scene) {
  if (stat.threads > 1) {
    return "has ended its main thread, and goes on in another";
  }
  if (stat.ppid != ::getpid()) {
    return "is a zombie: its parent " + scene.who(stat.ppid) + " has not waited for it";
  }
  // What the judge has not collected yet is its own child, or one that it inherited.
  return scene.has_role(pid) ? "has ended" : "is a zombie: its parent ended without waiting for it";
}

std::string stopped_text(pid_t pid, const Stat& stat) {
  if (stat.state == 'T') {
    return "is stopped by a signal: it waits for SIGCONT";
  }
  const auto status = read_proc(pid, "status");
  const auto tracer = status ? field(*status, "TracerPid:") : std::nullopt;
  return "is stopped by its tracer" + (tracer ? ", pid " + *tracer : "");
}

/// The words of a thread that waits but whose system call may not be looked at.
std::string unseen_text(pid_t pid, pid_t tid) {
  const std::string file = "task/" + std::to_string(tid) + "/wchan";
  const std::string where = printable(read_proc(pid, file).value_or("0"));
  return "is blocked" + (where == "0" || where.empty() ? "" : " in the kernel's " + where) +
         "; its system call could not be seen";
}

std::string blocked_text(pid_t pid, pid_t tid, const Stat& stat, Scene& scene) {
  const auto call = read_call(pid, tid);
  if (!call) {
    return unseen_text(pid, tid);
  }
  if (call->number == kRunning) {
    return running_text(stat);  // it was woken since its state was read
  }
  return call->number == kNoCall ? "is blocked outside any system call"
                                 : "is blocked in " + describe_call(*call, scene);
}

std::string thread_text(pid_t pid, pid_t tid, const Stat& stat, Scene& scene) {
  switch (stat.state) {
    case 'R':
      return running_text(stat);
    case 'Z':
    case 'X':
      return tid == pid ? zombie_text(pid, stat, scene) : "";
    case 'T':
    case 't':
      return stopped_text(pid, stat);
    default:
      return blocked_text(pid, tid, stat, scene);
  }
}

/// The words for a thread, or nothing when it is gone. What ended while its sentence was made would
/// be described wrongly, so its state is read once more at the end.
std::string thread_text_if_there(pid_t pid, pid_t tid, Scene& scene) {
  const auto before = read_thread_stat(pid, tid);
  std::string text = before ? thread_text(pid, tid, *before, scene) : "";
  const auto after = read_thread_stat(pid, tid);
  if (!after) {
    return "";
  }
  return after->state == 'Z' ? thread_text(pid, tid, *after, scene) : text;
}

std::vector<std::string> describe_process(pid_t pid, Scene& scene) {
  std::vector<std::string> sentences;
  std::vector<pid_t> tids = threads(pid);
  const std::size_t hidden = tids.size() > kMostThreads ? tids.size() - kMostThreads : 0;
  tids.resize(tids.size() - hidden);
  for (const pid_t tid : tids) {
    std::string sentence = scene.who(pid);  // before the look whether it is still there
    const std::string text = thread_text_if_there(pid, tid, scene);
    if (!text.empty()) {
      sentence += tid == pid ? " " : ", thread " + std::to_string(tid) + ", ";
      sentences.push_back(sentence.append(text));
    }
  }
  if (hidden > 0 && !sentences.empty()) {
    sentences.push_back("and " + std::to_string(hidden) + " more threads of " + scene.who(pid));
  }
  return sentences;
}

}  // namespace

std::vector<std::string> autopsy(std::span<const pid_t> pids, std::span<const Role> roles) {
  Scene scene(pids, roles);
  std::vector<std::string> sentences;
  std::size_t described = 0;
  for (std::size_t i = 0; i < pids.size(); ++i) {
    if (described == kMostProcesses) {
      sentences.push_back("and " + std::to_string(pids.size() - i) + " more processes");
      break;
    }
    auto of_one = describe_process(pids[i], scene);
    described += of_one.empty() ? 0 : 1;
    sentences.insert(sentences.end(), of_one.begin(), of_one.end());
  }
  return sentences;
}

}  // namespace mp::judge
