#pragma once

#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace mp::runner {

/// A wrong answer, or a hostile one.
struct Answer {
  std::string name;
  std::string object;  ///< its object file
};

/// One exercise, and where everything of it is (the mirror rule).
struct Exercise {
  std::string chapter;           ///< "01-process"
  std::string stem;              ///< "join"
  std::string number;            ///< "1.3"
  std::vector<Answer> mutants;   ///< its wrong answers
  std::string object;            ///< the learner's object file
  std::string reference_object;  ///< the reference's

  [[nodiscard]] std::string id() const { return chapter + "/" + stem; }
  [[nodiscard]] std::string target(const std::string& kind) const {
    return chapter + "." + stem + "." + kind;
  }
  [[nodiscard]] std::string title() const { return number + " " + stem; }
  /// The learner's file, from the root of the repository.
  [[nodiscard]] std::string file() const { return "chapters/" + id() + ".cpp"; }
};

/// A submission that must score nothing (tests/adversarial).
struct Hostile {
  Answer answer;
  std::string exercise;  ///< the id of the exercise that it pretends to solve
};

struct Chapter {
  std::string name;  ///< "01-process"
  std::vector<std::string> calls;
  std::vector<Exercise> exercises;
};

/// An id that names nothing; its text lists what is near.
class UnknownId : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The book as the build knows it (exercises.json).
struct Book {
  std::filesystem::path source;  ///< the root of the repository
  std::filesystem::path build;   ///< the build folder
  std::string host;
  std::vector<Chapter> chapters;
  std::vector<Hostile> hostile;

  [[nodiscard]] std::vector<const Exercise*> exercises() const;

  /// What a word means: an exercise ("1.3", "join", "01-process/join"), all of a chapter ("01",
  /// "1", "process", "01-process"), or everything ("all").
  /// @throws UnknownId.
  [[nodiscard]] std::vector<const Exercise*> find(const std::string& word) const;
  /// The same for exactly one exercise. @throws UnknownId.
  [[nodiscard]] const Exercise& find_one(const std::string& word) const;
  /// The same for exactly one chapter. @throws UnknownId.
  [[nodiscard]] const Chapter& find_chapter(const std::string& word) const;
  [[nodiscard]] const Chapter& chapter_of(const Exercise& exercise) const;

  /// The names of a chapter's further demos: "python" for demo_python.cpp.
  [[nodiscard]] std::set<std::string> demos(const Chapter& chapter) const;
  /// The names of its programs that are wrong on purpose: "zombies" for broken/zombies.cpp.
  [[nodiscard]] std::set<std::string> broken(const Chapter& chapter) const;

  [[nodiscard]] std::filesystem::path path(const std::string& below_root) const {
    return source / below_root;
  }
  [[nodiscard]] std::filesystem::path module(const Exercise& e, const std::string& kind) const {
    return build / "modules" / (e.target(kind) + ".so");
  }
};

}  // namespace mp::runner
