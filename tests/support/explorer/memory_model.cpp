#include "support/explorer/memory_model.hpp"

#include <linux/futex.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "support/explorer/hash.hpp"

namespace explorer {

namespace {

bool acquires(std::memory_order order) {
  return order == std::memory_order_acquire || order == std::memory_order_consume ||
         order == std::memory_order_acq_rel || order == std::memory_order_seq_cst;
}

bool releases(std::memory_order order) {
  return order == std::memory_order_release || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}

bool is_sequential(std::memory_order order) {
  return order == std::memory_order_seq_cst;
}

/// The strongest needs no mention: it is what one gets without asking.
const char* words(std::memory_order order) {
  switch (order) {
    case std::memory_order_relaxed:
      return " (relaxed)";
    case std::memory_order_consume:
    case std::memory_order_acquire:
      return " (acquire)";
    case std::memory_order_release:
      return " (release)";
    case std::memory_order_acq_rel:
      return " (acq_rel)";
    default:
      return "";
  }
}

std::uint64_t apply(Rmw operation, std::uint64_t old, std::uint64_t operand) {
  switch (operation) {
    case Rmw::kExchange:
      return operand;
    case Rmw::kAdd:
      return old + operand;
    case Rmw::kSub:
      return old - operand;
    case Rmw::kAnd:
      return old & operand;
    case Rmw::kOr:
      return old | operand;
    case Rmw::kXor:
      return old ^ operand;
    case Rmw::kNand:
      return ~(old & operand);
  }
  return old;
}

const char* words(Rmw operation) {
  constexpr std::array<const char*, 7> kNames{"exchange", "fetch_add", "fetch_sub", "fetch_and",
                                              "fetch_or", "fetch_xor", "fetch_nand"};
  return kNames[static_cast<std::size_t>(operation)];
}

std::uint64_t cut(std::uint64_t value, int size) {
  return size >= 8 ? value : value & ((1ULL << (8 * size)) - 1);
}

}  // namespace

std::string number(std::uint64_t value) {
  constexpr std::uint64_t kReadable = 99'999;
  if (value <= kReadable) {
    return std::to_string(value);
  }
  // A robust lock's word: the owner, and what the kernel's two marks say.
  const auto owner = static_cast<int>(value & FUTEX_TID_MASK);
  const bool is_process = owner == 0 || (owner >= pid_of(0) && owner < pid_of(kMaxProcesses));
  if (value <= UINT32_MAX && is_process) {
    std::string text = std::to_string(owner);
    text += (value & FUTEX_WAITERS) != 0 ? "+WAITERS" : "";
    text += (value & FUTEX_OWNER_DIED) != 0 ? "+DIED" : "";
    return text;
  }
  constexpr std::uint64_t kAddresses = 1ULL << 40;
  if (value >= kAddresses) {
    return "(a pointer)";  // which is another one in every run
  }
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return "0x" + std::string(digits.data(), end.ptr);
}

std::string name_token(std::size_t place) {
  return "{" + std::to_string(place) + "}";
}

void MemoryModel::reset() {
  used_ = 0;
  index_.assign(arena_.used(), -1);
  sequential_ = {};
  fences_ = 0;
}

int MemoryModel::word(const void* address, int size, const void* code) {
  const std::size_t at = arena_.offset(address);
  const auto bytes = static_cast<std::size_t>(size);
  if (at + bytes > index_.size()) {
    index_.resize(std::max(arena_.used(), at + bytes), -1);
  }
  const std::int8_t known = index_[at];
  if (known >= 0 && words_[static_cast<std::size_t>(known)].address == address &&
      words_[static_cast<std::size_t>(known)].size == size) {
    return known;
  }
  for (std::size_t i = at; i < at + bytes; ++i) {
    if (index_[i] >= 0) {
      const Word& other = words_[static_cast<std::size_t>(index_[i])];
      scheduler_.record("{}: " + std::to_string(size) + " bytes of it", address, code,
                        Tone::kFailed);
      scheduler_.fail(Verdict::kRefused,
                      "the same word is used with " + std::to_string(other.size) + " and with " +
                          std::to_string(size) +
                          " bytes (a futex word has 4): the explorer does not know what one half "
                          "of an atomic says about the other");
    }
  }
  if (used_ == kMaxWords) {
    scheduler_.fail(Verdict::kRefused, "more than " + std::to_string(kMaxWords) +
                                           " atomic words in one world are not explored");
  }
  const int index = used_++;
  if (static_cast<std::size_t>(index) == words_.size()) {
    words_.emplace_back();
  }
  Word& fresh = words_[static_cast<std::size_t>(index)];
  fresh.address = const_cast<void*>(address);
  fresh.size = size;
  fresh.last_read = {};
  fresh.stores.clear();
  fresh.stores.push_back({arena_.peek(address, size), {}, 1});
  std::fill_n(index_.begin() + static_cast<std::ptrdiff_t>(at), size,
              static_cast<std::int8_t>(index));
  return index;
}

void MemoryModel::catch_up(Word& word) {
  const std::uint64_t value = arena_.peek(word.address, word.size);
  if (value != word.stores.back().value) {
    word.stores.push_back({value, {}, mix(word.stores.back().identity, value)});
  }
}

void MemoryModel::before(std::memory_order order, const Word& word) {
  // A seq_cst operation on a word comes after those on the same word before it.
  if (is_sequential(order)) {
    const int index = index_of(word, words_);
    std::uint16_t& seen = scheduler_.self().now.view[index];
    seen = std::max(seen, sequential_[index]);
  }
}

void MemoryModel::see(Word& word, std::size_t store, std::memory_order order) {
  Process& self = scheduler_.self();
  const int index = index_of(word, words_);
  const auto position = static_cast<std::uint16_t>(store);
  self.now.view[index] = std::max(self.now.view[index], position);
  const Store& seen = word.stores[store];
  self.acquired.join(seen.released);
  if (acquires(order)) {
    self.now.join(seen.released);
  }
  if (is_sequential(order)) {
    sequential_[index] = std::max(sequential_[index], position);
  }
  if (self.index >= 0) {
    word.last_read[static_cast<std::size_t>(self.index)] = scheduler_.steps();
  }
  scheduler_.remember(seen.identity);
}

void MemoryModel::push(Word& word, std::uint64_t value, std::memory_order order, bool is_rmw,
                       Process& as) {
  const int index = index_of(word, words_);
  const auto position = static_cast<std::uint16_t>(word.stores.size());
  as.now.view[index] = position;
  Store fresh{value, as.released, 0};  // a fence(release) before it covers a relaxed store
  if (releases(order)) {
    fresh.released.join(as.now);
  }
  const Store& last = word.stores.back();
  if (is_rmw) {  // continues the release sequence
    fresh.released.join(last.released);
  }
  fresh.released.view[index] = position;
  as.history = mix(as.history, last.identity);
  fresh.identity = mix(last.identity, as.history);
  word.stores.push_back(fresh);
  arena_.poke(word.address, word.size, value);
  if (is_sequential(order)) {
    sequential_[index] = position;
  }
  if (releases(order) && as.index >= 0) {
    ++as.now.clock[as.index];  // what comes after is not part of what was released
  }
}

std::uint64_t MemoryModel::load(const void* address, int size, std::memory_order order,
                                const void* code) {
  Word& word = find(address, size, code);
  races_.atomic_access(address, static_cast<std::size_t>(size), false, code);
  catch_up(word);
  before(order, word);
  const std::size_t last = word.stores.size() - 1;
  std::size_t store = last;
  if (scheduler_.fault_left()) {
    const int oldest = scheduler_.self().now.view[index_of(word, words_)];
    const int back = scheduler_.choose(std::min(static_cast<int>(last) - oldest, kStale) + 1);
    if (back > 0) {
      scheduler_.spend_fault();
      store -= static_cast<std::size_t>(back);
    }
  }
  see(word, store, order);
  if (scheduler_.recording()) {
    const std::string stale =
        store == last ? "" : ", stale: it is " + number(word.stores[last].value);
    scheduler_.record("{} = " + number(word.stores[store].value) + stale + words(order), address,
                      code, store == last ? Tone::kPlain : Tone::kFault);
  }
  return word.stores[store].value;
}

void MemoryModel::store(void* address, int size, std::uint64_t value, std::memory_order order,
                        const void* code) {
  Word& word = find(address, size, code);
  races_.atomic_access(address, static_cast<std::size_t>(size), true, code);
  catch_up(word);
  before(order, word);
  if (scheduler_.recording()) {
    scheduler_.record(
        "{} " + number(word.stores.back().value) + " -> " + number(value) + " store" + words(order),
        address, code);
  }
  push(word, value, order, false, scheduler_.self());
}

std::uint64_t MemoryModel::rmw(void* address, int size, Rmw operation, std::uint64_t operand,
                               std::memory_order order, const void* code) {
  Word& word = find(address, size, code);
  races_.atomic_access(address, static_cast<std::size_t>(size), true, code);
  catch_up(word);
  before(order, word);
  const std::uint64_t old = word.stores.back().value;
  const std::uint64_t value = cut(apply(operation, old, operand), size);
  if (scheduler_.recording()) {
    scheduler_.record(
        "{} " + number(old) + " -> " + number(value) + " " + words(operation) + words(order),
        address, code);
  }
  see(word, word.stores.size() - 1, order);
  push(word, value, order, true, scheduler_.self());
  return old;
}

bool MemoryModel::compare_exchange(void* address, int size, std::uint64_t& expected,
                                   std::uint64_t desired, std::memory_order success,
                                   std::memory_order failure, bool weak, const void* code) {
  Word& word = find(address, size, code);
  const std::uint64_t wanted = expected;
  catch_up(word);
  const std::uint64_t old = word.stores.back().value;
  const bool spurious =
      old == wanted && weak && scheduler_.fault_left() && scheduler_.choose(2) == 1;
  if (spurious) {
    scheduler_.spend_fault();
  }
  const bool swapped = old == wanted && !spurious;
  races_.atomic_access(address, static_cast<std::size_t>(size), swapped, code);
  const std::memory_order order = swapped ? success : failure;
  before(order, word);
  if (scheduler_.recording()) {
    const std::string outcome = swapped ? "{} " + number(old) + " -> " + number(desired) + " cas"
                                : spurious
                                    ? "{} = " + number(old) + ": cas fails for no reason"
                                    : "{} = " + number(old) + ": cas wants " + number(wanted);
    scheduler_.record(outcome + words(order), address, code,
                      spurious ? Tone::kFault : Tone::kPlain);
  }
  see(word, word.stores.size() - 1, order);
  scheduler_.remember(swapped ? 1 : 2);
  if (swapped) {
    push(word, desired, order, true, scheduler_.self());
  }
  expected = old;
  return swapped;
}

void MemoryModel::fence(std::memory_order order, const void* code) {
  Process& self = scheduler_.self();
  if (scheduler_.recording()) {
    const std::string name = words(order);
    scheduler_.record("fence" + (name.empty() ? " (seq_cst)" : name), nullptr, code);
  }
  if (acquires(order)) {
    self.now.join(self.acquired);
  }
  if (is_sequential(order)) {
    full_barrier();
  }
  if (releases(order)) {
    self.released = self.now;
    if (self.index >= 0) {
      ++self.now.clock[self.index];
    }
  }
}

void MemoryModel::full_barrier() {
  Process& self = scheduler_.self();
  self.now.view.join(sequential_);
  sequential_.join(self.now.view);
  if (scheduler_.stale_reads_left()) {  // else nobody can tell in which order fences came
    std::uint64_t reached = fences_;
    for (int i = 0; i < used_; ++i) {
      reached += mix(arena_.offset(words_[static_cast<std::size_t>(i)].address), sequential_[i]);
    }
    scheduler_.remember(reached);
    fences_ = mix(fences_, self.history);
  }
}

int MemoryModel::kernel_read(const void* address, std::uint32_t& value, const void* code) {
  const int index = word(address, 4, code);
  Word& found = words_[static_cast<std::size_t>(index)];
  races_.atomic_access(address, 4, false, code);
  catch_up(found);
  full_barrier();
  Process& self = scheduler_.self();
  self.now.view[index] = static_cast<std::uint16_t>(found.stores.size() - 1);
  scheduler_.remember(found.stores.back().identity);
  value = static_cast<std::uint32_t>(found.stores.back().value);
  return index;
}

void MemoryModel::kernel_write(void* address, std::uint32_t value, Process& as) {
  Word& found = find(address, 4, nullptr);
  catch_up(found);
  push(found, value, std::memory_order_seq_cst, true, as);
}

void MemoryModel::see_everything(Process& process) {
  for (int i = 0; i < used_; ++i) {
    process.now.view[i] =
        static_cast<std::uint16_t>(words_[static_cast<std::size_t>(i)].stores.size() - 1);
  }
}

std::uint64_t MemoryModel::fingerprint() const {
  std::uint64_t all = fences_;
  for (int i = 0; i < used_; ++i) {
    // A sum: words are numbered as they are first used, which differs from execution to execution.
    const Word& word = words_[static_cast<std::size_t>(i)];
    const std::uint64_t identity = word.stores.back().identity;
    all += identity == 1 ? 0 : mix(arena_.offset(word.address), identity);
  }
  return all;
}

}  // namespace explorer
