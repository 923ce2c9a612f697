#include "runner/book.hpp"

#include <algorithm>
#include <numeric>

namespace mp::runner {

namespace {

/// How many letters have to be changed, added or left out to make one word the other.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

bool names_chapter(const std::string& word, const Chapter& chapter) {
  const std::string digits = chapter.name.substr(0, 2);
  return word == chapter.name || word == chapter.name.substr(3) || word == digits ||
         (digits[0] == '0' && word == digits.substr(1));
}

bool names_exercise(const std::string& word, const Exercise& exercise) {
  return word == exercise.number || word == exercise.stem || word == exercise.id() ||
         word == exercise.file();
}

[[noreturn]] void complain(const Book& book, const std::string& word, const std::string& wanted) {
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const Exercise* exercise : book.exercises()) {
    near.emplace_back(
        std::min(distance(word, exercise->stem), distance(word, exercise->number) + 1),
        exercise->number + " (" + exercise->id() + ")");
  }
  std::stable_sort(near.begin(), near.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text = "there is no " + wanted + " \"" + word + "\"; near it are";
  for (std::size_t i = 0; i < near.size() && i < 3; ++i) {
    text += (i == 0 ? " " : ", ") + near[i].second;
  }
  throw UnknownId(text + ". ./learn list shows all");
}

/// The names of the sources in a folder that begin with `start`, without it.
std::set<std::string> sources(const std::filesystem::path& folder, const std::string& start) {
  std::set<std::string> names;
  std::error_code none;  // a chapter may have no such folder
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() == ".cpp" && name.starts_with(start)) {
      names.insert(name.substr(start.size()));
    }
  }
  return names;
}

}  // namespace

std::vector<const Exercise*> Book::exercises() const {
  std::vector<const Exercise*> all;
  for (const Chapter& chapter : chapters) {
    for (const Exercise& exercise : chapter.exercises) {
      all.push_back(&exercise);
    }
  }
  return all;
}

std::vector<const Exercise*> Book::find(const std::string& word) const {
  std::vector<const Exercise*> found;
  for (const Chapter& chapter : chapters) {
    for (const Exercise& exercise : chapter.exercises) {
      if (word == "all" || names_chapter(word, chapter) || names_exercise(word, exercise)) {
        found.push_back(&exercise);
      }
    }
  }
  // "process" is a chapter and, inside of it, an exercise: the chapter is meant only when spelt
  // so that nothing else can be.
  if (found.size() > 1) {
    std::vector<const Exercise*> exact;
    std::copy_if(found.begin(), found.end(), std::back_inserter(exact),
                 [&](const Exercise* e) { return names_exercise(word, *e); });
    if (exact.size() == 1) {
      return exact;
    }
  }
  if (found.empty()) {
    complain(*this, word, "exercise or chapter");
  }
  return found;
}

const Exercise& Book::find_one(const std::string& word) const {
  const auto found = find(word);
  if (found.size() != 1) {
    throw UnknownId("\"" + word + "\" names " + std::to_string(found.size()) +
                    " exercises; name one of them, such as " + found.front()->number);
  }
  return *found.front();
}

const Chapter& Book::find_chapter(const std::string& word) const {
  for (const Chapter& chapter : chapters) {
    if (names_chapter(word, chapter)) {
      return chapter;
    }
  }
  std::string text = "there is no chapter \"" + word + "\"; there are";
  for (const Chapter& chapter : chapters) {
    text += " " + chapter.name;
  }
  throw UnknownId(text);
}

std::set<std::string> Book::demos(const Chapter& chapter) const {
  return sources(path("chapters/" + chapter.name), "demo_");
}

std::set<std::string> Book::broken(const Chapter& chapter) const {
  return sources(path("chapters/" + chapter.name + "/broken"), "");
}

const Chapter& Book::chapter_of(const Exercise& exercise) const {
  return find_chapter(exercise.chapter);
}

}  // namespace mp::runner
