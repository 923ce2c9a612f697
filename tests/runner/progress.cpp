#include "runner/progress.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <system_error>

#include "00-syscalls/check.hpp"
#include "judge/owned_fd.hpp"
#include "runner/json.hpp"

namespace mp::runner {

namespace {
std::filesystem::path progress_file(const Book& book) {
  return book.path(".learn/progress.json");
}
}  // namespace

Progress::Progress(const Book& book) : book_(book) {
  if (std::filesystem::exists(progress_file(book))) {
    standings_ = standings_from_json(read_file(progress_file(book)), progress_file(book));
  }
}

Standing Progress::standing(const Exercise& exercise) const {
  const auto found = standings_.find(exercise.id());
  return found == standings_.end() ? Standing{} : found->second;
}

bool Progress::done(const Exercise& exercise) const {
  const Standing now = standing(exercise);
  return now.done() && now.source == digest(book_.path(exercise.file()));
}

int Progress::count_done() const {
  int count = 0;
  for (const Exercise* exercise : book_.exercises()) {
    count += done(*exercise) ? 1 : 0;
  }
  return count;
}

const Exercise* Progress::next() const {
  for (const Exercise* exercise : book_.exercises()) {
    if (!done(*exercise)) {
      return exercise;
    }
  }
  return nullptr;
}

void Progress::set(const Exercise& exercise, Standing standing) {
  standings_[exercise.id()] = std::move(standing);
  std::filesystem::create_directories(progress_file(book_).parent_path());
  write_file(progress_file(book_), standings_to_json(standings_));
}

std::string digest(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return "";
  }
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a: to notice a change, not to stop a forger
  for (char byte = 0; in.get(byte);) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211U;
  }
  std::ostringstream text;
  text << std::hex << hash;
  return text.str();
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf()).good()) {
    if (in && std::filesystem::file_size(file) == 0) {
      return "";
    }
    throw std::system_error(errno, std::generic_category(), "read " + file.string());
  }
  return text.str();
}

void write_file(const std::filesystem::path& file, const std::string& text) {
  const std::string beside = file.string() + ".new";
  const std::string opening = "open " + beside;
  const std::string writing = "write " + beside;
  const std::string renaming = "rename " + beside;
  {
    const judge::OwnedFd out(check(
        open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), "open " + beside));
    std::size_t done = 0;
    while (done < text.size()) {
      done += static_cast<std::size_t>(
          check(write(out.get(), text.data() + done, text.size() - done), writing));
    }
  }
  check(rename(beside.c_str(), file.c_str()), renaming);
}

}  // namespace mp::runner
