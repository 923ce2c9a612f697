#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "judge/owned_fd.hpp"
#include "support/signature.hpp"

namespace mp::judge {

/// One thing that the test's process has said (test::seal::say()).
struct Record {
  pid_t pid;
  std::string kind;
  std::string text;
};

/// The channel on which a test's records arrive. Any process of the test may write to it; only
/// what is signed with the secret is a record, and everything else is counted as foreign.
class Records {
 public:
  Records(OwnedFd channel, std::string_view secret);

  [[nodiscard]] int fd() const { return channel_.get(); }

  /// Reads what is there and no more: never to the end, which an orphan may keep from coming.
  void read_available();

  [[nodiscard]] const std::vector<Record>& all() const { return records_; }
  [[nodiscard]] bool foreign() const { return foreign_; }

  /// The texts of all records of that kind from the process `pid`, a line each.
  /// @param before  as for last().
  [[nodiscard]] std::string all_of(const std::string& kind, pid_t pid, const Record* before) const;
  /// The text of the last record of that kind from the process `pid`, or "".
  /// @param before  only of those that came before this one; nullptr for all.
  [[nodiscard]] std::string last(const std::string& kind, pid_t pid,
                                 const Record* before = nullptr) const;
  /// The first record of that kind, from whomever; nullptr if there is none.
  [[nodiscard]] const Record* first(const std::string& kind) const;

 private:
  void take(const std::string& line);
  [[nodiscard]] bool is_signed(std::string_view line) const;

  OwnedFd channel_;
  test::seal::Key key_;
  std::string unfinished_;
  std::vector<Record> records_;
  bool foreign_ = false;
};

}  // namespace mp::judge
