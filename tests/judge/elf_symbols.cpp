#include <elf.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "judge/rules.hpp"

namespace mp::judge {

namespace {

/// A structure at an offset of the file, copied out, since nothing says that it is aligned.
template <class T>
T at(const std::string& file, std::size_t offset) {
  if (offset > file.size() || file.size() - offset < sizeof(T)) {
    throw std::runtime_error("the object file ends too early");
  }
  T value{};
  std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

}  // namespace

std::vector<Symbol> global_symbols(const std::string& object) {
  std::ifstream in(object, std::ios::binary);
  const std::string file{std::istreambuf_iterator<char>(in), {}};
  const auto header = at<Elf64_Ehdr>(file, 0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64) {
    throw std::runtime_error(object + " is not a 64-bit ELF object");
  }
  const auto section = [&](std::size_t index) {
    return at<Elf64_Shdr>(file, header.e_shoff + index * sizeof(Elf64_Shdr));
  };
  std::vector<Symbol> symbols;
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    const Elf64_Shdr table = section(i);
    if (table.sh_type != SHT_SYMTAB) {
      continue;
    }
    const Elf64_Shdr names = section(table.sh_link);
    for (std::size_t offset = 0; offset < table.sh_size; offset += sizeof(Elf64_Sym)) {
      const auto symbol = at<Elf64_Sym>(file, table.sh_offset + offset);
      if (ELF64_ST_BIND(symbol.st_info) == STB_LOCAL) {
        continue;
      }
      const std::size_t name = names.sh_offset + symbol.st_name;
      at<char>(file, name);  // in range
      symbols.push_back({std::string(file.c_str() + name), symbol.st_shndx != SHN_UNDEF,
                         ELF64_ST_BIND(symbol.st_info) != STB_GLOBAL});
    }
  }
  return symbols;
}

}  // namespace mp::judge
