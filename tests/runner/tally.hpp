#pragma once

#include <string>

namespace mp::runner {

/// Counts what verify has found, and prints each finding as it comes: failures in full, passes in
/// a line each, so that the kill table can be read.
class Tally {
 public:
  void section(const std::string& title);
  void pass(const std::string& name, const std::string& remark = "");
  void fail(const std::string& name, const std::string& why);
  void skip(const std::string& name, const std::string& why);
  void remark(const std::string& text);

  /// Prints the failures once more and the last line, `N passed, N failed, N skipped`.
  /// @return whether there was something to pass and nothing failed.
  bool finish();

 private:
  int passed_ = 0;
  int failed_ = 0;
  int skipped_ = 0;
  std::string failures_;
};

}  // namespace mp::runner
