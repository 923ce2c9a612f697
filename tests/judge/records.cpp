#include "judge/records.hpp"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "00-syscalls/check.hpp"
#include "support/seal.hpp"

namespace mp::judge {

namespace {
// More than any honest test says; a student who floods the channel is not listened to for ever.
constexpr std::size_t kMostRecords = 10'000;
}  // namespace

Records::Records(OwnedFd channel, std::string_view secret)
    : channel_(std::move(channel)), key_(test::seal::key_from(secret)) {
  check(fcntl(fd(), F_SETFL, O_NONBLOCK), "fcntl");
}

void Records::read_available() {
  std::array<char, 64 * 1024> buffer;
  while (records_.size() < kMostRecords) {
    const ssize_t got = retry([&] { return read(fd(), buffer.data(), buffer.size()); });
    if (got == -1 && errno == EAGAIN) {
      break;
    }
    if (check(got, "read") == 0) {
      break;
    }
    unfinished_.append(buffer.data(), static_cast<std::size_t>(got));
    for (std::size_t end = 0; (end = unfinished_.find('\n')) != std::string::npos;) {
      take(unfinished_.substr(0, end));
      unfinished_.erase(0, end + 1);
    }
    if (unfinished_.size() > PIPE_BUF) {  // longer than any record
      foreign_ = true;
      unfinished_.clear();
      break;
    }
  }
  foreign_ = foreign_ || records_.size() >= kMostRecords;
}

void Records::take(const std::string& line) {
  // SIGNATURE PID KIND TEXT, of which all after the signature is signed, blanks and all
  constexpr std::size_t kPid = test::seal::kSignatureLength + 1;
  const std::size_t after_pid = line.find(' ', kPid);
  const std::size_t after_kind =
      after_pid == std::string::npos ? after_pid : line.find(' ', after_pid + 1);
  if (after_kind == std::string::npos || !is_signed(line)) {
    foreign_ = true;
    return;
  }
  Record record{};
  std::from_chars(line.data() + kPid, line.data() + after_pid, record.pid);
  record.kind = line.substr(after_pid + 1, after_kind - after_pid - 1);
  record.text = line.substr(after_kind + 1);
  foreign_ = foreign_ || record.kind == "forged";
  std::replace(record.text.begin(), record.text.end(), test::seal::kLineBreak, '\n');
  records_.push_back(std::move(record));
}

bool Records::is_signed(std::string_view line) const {
  const auto expected = test::seal::signature(key_, line.substr(test::seal::kSignatureLength));
  return line.starts_with(std::string_view(expected.data(), expected.size()));
}

std::string Records::last(const std::string& kind, pid_t pid, const Record* before) const {
  std::string text;
  for (const Record& record : records_) {
    if (&record == before) {
      break;
    }
    if (record.kind == kind && record.pid == pid) {
      text = record.text;
    }
  }
  return text;
}

std::string Records::all_of(const std::string& kind, pid_t pid, const Record* before) const {
  std::string lines;
  for (const Record& record : records_) {
    if (&record == before) {
      break;
    }
    if (record.kind == kind && record.pid == pid) {
      lines += record.text + '\n';
    }
  }
  return lines;
}

const Record* Records::first(const std::string& kind) const {
  const auto found = std::find_if(records_.begin(), records_.end(),
                                  [&](const Record& record) { return record.kind == kind; });
  return found == records_.end() ? nullptr : &*found;
}

}  // namespace mp::judge
