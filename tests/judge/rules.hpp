#pragma once

#include <string>
#include <vector>

#include "judge/verdict.hpp"

namespace mp::judge {

/// What the rules of the game are checked on.
struct RulesQuestion {
  std::string object;              ///< the learner's object file (ELF, not linked)
  std::string source;              ///< the learner's source file
  std::string allowed;             ///< the file with the functions that any chapter may call
  std::string chapter;             ///< "01-process", for the message
  std::vector<std::string> calls;  ///< the chapter's own calls, and those of the chapters before
};

/// The rules of the game, as one more verdict, named "Rules": the object may call what is on the
/// lists, may define functions in namespace mp only, and the source may neither include a
/// ready-made version of what the book builds nor go around the lists with inline assembly.
/// Nothing of the learner's is run.
/// @throws std::runtime_error if the object cannot be read or is no ELF object of this machine.
Verdict check_rules(const RulesQuestion& question);

/// A symbol of an object file.
struct Symbol {
  std::string name;  ///< as the linker sees it
  bool defined;      ///< here, and visible to others; else it is wanted from elsewhere
  bool weak;
};

/// The global symbols of an ELF object file (elf(5)). @throws std::runtime_error.
std::vector<Symbol> global_symbols(const std::string& object);

}  // namespace mp::judge
