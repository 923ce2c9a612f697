#include "judge/reasoning.hpp"

#include <signal.h>

#include <cstdio>
#include <string_view>

#include "01-process/exit_status.hpp"
#include "judge/backtrace.hpp"
#include "judge/protocol.hpp"
#include "support/seal.hpp"

namespace mp::judge {

namespace {

std::string seconds(std::chrono::duration<double> time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", time.count());
  return text;
}

/// The text between two marks, or "" when the first is not there.
std::string between(std::string_view text, std::string_view from, std::string_view to) {
  const auto start = text.find(from);
  if (start == std::string_view::npos) {
    return "";
  }
  const auto end = text.find(to, start + from.size());
  return std::string(text.substr(start + from.size(),
                                 end == std::string_view::npos ? end : end - start - from.size()));
}

/// A failure's text is either an expect()'s two lines, an escaped exception, or GoogleTest's own.
void explain_failure(const std::string& text, Verdict& verdict) {
  using test::seal::kExpected;
  using test::seal::kSeen;
  verdict.outcome = Outcome::kFailed;
  const std::string exception = between(text, "C++ exception with description \"", "\" thrown in");
  if (exception.starts_with("TODO ")) {
    verdict.outcome = Outcome::kTodo;
    verdict.expected = "the exercise's code";
    verdict.seen = exception;
  } else if (!exception.empty()) {
    verdict.expected = "no exception";
    verdict.seen = "an exception escaped: " + exception;
  } else if (text.find(kSeen) != std::string::npos) {
    verdict.expected = between(text, kExpected, "\n" + std::string(kSeen));
    verdict.seen = text.substr(text.find(kSeen) + kSeen.size());
  } else {
    verdict.expected = "the test's assertions to hold";
    verdict.seen = text;
  }
}

/// Records of the test's own process, in the one order that an undisturbed test makes.
bool in_order(const Records& records, pid_t host) {
  std::string order;
  for (const Record& record : records.all()) {
    const bool frame = record.kind == "start" || record.kind == "passed" ||
                       record.kind == "failed" || record.kind == "end";
    if (frame) {
      order += record.kind + (record.pid == host ? " " : "(another process) ");
    }
  }
  return order == "start passed end " || order == "start failed end ";
}

void explain_end(const Records& records, const Evidence& evidence, Verdict& verdict) {
  verdict.outcome = Outcome::kBroken;
  verdict.expected = "the test to come to its end";
  if (evidence.exitcode == kHostFailed) {
    verdict.seen = "the module could not be loaded; its output says why";
  } else if (evidence.exitcode == kUnheard) {
    verdict.expected = "only descriptors closed that the code itself had opened";
    verdict.seen = "the judge's channel (a socket on a high descriptor) was closed or replaced";
  } else if (evidence.exitcode == -SIGXCPU) {
    verdict.outcome = Outcome::kHung;
    verdict.seen =
        "it used up its processor time, and was ended (" + describe(evidence.exitcode) + ")";
  } else if (evidence.exitcode < 0) {
    verdict.outcome = Outcome::kCrashed;
    verdict.seen = "its process was " + describe(evidence.exitcode);
    for (const Record& record : records.all()) {
      if (record.kind == "crash" && record.pid == evidence.host) {
        verdict.details = symbolise(record.text);
      }
    }
  } else if (records.first("start") == nullptr) {
    verdict.seen = "its process ended before the test began: " + describe(evidence.exitcode);
  } else {
    verdict.seen = "its process ended in the middle of the test: " + describe(evidence.exitcode) +
                   " (did something call exit or _exit?)";
  }
}

}  // namespace

Verdict judge(const Records& records, const Evidence& evidence) {
  Verdict verdict;
  verdict.test = evidence.test;
  // A test goes on after its first failure; what it did later is not what failed.
  const Record* const failure = records.first("failure");
  verdict.did = records.last("did", evidence.host, failure);
  verdict.read = records.last("read", evidence.host, failure);
  verdict.picture = records.all_of("picture", evidence.host, failure);
  verdict.output = evidence.output;
  verdict.seconds = evidence.elapsed.count();
  if (verdict.did.empty()) {
    verdict.did = "ran " + evidence.test;
  }

  std::vector<std::string> left = evidence.left;
  for (const Record& record : records.all()) {
    if (record.kind == "left") {
      left.push_back(record.text);
    }
  }

  if (records.first("strayed") != nullptr) {
    verdict.outcome = Outcome::kBroken;
    verdict.expected = "children to end where their work ends";
    verdict.seen = "a forked child returned into the test: `_exit` is missing";
  } else if (evidence.fork_bomb) {
    verdict.outcome = Outcome::kBroken;
    verdict.expected = "a handful of processes";
    verdict.seen = "more than a thousand of them: a fork bomb; they were ended";
  } else if (evidence.dismissed) {
    verdict.outcome = Outcome::kBroken;
    verdict.expected = "signals for the test's own processes only";
    verdict.seen = "the judge's warden was told to end (SIGTERM)";
  } else if (failure != nullptr) {
    explain_failure(failure->text, verdict);
  } else if (evidence.over_time) {
    verdict.outcome = Outcome::kHung;
    verdict.expected = "the test to end within " + seconds(evidence.time_limit);
    verdict.seen = "it did not, and was ended";
    verdict.details = evidence.autopsy;
  } else if (records.foreign()) {
    verdict.outcome = Outcome::kBroken;
    verdict.expected = "nothing but the test's own records on the judge's channel";
    verdict.seen = "something else was written to it";
  } else if (!in_order(records, evidence.host) || evidence.exitcode != 0) {
    explain_end(records, evidence, verdict);
  } else if (const Record* skipped = records.first("skipped"); skipped != nullptr) {
    verdict.outcome = Outcome::kSkipped;
    verdict.expected = "a machine on which this can be tested";
    verdict.seen = skipped->text;
  } else if (!left.empty()) {
    verdict.outcome = Outcome::kLeft;
    verdict.expected = "everything put back as it was";
    verdict.seen = "left behind: " + left.front();
    verdict.details.assign(left.begin() + 1, left.end());
  } else {
    verdict.outcome = Outcome::kPassed;
  }
  return verdict;
}

}  // namespace mp::judge
