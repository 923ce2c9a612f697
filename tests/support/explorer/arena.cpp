#include "support/explorer/arena.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace explorer {

namespace {

// Where nothing else lives, neither on x86-64 nor on arm64 with the smallest address space. Should
// the place be taken (AddressSanitizer does), any other will do: within one run it stays the same.
constexpr std::uintptr_t kPlace = 0x20'0000'0000;

std::byte* map(void* place) {
  void* const memory =
      mmap(place, Arena::kSize, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | (place != nullptr ? MAP_FIXED_NOREPLACE : 0), -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
}

}  // namespace

Arena::Arena() : memory_(map(reinterpret_cast<void*>(kPlace))), mirror_(map(nullptr)) {
  if (memory_ == nullptr) {
    memory_ = map(nullptr);
  }
  if (memory_ == nullptr || mirror_ == nullptr) {
    throw std::bad_alloc();
  }
}

Arena::~Arena() {
  munmap(memory_, kSize);
  munmap(mirror_, kSize);
}

void Arena::reset() {
  std::memset(memory_, 0, used_);
  std::memset(mirror_, 0, used_);
  used_ = 0;
  expected_.clear();
  names_.clear();
}

void* Arena::allocate(std::size_t size, std::size_t alignment) {
  const std::size_t start = (used_ + alignment - 1) / alignment * alignment;
  if (size > kSize || start > kSize - size) {
    return nullptr;
  }
  used_ = start + size;
  return memory_ + start;
}

std::uint64_t Arena::peek(const void* address, int size) const {
  std::uint64_t value = 0;
  std::memcpy(&value, address, static_cast<std::size_t>(size));
  return value;
}

void Arena::poke(void* address, int size, std::uint64_t value) {
  std::memcpy(address, &value, static_cast<std::size_t>(size));
  std::memcpy(mirror_ + offset(address), &value, static_cast<std::size_t>(size));
}

void Arena::accept_all() {
  std::memcpy(mirror_, memory_, used_);
  expected_.clear();
}

const void* Arena::find_unannounced() {
  for (const auto& [start, size] : expected_) {
    std::memcpy(mirror_ + start, memory_ + start, size);
  }
  expected_.clear();
  if (std::memcmp(memory_, mirror_, used_) == 0) {
    return nullptr;
  }
  return std::mismatch(memory_, memory_ + used_, mirror_).first;
}

void Arena::name(const void* address, std::size_t size, std::string_view text) {
  names_.push_back({offset(address), size, std::string(text)});
}

std::string Arena::name_of(const void* address) const {
  const std::size_t place = offset(address);
  const Name* best = nullptr;  // the smallest that holds it: a field's name, not its object's
  for (const Name& name : names_) {
    if (place >= name.offset && place < name.offset + name.size &&
        (best == nullptr || name.size < best->size)) {
      best = &name;
    }
  }
  if (best == nullptr || best->text.empty()) {
    return "";
  }
  return place == best->offset ? best->text
                               : best->text + "+" + std::to_string(place - best->offset);
}

}  // namespace explorer
