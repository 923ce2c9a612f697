#include "support/seal.hpp"

#include <gtest/gtest.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "support/crash.hpp"
#include "support/surroundings.hpp"

namespace mp::test::seal {

namespace {

std::string the_secret;  // set before the student's code is loaded
int the_channel = -1;
pid_t the_owner = 0;

/// Tells the judge what GoogleTest sees, and refuses to go on in a process that is not the test's.
class Reporter : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo& /*info*/) override {
    before_ = look_around();
    say("start", "");
  }

  void OnTestPartResult(const testing::TestPartResult& result) override {
    leave_if_strayed();
    if (result.failed()) {
      say("failure", result.message());
    } else if (result.skipped()) {
      say("skipped", result.message());
    }
  }

  void OnTestEnd(const testing::TestInfo& info) override {
    leave_if_strayed();
    for (const std::string& leftover : left_behind(before_, look_around())) {
      say("left", leftover);
    }
    say(info.result()->Failed() ? "failed" : "passed", "");
  }

  static void leave_if_strayed() {
    if (getpid() != the_owner) {
      say("strayed", "");
      _exit(97);
    }
  }

  Surroundings before_;
};

testing::UnitTest& prepare(const std::string& filter) {
  // The student's static objects have been at work by now: take nothing from the environment.
  for (const char* name : {"GTEST_FILTER", "GTEST_TOTAL_SHARDS", "GTEST_SHARD_INDEX",
                           "GTEST_SHARD_STATUS_FILE", "GTEST_OUTPUT", "GTEST_REPEAT",
                           "GTEST_ALSO_RUN_DISABLED_TESTS", "TEST_PREMATURE_EXIT_FILE"}) {
    unsetenv(name);
  }
  std::string program = "test";
  std::string filter_flag = "--gtest_filter=" + filter;
  char* args[] = {program.data(), filter_flag.data(), nullptr};
  int count = 2;
  testing::InitGoogleTest(&count, args);
  testing::FLAGS_gtest_filter = filter;
  testing::FLAGS_gtest_repeat = 1;
  testing::FLAGS_gtest_catch_exceptions = true;
  testing::FLAGS_gtest_throw_on_failure = false;
  return *testing::UnitTest::GetInstance();
}

}  // namespace

void say(std::string_view kind, std::string_view text) {
  if (the_channel == -1) {
    return;  // a grader run by hand
  }
  std::string record = the_secret + ' ' + std::to_string(getpid()) + ' ' + std::string(kind) + ' ';
  const std::size_t start = record.size();
  record += text.substr(0, PIPE_BUF - record.size() - 1);
  std::replace(record.begin() + static_cast<std::ptrdiff_t>(start), record.end(), '\n', kLineBreak);
  record += '\n';
  if (write(the_channel, record.data(), record.size()) != static_cast<ssize_t>(record.size())) {
    _exit(98);  // a test whose judge does not hear it cannot pass
  }
}

void run_test(const std::string& test, const std::string& secret, int channel) {
  testing::UnitTest& unit = prepare(test);
  the_secret = secret;
  the_channel = channel;
  the_owner = getpid();
  auto& listeners = unit.listeners();
  delete listeners.Release(listeners.default_result_printer());
  listeners.Append(new Reporter);
  report_crashes();
  const int result = RUN_ALL_TESTS();
  std::cout.flush();
  std::fflush(nullptr);
  if (unit.test_to_run_count() == 1 && !memory_leaked()) {
    say("end", std::to_string(result));
  }
  _exit(result);  // not exit: the student's static objects have nothing to say in this
}

void list_tests() {
  const testing::UnitTest& unit = prepare("*");
  for (int s = 0; s < unit.total_test_suite_count(); ++s) {
    const testing::TestSuite& suite = *unit.GetTestSuite(s);
    for (int t = 0; t < suite.total_test_count(); ++t) {
      std::cout << suite.name() << '.' << suite.GetTestInfo(t)->name() << '\n';
    }
  }
}

}  // namespace mp::test::seal
