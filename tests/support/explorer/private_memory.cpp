#include "support/explorer/private_memory.hpp"

#include <link.h>

#include <algorithm>

namespace explorer {

void PrivateMemory::find_module(const void* code) {
  struct Search {
    std::uintptr_t code;
    Range text, data, block;
    bool block_to_come;
  } search{reinterpret_cast<std::uintptr_t>(code), {}, {}, {}, false};
  dl_iterate_phdr(
      [](dl_phdr_info* module, std::size_t, void* argument) {
        auto& wanted = *static_cast<Search*>(argument);
        Range whole{UINTPTR_MAX, 0};
        Range data{UINTPTR_MAX, 0};
        Range block;
        bool block_to_come = false;
        for (int i = 0; i < module->dlpi_phnum; ++i) {
          const ElfW(Phdr)& segment = module->dlpi_phdr[i];
          const std::uintptr_t start = module->dlpi_addr + segment.p_vaddr;
          const std::uintptr_t end = start + segment.p_memsz;
          if (segment.p_type == PT_LOAD) {
            whole = {std::min(whole.start, start), std::max(whole.end, end)};
            if ((segment.p_flags & PF_W) != 0) {
              data = {std::min(data.start, start), std::max(data.end, end)};
            }
          } else if (segment.p_type == PT_TLS && module->dlpi_tls_data != nullptr) {
            block.start = reinterpret_cast<std::uintptr_t>(module->dlpi_tls_data);
            block.end = block.start + segment.p_memsz;
          } else if (segment.p_type == PT_TLS) {
            block_to_come = true;  // it is made when a thread first needs it
          }
        }
        if (wanted.code < whole.start || wanted.code >= whole.end) {
          return 0;
        }
        wanted.text = whole;
        wanted.data = data;
        wanted.block = block;
        wanted.block_to_come = block_to_come;
        return 1;
      },
      &search);
  code_ = search.text;
  data_ = search.data;
  thread_local_ = search.block;
  block_to_come_ = search.block_to_come;
}

bool PrivateMemory::is_static(std::uintptr_t address) const {
  return (address >= data_.start && address < data_.end) ||
         (address >= thread_local_.start && address < thread_local_.end);
}

bool PrivateMemory::about_to_write(const void* code, const void* address, std::size_t size) {
  const auto from = reinterpret_cast<std::uintptr_t>(code);
  if (from < code_.start || from >= code_.end || block_to_come_) {
    find_module(code);
  }
  if (!is_static(reinterpret_cast<std::uintptr_t>(address))) {
    return false;
  }
  auto* const first = static_cast<std::byte*>(const_cast<void*>(address));
  for (std::byte* place = first; place < first + size; ++place) {
    if (std::ranges::none_of(bytes_, [=](const Byte& byte) { return byte.place == place; })) {
      Byte byte{place, *place, {}};
      byte.copies.fill(*place);
      bytes_.push_back(byte);
    }
  }
  return true;
}

void PrivateMemory::fork() {
  for (Byte& byte : bytes_) {
    byte.copies.fill(*byte.place);
  }
}

void PrivateMemory::switch_to(int process) {
  if (process == current_) {
    return;
  }
  for (Byte& byte : bytes_) {
    byte.copies[slot(current_)] = *byte.place;
    *byte.place = byte.copies[slot(process)];
  }
  current_ = process;
}

void PrivateMemory::restore() {
  for (const Byte& byte : bytes_) {
    *byte.place = byte.original;
  }
  bytes_.clear();
  current_ = -1;
}

}  // namespace explorer
