#pragma once

#include <map>
#include <string>

#include "runner/book.hpp"

namespace mp::runner {

/// What is known of a learner's work on one exercise.
struct Standing {
  int passed = 0;      ///< tests
  int total = 0;       ///< tests; 0: never graded
  bool rules = true;   ///< the rules of the game were kept
  std::string source;  ///< the digest of the file that was graded
  int hints = 0;       ///< how many hints have been shown

  [[nodiscard]] bool done() const { return total > 0 && passed == total && rules; }
};

/// Where the learner stands, kept in .learn/progress.json.
class Progress {
 public:
  /// Reads the file; one that is missing is an empty one.
  /// @throws std::runtime_error if it is there and cannot be understood (it is not overwritten).
  explicit Progress(const Book& book);

  [[nodiscard]] Standing standing(const Exercise& exercise) const;
  /// Whether the exercise is done *as its file is now*.
  [[nodiscard]] bool done(const Exercise& exercise) const;
  [[nodiscard]] int count_done() const;
  /// The first exercise that is not done; nullptr when all are.
  [[nodiscard]] const Exercise* next() const;

  /// Remembers a grade, or that a hint was shown, and writes the file (whole or not at all).
  void set(const Exercise& exercise, Standing standing);

 private:
  const Book& book_;
  std::map<std::string, Standing> standings_;
};

/// A digest of a file's contents, to see whether it has changed; "" when it cannot be read.
std::string digest(const std::filesystem::path& file);

/// The whole of a file. @throws std::system_error naming it.
std::string read_file(const std::filesystem::path& file);
/// Writes a file by way of a temporary one beside it: it is never half written.
/// @throws std::system_error naming it; the old contents are there then.
void write_file(const std::filesystem::path& file, const std::string& text);

}  // namespace mp::runner
